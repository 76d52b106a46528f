using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Packing;
using ChemScale.Engine.Tokens.Preparation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Molecules;

/// <summary>How a molecule's tokens become one vector.</summary>
public enum EmbeddingPool
{
    /// <summary>That of [SEP], which has seen all others.</summary>
    Last,

    /// <summary>The mean of all tokens', [CLS] and [SEP] included.</summary>
    Mean,
}

/// <summary>What is to be embedded.</summary>
public sealed record EmbeddingRequest
{
    /// <summary>Run directory of a language model.</summary>
    public required string Run { get; init; }

    public required MoleculeFiles Molecules { get; init; }

    /// <summary>The .npy to write: (molecules, width) float32. Beside it NAME.index.tsv and NAME.json.</summary>
    public required string Output { get; init; }

    public EmbeddingPool Pool { get; init; } = EmbeddingPool.Last;

    /// <summary>Layers that the molecules have been through; null: all, and the final norm. 0: embeddings of tokens and positions.</summary>
    public int? Layer { get; init; }

    /// <summary>CPU threads; 0: the library's choice.</summary>
    public int Threads { get; init; }
}

/// <summary>What was embedded.</summary>
public sealed record EmbeddingReport(string File, string Index, long Molecules, long Refused, int Width);

/// <summary>What embeddings are of: beside them, as NAME.json.</summary>
internal sealed record EmbeddingFacts
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Experiment, step and weights.</summary>
    public required string Model { get; init; }

    /// <summary>Where the run was.</summary>
    public required string Run { get; init; }

    public required EmbeddingPool Pool { get; init; }

    public required int Layer { get; init; }

    public required int Width { get; init; }

    public required long Molecules { get; init; }

    public required bool KeepStereo { get; init; }

    public required FragmentRule Fragments { get; init; }

    public static string Beside(string embeddings) => Path.ChangeExtension(embeddings, ".json");

    public static string IndexBeside(string embeddings) => Path.ChangeExtension(embeddings, ".index.tsv");

    /// <exception cref="InputException">Not there, or damaged.</exception>
    public static EmbeddingFacts Read(string embeddings)
    {
        string path = Beside(embeddings);
        if (!FileErrors.Exists(embeddings)) throw new InputException(embeddings, "is missing", "embeddings, an .npy file");
        if (!FileErrors.Exists(path)) throw new InputException(path, "is missing", "what the embeddings are of", "embed writes it beside them");
        return Seal.ReadJson<EmbeddingFacts>(path, Json, "what embeddings are of");
    }

    public void Write(string embeddings) => DiskStorage.Shared.WriteAtomically(Beside(embeddings), Seal.Json(JsonSerializer.SerializeToUtf8Bytes(this, Json)));
}

/// <summary>Molecules as vectors of a language model's hidden states.</summary>
public static class MoleculeEmbedding
{
    private const string IndexHeader = "row\tline\tmolecule\trefused\n";

