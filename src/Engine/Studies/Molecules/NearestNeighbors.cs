using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Files;
using ChemScale.Engine.Native;
using ChemScale.Engine.Stores;
using ChemScale.Engine.Studies.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Molecules;

/// <summary>What makes vectors near.</summary>
public enum EmbeddingMetric
{
    /// <summary>The cosine of the angle between them; 1 is nearest.</summary>
    Cosine,

    /// <summary>The distance; 0 is nearest.</summary>
    Euclidean,
}

/// <summary>Which neighbours are wanted.</summary>
public sealed record NearestRequest
{
    /// <summary>An .npy that <see cref="MoleculeEmbedding"/> wrote.</summary>
    public required string Embeddings { get; init; }

    /// <summary>Another such .npy, of the same model; or a file of molecules, which the run embeds.</summary>
    public required MoleculeFiles Query { get; init; }

    /// <summary>Run directory to embed molecules with; null: where it was when the embeddings were made.</summary>
    public string? Run { get; init; }

    /// <summary>How many for each.</summary>
    public int K { get; init; } = 10;

    public EmbeddingMetric Metric { get; init; }

    /// <summary>The .tsv to write.</summary>
    public required string Output { get; init; }

    /// <summary>CPU threads; 0: the library's choice.</summary>
    public int Threads { get; init; }
}

/// <summary>What was found.</summary>
/// <param name="File">A line for each query and neighbour: query, rank, row of the embeddings, similarity or distance, molecule.</param>
/// <param name="Queries">How many.</param>
/// <param name="Searched">Vectors that each was compared with.</param>
/// <param name="Refused">Lines of the query that hold no molecule.</param>
public sealed record NearestReport(string File, long Queries, long Searched, long Refused);

/// <summary>Nearest neighbours among embeddings: every vector is compared, block by block from a mapped file, so memory does not grow with their number.</summary>
public static class NearestNeighbors
{
    // Of a block, so that it is in a cache while all queries meet it.
    private const int BlockNumbers = 1 << 20, QueriesAtOnce = 1024;

    // Products in float32 choose, sums in float64 order: so many more are kept than are wanted.
    private const int Spare = 8;

    /// <param name="request">Which.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <param name="progress">Told the number of vectors that were compared.</param>
    /// <param name="stop">Ends it; nothing is written then.</param>
    /// <exception cref="InputException">No embeddings, or queries of another model.</exception>
    public static NearestReport Run(NearestRequest request, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        if (request.K < 1) throw new InputException("k", $"{request.K}", "1 or more");
        EmbeddingFacts facts = EmbeddingFacts.Read(request.Embeddings);
        using ThreadGrant granted = ThreadGrant.Take(request.Threads, place: "threads");
        using var among = new EmbeddingVectors(request.Embeddings, facts);
        (float[] queries, List<string> names, long refused) = Queries(request, facts, warn, stop);
        int count = names.Count, width = facts.Width;
        using PendingFile file = PendingFile.Beside(request.Output, [request.Embeddings, .. request.Query.Files]);
        int kept = (int)Math.Min(among.Count, (long)request.K + Spare);
        var found = new Found[count];
        for (int q = 0; q < count; q++) found[q] = new Found(kept);
        Search(among, queries, found, request.Metric, progress, stop);
        (long Row, double Value)[][] best = [.. found.Select((f, q) => Ordered(f, queries.AsSpan(q * width, width), among, request.Metric, request.K))];
        Dictionary<long, string> molecules = Molecules(request.Embeddings, [.. best.SelectMany(b => b.Select(n => n.Row))]);
        file.Writer.Write($"query\tquery_molecule\trank\trow\t{(request.Metric == EmbeddingMetric.Cosine ? "cosine" : "distance")}\tmolecule\n");
        for (int q = 0; q < count; q++)
        {
            for (int rank = 0; rank < best[q].Length; rank++)
            {
                (long row, double value) = best[q][rank];
                file.Writer.Write(string.Create(CultureInfo.InvariantCulture, $"{q}\t{names[q]}\t{rank + 1}\t{row}\t{value:F6}\t{molecules.GetValueOrDefault(row, "")}\n"));
            }
        }
        file.Complete();
        return new NearestReport(Path.GetFullPath(request.Output), count, among.Count, refused);
    }

