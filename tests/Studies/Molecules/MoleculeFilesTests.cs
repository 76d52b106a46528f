using System.Globalization;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Molecules;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Cli;
using ChemScale.Tests.Models;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Studies.Molecules;

/// <summary>Scores, embeddings and neighbours of a small run.</summary>
public sealed class MoleculeFilesTests
{
    private static readonly string[] Smiles = ["CCO", "CCN", "OCC", "C1CC1", "CCCC", "nonsense(", "CC(=O)O", "CCO", "[Fe]", "CCCCO"];

    private static TemporaryFolder folder = null!;
    private static string run = "", file = "";

    [OneTimeSetUp]
    public static void Train()
    {
        folder = new TemporaryFolder();
        string store = folder["store"];
        run = folder["run"];
        Works("prepare", "--virtual", "400", "--validation", "0.2", "--out", store);
        Works("train", "--data", store, "--out", run, "--layers", "2", "--width", "16", "--heads", "2", "--steps", "20", "--batch", "16", "--lr", "1e-2", "--threads", "1",
            "--validation", "60");
        file = folder.Write("a.smi", string.Join('\n', Smiles) + "\n");
    }

    [OneTimeTearDown]
    public static void Remove() => folder.Dispose();

    [Test]
    public void Scores_stand_in_the_order_of_the_lines_and_are_sums_of_logarithms()
    {
        string output = folder["scores.csv"];
        ScoringReport report = MoleculeScoring.Run(new ScoringRequest { Run = run, Molecules = Files(file), Output = output, Threads = 1 }, Fail);
        string[][] rows = [.. File.ReadAllLines(output).Skip(1).Select(l => l.Split(','))];
        Assert.That(rows.Select(r => r[1]), Is.EqualTo(Smiles));
        Assert.That(rows.Select(r => r[0]), Is.EqualTo(Enumerable.Range(1, Smiles.Length).Select(n => $"{n}")));
        Assert.That((report.Molecules, report.Refused, report.WithUnknown), Is.EqualTo((9L, 1L, 1L)));
        Assert.That(rows[5][4], Is.Empty);
        Assert.That(rows[5][7], Is.Not.Empty);
        Assert.That(rows[8][3], Is.EqualTo("1"), "the library has no iron");
        Assert.That(rows[7][2..], Is.EqualTo(rows[0][2..]));

        // By the definition, a token at a time, in another way.
        using DisposeScope scope = NewDisposeScope();
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(run, Fail);
        foreach ((int row, string selfies) in ((int, string)[])[(0, "[C][C][O]"), (4, "[C][C][C][C]")])
        {
            int[] ids = [.. trained.Tokenizer.Encode(selfies).Select(id => (int)id)];
            double nats = 0;
            for (int t = 1; t < ids.Length; t++)
            {
                (Tensor input, Tensor positions, var packed, _) = GptNeoFixture.Pack([ids[..t]]);
                double[] logits = [.. trained.Model.Logits(input, positions, packed).select(0, -1).contiguous().data<float>().Select(v => (double)v)];
                nats -= logits[ids[t]] - Math.Log(logits.Sum(Math.Exp));
            }
            Expect.Close(Number(rows[row][4]), nats, absolute: 1e-5);
            Assert.That(rows[row][2], Is.EqualTo($"{ids.Length - 1}"));
            Expect.Close(Number(rows[row][6]), Math.Exp(nats / (ids.Length - 1)), relative: 1e-5);
        }
        Expect.Close(report.Nats, rows.Where(r => r[4].Length > 0).Sum(r => Number(r[4])), absolute: 1e-5);
    }

    [Test]
    public void The_validation_set_scores_its_validation_loss()
    {
        // The store's own molecules, written out, scored as a file.
        using var store = ChemScale.Engine.Tokens.Store.TokenStore.Open(folder["store"]);
        var held = store.Validation.Subset(60);
        string selfies = folder.Write("held.txt", string.Concat(Enumerable.Range(0, 60).Select(i => store.Tokenizer.Decode(held.Document(i)) + "\n")));
        ScoringReport report = MoleculeScoring.Run(
            new ScoringRequest { Run = run, Molecules = Files(selfies) with { Kind = MoleculeKind.Selfies }, Output = folder["held.csv"], Threads = 1 }, Fail);
        Expect.Close(report.NatsPerToken, new RunDirectory(run).ReadResult().FinalValidationLoss, relative: 1e-5);
    }

