using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Perf.Measuring;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Tokens drawn from a ChemGPT with made-up weights, top 50 at temperature 0.8, 64 sequences side by side. Once without the end token: every sequence is as
/// long as it may be. And once as long as molecules are, under several bounds, beside PyTorch (peers/generate_torch.py) with sequences of the same lengths:
/// what is drawn is the same whatever the bound, and is to cost the same.
/// </summary>
internal sealed class GenerateBenchmark : Benchmark
{
    private const string PeerScript = "generate_torch.py";

    private const int Start = 2, End = 3;

    // Padding, unknown, mask.
    private static readonly int[] Never = [0, 1, Start, 4];

    public override string Name => "generate";

    public override string Summary => "tokens drawn from ChemGPT";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long width in s.Widths)
        {
            foreach (long sequences in s.Sequences)
            {
                if (width % s.Heads != 0) run.Skip(null, null, null, $"width {width} has no {s.Heads} heads");
                else
                {
                    var config = new ChemGptConfig { Layers = s.Layers, Width = (int)width, Heads = s.Heads };
                    Generate(run, config, (int)sequences);
                    foreach (long bound in s.Bounds) GenerateMolecules(run, config, (int)sequences, (int)bound);
                }
            }
        }
    }

    private static void Generate(BenchmarkRun run, ChemGptConfig config, int sequences)
    {
        RunSettings s = run.Settings;
        var options = new SamplingOptions { Count = sequences, MaximumTokens = s.MaximumTokens, TopK = 50, Temperature = 0.8, Seed = 1 };
        // The start token takes a place.
        double tokens = sequences * (options.MaximumTokens - 1.0);
        var parameters = new JsonObject
        {
            ["layers"] = config.Layers,
            ["width"] = config.Width,
            ["heads"] = config.Heads,
            ["sequences"] = sequences,
            ["maximumTokens"] = options.MaximumTokens,
        };
        double memory = 8.0 * config.NonEmbeddingParameters + 8.0 * config.Layers * config.Width * options.BatchSize * options.MaximumTokens;
        SidePlan[] plans = [.. s.ModesOr("auto", "composed").Where(m => m != "library").Select(m => new SidePlan(m, OperatorModes.Parse(m), memory))];
        var processor = new Dictionary<string, double>();
        run.Compare(new Case(parameters, null, tokens, "tokens"), [new Pass("draw", Flops: 2.0 * config.NonEmbeddingParameters * tokens)], plans, scope =>
        {
            ChemGpt model = scope.Keep(new ChemGpt(config, seed: 1, device: s.Device));
            return plan => clock => clock.Time("draw", () =>
            {
                using Process own = Process.GetCurrentProcess();
                TimeSpan before = own.TotalProcessorTime;
                int drawn = SequenceGenerator.Generate(model, options, [], Start, End, [.. Never, End]).Sum(q => q.Ids.Length);
                if (drawn != (int)tokens) throw new InvalidOperationException($"{drawn} tokens where {tokens} are expected");
                own.Refresh();
                double seconds = (own.TotalProcessorTime - before).TotalSeconds;
                processor[plan.Name] = Math.Min(processor.GetValueOrDefault(plan.Name, double.MaxValue), seconds);
            });
        }, more: (side, _) => processor.TryGetValue(side, out double least) ? new JsonObject { ["bestTokensPerProcessorSecond"] = tokens / least } : null);
        foreach ((string side, double least) in processor)
            run.Note(string.Create(CultureInfo.InvariantCulture, $"{Case.Text(parameters)}: {side} at {tokens / least:N0} tokens per processor second, best of all"));
    }

    private static void GenerateMolecules(BenchmarkRun run, ChemGptConfig config, int sequences, int bound)
    {
        RunSettings s = run.Settings;
        var options = new SamplingOptions { Count = sequences, MaximumTokens = bound, TopK = 50, Temperature = 0.8, Seed = 1 };
        using ChemGpt model = Ending(config, s.Device);
        int[] lengths = [.. Draw(model, options).Select(sequence => sequence.Finished ? sequence.Ids.Length + 1
            : throw new InvalidOperationException($"a sequence of {bound} tokens has not ended"))];
        double tokens = lengths.Sum(n => (double)n);
        var parameters = new JsonObject
        {
            ["layers"] = config.Layers,
            ["width"] = config.Width,
            ["heads"] = config.Heads,
            ["sequences"] = sequences,
            ["bound"] = bound,
        };
        double memory = 8.0 * config.NonEmbeddingParameters + 8.0 * config.Layers * config.Width * options.BatchSize * Math.Min(bound, 100);
        SidePlan[] plans = [.. s.ModesOr("auto").Where(m => m != "library").Select(m => new SidePlan(m, OperatorModes.Parse(m), memory))];
        if (plans.Length == 0) return;
        var of = new Case(parameters, null, tokens, "tokens")
        {
            ForPeer = new JsonObject
            {
                ["vocabulary"] = config.VocabularySize,
                ["batch"] = options.BatchSize,
                ["lengths"] = new JsonArray([.. lengths.Select(n => (JsonNode)n)]),
            },
        };
        run.Compare(of, [new Pass("molecules", Flops: 2.0 * config.NonEmbeddingParameters * tokens)], plans, _ => _ => clock => clock.Time("molecules", () =>
        {
            int drawn = Draw(model, options).Sum(sequence => sequence.Ids.Length + 1);
            if (drawn != (int)tokens) throw new InvalidOperationException($"{drawn} tokens where {tokens} are expected");
        }), PeerScript, more: (_, seconds) => new JsonObject { ["meanTokens"] = tokens / sequences, ["bestTokensPerSecond"] = tokens / seconds.Least });
    }

    private static IEnumerable<GeneratedSequence> Draw(ChemGpt model, SamplingOptions options) => SequenceGenerator.Generate(model, options, [], Start, End, Never);

    /// <summary>
    /// A model whose sequences end as molecules do, 25 to 60 tokens long: one direction of its states tells the position, no token but the end token is along it.
    /// </summary>
    private static ChemGpt Ending(ChemGptConfig config, Device device)
    {
        var model = new ChemGpt(config, seed: 1, device: device);
        using IDisposable gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        model.TokenTable.select(0, End).zero_();
        model.TokenTable.select(1, 0).zero_();
        model.TokenTable.select(0, End).narrow(0, 0, 1).fill_(1);
        // 0 at token 30: hardly ever the end; a standard deviation of the others five tokens later, most likely the end at 40.
        model.PositionTable.select(1, 0).copy_((arange(config.Positions, dtype: ScalarType.Float32, device: device) - 30) / 100);
        return model;
    }
}