    private static (float[] Vectors, List<string> Names, long Refused) Queries(NearestRequest request, EmbeddingFacts facts, Action<string> warn, CancellationToken stop)
    {
        if (request.Query.Files is [var path] && Path.GetExtension(path) == ".npy")
        {
            EmbeddingFacts of = EmbeddingFacts.Read(path);
            foreach ((string what, object found, object expected) in ((string, object, object)[])
                [("model", of.Model, facts.Model), ("layer", of.Layer, facts.Layer), ("pooling", of.Pool, facts.Pool), ("width", of.Width, facts.Width)])
                if (!found.Equals(expected)) throw new InputException(path, $"embeddings of another {what}, {found}", $"{expected}, as in {request.Embeddings}");
            using var vectors = new EmbeddingVectors(path, of);
            if (vectors.Count > Array.MaxLength / of.Width) throw new InputException(path, $"{vectors.Count} queries", $"at most {Array.MaxLength / of.Width} at once");
            Dictionary<long, string> molecules = Molecules(path, null);
            return ([.. vectors.Rows(0, (int)vectors.Count)], [.. Enumerable.Range(0, (int)vectors.Count).Select(row => molecules.GetValueOrDefault(row, ""))], 0);
        }
        string run = request.Run ?? facts.Run;
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(run, warn);
        if (trained.Identity != facts.Model)
            throw new InputException(request.Embeddings, $"embeddings of the model {facts.Model}", $"those of {trained.Identity}, the run {run}",
                "embed the molecules with this run");
        var numbers = new List<float>();
        var names = new List<string>();
        long refused = 0;
        MoleculeFiles files = request.Query with { KeepStereo = facts.KeepStereo, Fragments = facts.Fragments };
        foreach (List<InputMolecule> batch in MoleculeBatches.Of(MoleculeInput.Read(files, trained.Tokenizer, trained.Model.Config.Positions, stop), facts.Width))
        {
            numbers.AddRange(MoleculeEmbedding.Vectors(trained.Model, [.. batch.Where(m => m.Refusal is null).Select(m => m.Ids)], facts.Layer, facts.Pool));
            names.AddRange(batch.Where(m => m.Refusal is null).Select(m => m.Text.Replace('\t', ' ')));
            refused += batch.Count(m => m.Refusal is not null);
        }
        if (names.Count == 0) throw new InputException(string.Join(", ", request.Query.Files), $"no molecule in {refused} lines", "molecules");
        return ([.. numbers], names, refused);
    }

    /// <summary>Greatest first: of cosines, and of what the square of a distance has beside the query's own.</summary>
    private static void Search(EmbeddingVectors among, float[] queries, Found[] found, EmbeddingMetric metric, Action<long>? progress, CancellationToken stop)
    {
        int width = among.Width, rows = Math.Max(1, BlockNumbers / width);
        bool cosine = metric == EmbeddingMetric.Cosine;
        using var gradients = no_grad();
        using Tensor all = tensor(queries, found.Length, width);
        using Tensor asked = cosine ? nn.functional.normalize(all) : all * 2f;
        using Tensor block = zeros(rows, width);
        for (long first = 0; first < among.Count; first += rows)
        {
            stop.ThrowIfCancellationRequested();
            int here = (int)Math.Min(rows, among.Count - first);
            using DisposeScope scope = NewDisposeScope();
            using (var memory = new TensorMemory(block)) among.Rows(first, here).CopyTo(MemoryMarshal.Cast<byte, float>(memory.Bytes));
            Tensor vectors = block.narrow(0, 0, here);
            Tensor squares = vectors.square().sum(1);
            if (cosine) vectors = vectors / squares.sqrt().clamp_min(1e-30).unsqueeze(1);
            for (int start = 0; start < found.Length; start += QueriesAtOnce)
            {
                using DisposeScope part = NewDisposeScope();
                int count = Math.Min(QueriesAtOnce, found.Length - start);
                Tensor scores = asked.narrow(0, start, count).matmul(vectors.t());
                if (!cosine) scores = scores - squares;
                scores = scores.contiguous();
                using var memory = new TensorMemory(scores);
                nint address = memory.Address;
                int begin = start;
                TorchThreads.For(count, q => found[begin + q].Take(Row(address, q, here), first));
            }
            progress?.Invoke(first + here);
        }
    }

    private static unsafe ReadOnlySpan<float> Row(nint address, int row, int length) => new((float*)address + (long)row * length, length);

    private static (long Row, double Value)[] Ordered(Found found, ReadOnlySpan<float> query, EmbeddingVectors among, EmbeddingMetric metric, int k)
    {
        var exact = new List<(long Row, double Value)>();
        foreach (long row in found.Rows)
        {
            double dot = 0, a = 0, b = 0, distance = 0;
            ReadOnlySpan<float> other = among.Rows(row, 1);
            for (int c = 0; c < query.Length; c++)
            {
                double x = query[c], y = other[c];
                (dot, a, b, distance) = (dot + x * y, a + x * x, b + y * y, distance + (x - y) * (x - y));
            }
            exact.Add((row, metric == EmbeddingMetric.Cosine ? dot / Math.Max(1e-300, Math.Sqrt(a) * Math.Sqrt(b)) : Math.Sqrt(distance)));
        }
        IOrderedEnumerable<(long Row, double Value)> ordered = metric == EmbeddingMetric.Cosine ? exact.OrderByDescending(n => n.Value) : exact.OrderBy(n => n.Value);
        return [.. ordered.ThenBy(n => n.Row).Take(k)];
    }