    [TestCase(EmbeddingPool.Last, null), TestCase(EmbeddingPool.Mean, null), TestCase(EmbeddingPool.Mean, 1), TestCase(EmbeddingPool.Last, 0)]
    public void Embeddings_are_hidden_states_row_by_row(EmbeddingPool pool, int? layer)
    {
        string output = folder[$"{pool}-{layer}.npy"];
        EmbeddingReport report = MoleculeEmbedding.Run(new EmbeddingRequest { Run = run, Molecules = Files(file), Output = output, Pool = pool, Layer = layer, Threads = 1 }, Fail);
        Assert.That((report.Molecules, report.Refused, report.Width), Is.EqualTo((9L, 1L, 16)));
        string[][] index = [.. File.ReadAllLines(report.Index).Skip(1).Select(l => l.Split('\t'))];
        Assert.That(index.Where(r => r[0].Length > 0).Select(r => r[0]), Is.EqualTo(Enumerable.Range(0, 9).Select(n => $"{n}")));
        Assert.That(index[6][..3], Is.EqualTo((string[])["5", "7", "CC(=O)O"]));

        byte[] bytes = File.ReadAllBytes(output);
        Assert.That(System.Text.Encoding.ASCII.GetString(bytes, 10, 60), Does.Contain("'<f4'").And.Contain("(9, 16)"));
        using DisposeScope scope = NewDisposeScope();
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(run, Fail);
        int[] ids = [.. trained.Tokenizer.Encode("[C][C][N]").Select(id => (int)id)];
        (Tensor input, Tensor positions, var rows, _) = GptNeoFixture.Pack([ids]);
        Tensor hidden = trained.Model.HiddenAfter(layer ?? 2, input, positions, rows);
        Tensor expected = pool == EmbeddingPool.Mean ? hidden.mean([0]) : hidden.select(0, -1);
        float[] row = new float[16];
        Buffer.BlockCopy(bytes, 128 + 1 * 64, row, 0, 64);
        Expect.Close(row.Select(v => (double)v), expected.data<float>().Select(v => (double)v), absolute: 1e-6);
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "gptneo_*.npz"])]
    public void Layers_are_those_of_the_reference(string path)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new GptNeoFixture(path);
        using ChemGpt model = fixture.Model();
        (Tensor ids, Tensor positions, var rows, _) = GptNeoFixture.Pack([fixture.Sequences()[0]]);
        Tensor expected = fixture.File.Tensor("hidden_seq0");
        for (int layer = 0; layer <= model.Config.Layers; layer++)
            Expect.Close(model.HiddenAfter(layer, ids, positions, rows), expected.select(0, layer), ofLargest: 1e-10, message: $"behind {layer} layers");
    }

    [Test]
    public void Neighbours_are_those_that_comparing_all_finds([Values] EmbeddingMetric metric)
    {
        const int count = 5000, width = 16, queries = 7, k = 10;
        var random = new Random(4);
        // Copies, so that there are ties, and a vector of zeros.
        float[][] all = [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, width).Select(_ => (float)random.NextDouble() - 0.5f).ToArray())];
        for (int i = 0; i < 40; i++) all[random.Next(count)] = all[i];
        all[77] = new float[width];
        string among = Embeddings("among.npy", all), query = Embeddings("query.npy", all[..queries]);
        NearestReport report = NearestNeighbors.Run(
            new NearestRequest { Embeddings = among, Query = Files(query), K = k, Metric = metric, Output = folder["nearest.tsv"] }, Fail);
        Assert.That((report.Queries, report.Searched), Is.EqualTo((7L, 5000L)));
        string[][] rows = [.. File.ReadAllLines(report.File).Skip(1).Select(l => l.Split('\t'))];
        Assert.That(rows, Has.Length.EqualTo(queries * k));
        for (int q = 0; q < queries; q++)
        {
            double Value(int row)
            {
                double dot = 0, a = 0, b = 0, d = 0;
                for (int c = 0; c < width; c++)
                {
                    double x = all[q][c], y = all[row][c];
                    (dot, a, b, d) = (dot + x * y, a + x * x, b + y * y, d + (x - y) * (x - y));
                }
                return metric == EmbeddingMetric.Cosine ? a * b == 0 ? 0 : dot / Math.Sqrt(a * b) : -Math.Sqrt(d);
            }
            int[] expected = [.. Enumerable.Range(0, count).OrderByDescending(Value).ThenBy(i => i).Take(k)];
            Assert.That(rows.Skip(q * k).Take(k).Select(r => int.Parse(r[3], CultureInfo.InvariantCulture)), Is.EqualTo(expected), $"query {q}");
            Assert.That(rows[q * k][5], Is.EqualTo($"molecule {expected[0]}"));
        }
    }

    [Test]
    public void Embeddings_of_another_model_are_refused()
    {
        string other = folder["other-run"], own = folder["own.npy"], foreign = folder["foreign.npy"];
        Works("train", "--data", folder["store"], "--out", other, "--layers", "2", "--width", "16", "--heads", "2", "--steps", "1", "--threads", "1", "--validation", "10");
        MoleculeEmbedding.Run(new EmbeddingRequest { Run = run, Molecules = Files(file), Output = own, Threads = 1 }, Fail);
        MoleculeEmbedding.Run(new EmbeddingRequest { Run = other, Molecules = Files(file), Output = foreign, Threads = 1 }, Fail);
        NearestRequest request = new() { Embeddings = own, Query = Files(foreign), Output = folder["n.tsv"], Threads = 1 };
        Assert.That(() => NearestNeighbors.Run(request, Fail), Refused.With("foreign.npy", "another model"));
        Assert.That(() => NearestNeighbors.Run(request with { Query = Files(file), Run = other }, Fail), Refused.With("own.npy", "model"));
        Assert.That(() => NearestNeighbors.Run(request with { Query = Files(file), K = 0 }, Fail), Refused.With("k", "0"));
        Assert.That(() => MoleculeEmbedding.Run(new EmbeddingRequest { Run = run, Molecules = Files(file), Output = own, Layer = 3 }, Fail), Refused.With("layer", "3"));
        Assert.That(() => MoleculeEmbedding.Run(new EmbeddingRequest { Run = run, Molecules = Files(file), Output = folder["x.txt"] }, Fail), Refused.With("npy"));
        File.AppendAllText(own, "more");
        Assert.That(() => NearestNeighbors.Run(request with { Query = Files(file) }, Fail), Refused.With("own.npy", "bytes"));
        // A molecule is nearest to itself.
        NearestReport report = NearestNeighbors.Run(request with { Embeddings = foreign, Query = Files(file), K = 1 }, Fail);
        string[][] rows = [.. File.ReadAllLines(report.File).Skip(1).Select(l => l.Split('\t'))];
        Assert.That(rows.Select(r => r[5]), Is.EqualTo((string[])["CCO", "CCN", "OCC", "C1CC1", "CCCC", "CC(=O)O", "CCO", "[Fe]", "CCCCO"]));
        Assert.That(report.Refused, Is.EqualTo(1));
    }

    private static string Embeddings(string name, float[][] vectors)
    {
        string path = folder[name];
        using (var stream = File.Create(path))
        {
            string header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({vectors.Length}, {vectors[0].Length}), }}".PadRight(117) + "\n";
            stream.Write([0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. System.Text.Encoding.ASCII.GetBytes(header)]);
            foreach (float[] vector in vectors) stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(vector));
        }
        File.WriteAllText(EmbeddingFacts.IndexBeside(path), "row\tline\tmolecule\trefused\n" + string.Concat(vectors.Select((_, i) => $"{i}\t{i + 1}\tmolecule {i}\t\n")));
        new EmbeddingFacts
        {
            Model = "a model",
            Run = run,
            Pool = EmbeddingPool.Last,
            Layer = 2,
            Width = vectors[0].Length,
            Molecules = vectors.Length,
            KeepStereo = false,
            Fragments = FragmentRule.Largest,
        }.Write(path);
        return path;
    }

    private static MoleculeFiles Files(string path) => new() { Files = [path] };

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void Works(params string[] arguments)
    {
        Outcome outcome = ChemScale.Tests.Cli.CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
    }

    private static void Fail(string warning) => Assert.Fail(warning);
}
