using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Tokens drawn from a ChemGPT with made-up weights, top 50 at temperature 0.8, 64 sequences side by side. The end token is not drawn: every sequence
/// is as long as it may be.
/// </summary>
internal sealed class GenerateBenchmark : Benchmark
{
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
                else Generate(run, new ChemGptConfig { Layers = s.Layers, Width = (int)width, Heads = s.Heads }, (int)sequences);
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
                int drawn = SequenceGenerator.Generate(model, options, [], 2, 3, [0, 1, 2, 3, 4]).Sum(q => q.Ids.Length);
                if (drawn != (int)tokens) throw new InvalidOperationException($"{drawn} tokens where {tokens} are expected");
                own.Refresh();
                double seconds = (own.TotalProcessorTime - before).TotalSeconds;
                processor[plan.Name] = Math.Min(processor.GetValueOrDefault(plan.Name, double.MaxValue), seconds);
            });
        }, more: (side, _) => processor.TryGetValue(side, out double least) ? new JsonObject { ["bestTokensPerProcessorSecond"] = tokens / least } : null);
        foreach ((string side, double least) in processor)
            run.Note(string.Create(CultureInfo.InvariantCulture, $"{Case.Text(parameters)}: {side} at {tokens / least:N0} tokens per processor second, best of all"));
    }
}