    /// <summary>Out of the index beside embeddings; rows: null for all.</summary>
    private static Dictionary<long, string> Molecules(string embeddings, HashSet<long>? rows)
    {
        string index = EmbeddingFacts.IndexBeside(embeddings);
        var molecules = new Dictionary<long, string>();
        if (!FileErrors.Exists(index)) throw new InputException(index, "is missing", "the molecules of the embeddings", "embed writes it beside them");
        foreach (string line in File.ReadLines(index).Skip(1))
        {
            if (line.Split('\t') is not [var row, _, var molecule, _])
                throw new InputException(index, "a line that is none of an index", "row, line, molecule and why it was refused");
            if (row.Length == 0) continue;
            if (!long.TryParse(row, NumberStyles.None, CultureInfo.InvariantCulture, out long number)) throw new InputException(index, $"row '{row}'", "a number");
            if (rows?.Contains(number) != false) molecules[number] = molecule;
        }
        return molecules;
    }

    /// <summary>The greatest scores of a query so far, in order; of equals the lowest row.</summary>
    private sealed class Found(int most)
    {
        private readonly float[] scores = new float[most];
        private readonly long[] rows = new long[most];
        private int count;

        public IEnumerable<long> Rows => rows.Take(count);

        /// <param name="block">Scores of rows <paramref name="first"/> and on.</param>
        /// <param name="first">Of the block.</param>
        public void Take(ReadOnlySpan<float> block, long first)
        {
            int i = 0;
            while (i < block.Length)
            {
                if (count == most)
                {
                    // Most blocks hold nothing that is wanted.
                    var least = new Vector<float>(scores[^1]);
                    while (i + Vector<float>.Count <= block.Length && !Vector.GreaterThanAny(new Vector<float>(block[i..]), least)) i += Vector<float>.Count;
                }
                for (int end = Math.Min(block.Length, i + Vector<float>.Count); i < end; i++)
                    if (count < most || block[i] > scores[^1]) Insert(block[i], first + i);
            }
        }

        private void Insert(float score, long row)
        {
            if (float.IsNaN(score)) return;
            int at = count < most ? count++ : most - 1;
            for (; at > 0 && scores[at - 1] < score; at--) (scores[at], rows[at]) = (scores[at - 1], rows[at - 1]);
            (scores[at], rows[at]) = (score, row);
        }
    }
}

/// <summary>The vectors of an .npy of embeddings, mapped.</summary>
internal sealed class EmbeddingVectors : IDisposable
{
    private const string Expected = "an .npy of float32 in two dimensions";

    private readonly MappedArray<float> numbers;
    private readonly int start;

    /// <exception cref="InputException">It is not what its facts say.</exception>
    public EmbeddingVectors(string path, EmbeddingFacts facts)
    {
        (Count, Width) = (facts.Molecules, facts.Width);
        long length = new FileInfo(path).Length;
        byte[] head = new byte[10];
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || head[0] != 0x93 || head[6] != 1)
                throw new InputException(path, "no .npy", Expected);
            byte[] text = new byte[head[8] | head[9] << 8];
            if (stream.ReadAtLeast(text, text.Length, throwOnEndOfStream: false) < text.Length) throw new InputException(path, "ends within its header", Expected);
            string header = Encoding.ASCII.GetString(text);
            string shape = string.Create(CultureInfo.InvariantCulture, $"'shape': ({Count}, {Width})");
            if (!header.Contains("'<f4'", StringComparison.Ordinal) || !header.Contains("'fortran_order': False", StringComparison.Ordinal) || !header.Contains(shape, StringComparison.Ordinal))
                throw new InputException(path, $"header {header.Trim()}", $"float32 of {shape}, as {Path.GetFileName(EmbeddingFacts.Beside(path))} says");
            start = head.Length + text.Length;
        }
        if (start % sizeof(float) != 0 || length != start + Count * Width * sizeof(float)) throw new InputException(path, $"{length} bytes", $"{start + Count * Width * sizeof(float)} for ({Count}, {Width})");
        start /= sizeof(float);
        numbers = new MappedArray<float>(path, length / sizeof(float));
    }

    public long Count { get; }

    public int Width { get; }

    /// <summary>(count, width)</summary>
    public ReadOnlySpan<float> Rows(long first, int count) => numbers.Slice(start + first * Width, count * Width);

    public void Dispose() => numbers.Dispose();
}
