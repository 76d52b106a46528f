using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Perf.Measuring;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Training steps of ChemGPT, optimizer included: useful tokens per second, beside the matrix-product rate of the model's own shapes and
/// beside PyTorch (peers/chemgpt_torch.py), step by step in turn.
/// </summary>
internal sealed class ChemGptBenchmark : Benchmark
{
    private const string PeerScript = "chemgpt_torch.py";

    /// <summary>What the composed form is beside a peer.</summary>
    public static string EagerWithoutPython { get; } = $"libtorch {HostFacts.LibtorchVersion()}, eager, no Python";

    public override string Name => "chemgpt";

    public override string Summary => "training steps of ChemGPT, AdamW included";

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long width in s.Widths)
        {
            foreach (long molecules in s.Molecules)
            {
                if (width % s.Heads != 0) run.Skip(null, null, null, $"width {width} has no {s.Heads} heads");
                else Train(run, new ChemGptConfig { Layers = s.Layers, Width = (int)width, Heads = s.Heads }, Lengths((int)molecules));
            }
        }
    }

    private static void Train(BenchmarkRun run, ChemGptConfig config, int[] lengths)
    {
        RunSettings s = run.Settings;
        int tokens = lengths.Sum();
        var parameters = new JsonObject { ["layers"] = config.Layers, ["width"] = config.Width, ["heads"] = config.Heads, ["tokens"] = tokens };
        double flops = 6.0 * config.NonEmbeddingParameters, perToken = 4.0 * config.Layers * (40.0 * config.Width + 3.0 * config.Heads * lengths.Max());
        double memory = tokens * perToken + 20.0 * config.NonEmbeddingParameters;
        SidePlan[] plans = [.. s.ModesOr(s.Cuda || s.Peer is not null ? ["auto", "composed"] : ["auto"]).Where(m => m != "library")
            .Select(m => new SidePlan(m, OperatorModes.Parse(m), memory))];
        if (plans.Length == 0) return;
        double own = 0;
        var of = new Case(parameters, "tokens", tokens, "tokens")
        {
            ForPeer = new JsonObject { ["vocabulary"] = config.VocabularySize, ["lengths"] = new JsonArray([.. lengths.Select(n => (JsonNode)n)]) },
        };
        run.Compare(of, [new Pass(Pass.Step, Flops: flops * tokens)], plans, scope =>
        {
            own = MatrixRate(config, tokens, s.Device, run.Clock);
            return plan => Steps(scope, config, lengths, s.Device);
        }, PeerScript, more: (_, seconds) => new JsonObject
        {
            ["molecules"] = lengths.Length,
            ["bestTokensPerSecond"] = tokens / seconds.Least,
            ["ofOwnMatrices"] = flops * tokens / seconds.Least / own,
            ["ownMatrixFlopsPerSecond"] = own,
        });
        Compare(run, of);
    }

    /// <summary>The best step of either side.</summary>
    private static void Compare(BenchmarkRun run, Case of)
    {
        Measurement[] here = [.. run.Results.Where(m => m.Case == of.ToString())];
        if (here.FirstOrDefault(m => m.Library is null) is not { } ours) return;
        foreach (Measurement peer in here.Where(m => (m.Library is not null || m.Side == "composed") && m != ours && !m.Side.EndsWith(BusyProcess.Mark, StringComparison.Ordinal)))
        {
            run.Note(string.Create(CultureInfo.InvariantCulture, $"{of}: {ours.Side} at {of.Items / ours.Seconds.Least:N0} tokens/s is ")
                + string.Create(CultureInfo.InvariantCulture, $"{peer.Seconds.Least / ours.Seconds.Least:F2} times as fast as {peer.Side} ({peer.Library ?? EagerWithoutPython}); best steps"));
        }
    }

    private static Action<PassClock> Steps(CaseScope scope, ChemGptConfig config, int[] lengths, Device device)
    {
        var model = scope.Keep(new ChemGpt(config, seed: 1, device: device));
        var optimizer = scope.Keep(new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec()));
        int[] starts = new int[lengths.Length + 1];
        for (int b = 0; b < lengths.Length; b++) starts[b + 1] = starts[b] + lengths[b];
        var rows = scope.Keep(new PackedRows(starts));
        Tensor ids = randint(5, config.VocabularySize, rows.Tokens, dtype: ScalarType.Int64, device: device);
        Tensor positions = tensor(lengths.SelectMany(n => Enumerable.Range(0, n)).Select(t => (long)t).ToArray(), device: device);
        Tensor targets = cat([ids.narrow(0, 1, rows.Tokens - 1), ids.narrow(0, 0, 1)]);
        foreach (int end in starts.Skip(1)) targets.narrow(0, end - 1, 1).fill_(-100);
        return clock => clock.Time(Pass.Step, () =>
        {
            using DisposeScope step = NewDisposeScope();
            optimizer.Parameters.Clear();
            optimizer.Parameters.Backward(optimizer.Parameters.Loss(() => model.Loss(ids, positions, rows, targets)));
            optimizer.Step(2e-5);
        });
    }

    /// <summary>FLOP/s of the forward and backward products of one layer at its own shapes, nothing else: the best of several passes.</summary>
    private static double MatrixRate(ChemGptConfig config, int tokens, Device device, Stopclock clock)
    {
        int h = config.Width;
        double seconds = 0, flops = 0;
        using IDisposable noGradient = no_grad();
        foreach ((int inner, int outer) in (ReadOnlySpan<(int, int)>)[(h, 3 * h), (h, h), (h, 4 * h), (4 * h, h)])
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor x = randn(tokens, inner, device: device), w = randn(outer, inner, device: device), g = randn(tokens, outer, device: device);
            Tensor wt = w.t(), gt = g.t();
            double best = double.MaxValue;
            for (int i = 0; i < 30; i++)
            {
                best = Math.Min(best, clock.Time(() =>
                {
                    using Tensor a = mm(x, wt), b = mm(g, w), c = mm(gt, x);
                }));
            }
            seconds += best;
            flops += 6.0 * tokens * inner * outer;
        }
        return flops / seconds;
    }

    /// <summary>Molecules of 37 tokens on average, as MOSES has with [CLS] and [SEP].</summary>
    private static int[] Lengths(int molecules)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, molecules).Select(_ => random.Next(27, 49))];
    }
}