    /// <param name="request">What is to be embedded.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <param name="progress">Told the number of lines now and then.</param>
    /// <param name="stop">Ends it; nothing is written then.</param>
    /// <exception cref="InputException">No run of a language model, no such layer, a file that cannot be read, or one that cannot be written.</exception>
    public static EmbeddingReport Run(EmbeddingRequest request, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        if (Path.GetExtension(request.Output) != ".npy") throw new InputException("output", $"'{request.Output}'", "a name that ends with .npy");
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(request.Run, warn);
        using ThreadGrant granted = ThreadGrant.Take(request.Threads, place: "threads");
        int layer = LayerOf(request.Layer, trained.Model), width = trained.Model.Config.Width;
        IEnumerable<InputMolecule> input = MoleculeInput.Read(request.Molecules, trained.Tokenizer, trained.Model.Config.Positions, stop);
        string index = EmbeddingFacts.IndexBeside(request.Output);
        using PendingFile numbers = PendingFile.Beside(request.Output, request.Molecules.Files), lines = PendingFile.Beside(index, request.Molecules.Files);
        numbers.Stream.Write(NpyHeader(0, width));
        lines.Writer.Write(IndexHeader);
        long rows = 0, refused = 0;
        foreach (List<InputMolecule> batch in MoleculeBatches.Of(input, width))
        {
            stop.ThrowIfCancellationRequested();
            float[] vectors = Vectors(trained.Model, [.. batch.Where(m => m.Refusal is null).Select(m => m.Ids)], layer, request.Pool);
            numbers.Stream.Write(MemoryMarshal.AsBytes<float>(vectors));
            foreach (InputMolecule molecule in batch)
            {
                string text = molecule.Text.Replace('\t', ' ');
                lines.Writer.Write(molecule.Refusal is { } reason ? $"\t{molecule.Line}\t{text}\t{reason}\n" : $"{rows++}\t{molecule.Line}\t{text}\t\n");
                if (molecule.Refusal is not null) refused++;
            }
            progress?.Invoke(rows + refused);
        }
        if (rows == 0)
            throw new InputException(string.Join(", ", request.Molecules.Files), $"no molecule in {refused} lines", "molecules", "the kind of the lines is smiles or selfies");
        numbers.Stream.Flush();
        numbers.Stream.Position = 0;
        numbers.Stream.Write(NpyHeader(rows, width));
        lines.Complete();
        numbers.Complete();
        new EmbeddingFacts
        {
            Model = trained.Identity,
            Run = Path.GetFullPath(request.Run),
            Pool = request.Pool,
            Layer = layer,
            Width = width,
            Molecules = rows,
            KeepStereo = request.Molecules.KeepStereo,
            Fragments = request.Molecules.Fragments,
        }.Write(request.Output);
        return new EmbeddingReport(Path.GetFullPath(request.Output), Path.GetFullPath(index), rows, refused, width);
    }

    /// <exception cref="InputException">The model has fewer.</exception>
    internal static int LayerOf(int? asked, ChemGpt model)
    {
        int layers = model.Config.Layers;
        return asked is < 0 || asked > layers ? throw new InputException("layer", $"{asked}", $"0 to {layers}, as many as the model has") : asked ?? layers;
    }

    /// <summary>(molecules, width), row by row.</summary>
    internal static float[] Vectors(ChemGpt model, ReadOnlySpan<ushort[]> molecules, int layer, EmbeddingPool pool)
    {
        if (molecules.Length == 0) return [];
        PackedBatch batch = PackedBatch.Of(molecules);
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        using var rows = new PackedRows(batch.RowStarts);
        Tensor hidden = model.HiddenAfter(layer, MoleculeScoring.Indices(model, batch.TokenIds), MoleculeScoring.Indices(model, batch.Positions), rows);
        Tensor pooled;
        if (pool == EmbeddingPool.Last) pooled = hidden.index_select(0, MoleculeScoring.Indices(model, [.. batch.RowStarts.Skip(1).Select(end => end - 1)]));
        else
        {
            int[] lengths = [.. batch.RowStarts.Zip(batch.RowStarts.Skip(1), (start, end) => end - start)];
            Tensor of = MoleculeScoring.Indices(model, [.. lengths.SelectMany((length, m) => Enumerable.Repeat(m, length))]);
            Tensor sums = zeros([molecules.Length, hidden.size(1)], dtype: ScalarType.Float64, device: hidden.device).index_add(0, of, hidden.to(ScalarType.Float64), 1);
            pooled = sums / MoleculeScoring.Indices(model, lengths).unsqueeze(1);
        }
        return [.. pooled.to(ScalarType.Float32).cpu().contiguous().data<float>()];
    }

    /// <summary>Of version 1.0, always as long, so that the count can be put in at the end.</summary>
    private static byte[] NpyHeader(long rows, int width)
    {
        const int length = 128;
        string text = string.Create(CultureInfo.InvariantCulture, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {width}), }}").PadRight(length - 11) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, length - 10, 0, .. Encoding.ASCII.GetBytes(text)];
    }
}
