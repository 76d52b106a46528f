using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>What `predict` does once a model is open: frames of a file in, the same with energies and forces out, reading and writing included.</summary>
internal sealed class PredictBenchmark : Benchmark
{
    public override string Name => "predict";

    public override string Summary => "energies and forces of aspirin frames, from file to file";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        string folder = Directory.CreateTempSubdirectory("chemscale-predict-").FullName;
        try
        {
            string source = Path.Combine(folder, "frames.extxyz");
            int count = s.Quick ? 4 : 1000;
            using (var text = new StreamWriter(source))
            {
                var writer = new ExtXyzWriter(text);
                foreach (Frame frame in ForceFieldCase.Frames("aspirin", count)) writer.Write(frame with { Energy = null, Forces = null });
            }
            foreach (string model in s.Models) Predict(run, model, source, Path.Combine(folder, "predicted.extxyz"), count);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Predict(BenchmarkRun run, string model, string source, string target, int count)
    {
        RunSettings s = run.Settings;
        var settings = new ForceFieldCase.Settings(model, s.Features, s.Interactions, s.Functions, Elements: 100, Cutoff: 5, Threads: 1);
        var parameters = new JsonObject { ["model"] = model, ["frames"] = count, ["features"] = s.Features, ["interactions"] = s.Interactions };
        SidePlan[] plans = [.. s.ModesOr("auto", "composed").Where(m => m != "library").Select(m => new SidePlan(m, OperatorModes.Parse(m), 5e6 * FramePrediction.BatchAtoms))];
        var processor = new Dictionary<string, double>();
        run.Compare(new Case(parameters, null, count, "frames"), [new Pass("predict")], plans, scope =>
        {
            ForceField field = scope.Keep(settings.Create(s.Device));
            return plan => clock =>
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                clock.Time("predict", () =>
                {
                    using var text = new StreamWriter(target);
                    var writer = new ExtXyzWriter(text);
                    foreach ((Frame frame, FramePrediction prediction) in FramePrediction.OfAll(field, FrameFiles.Read(source), stress: true))
                        writer.Write(frame with { Energy = prediction.Energy, Forces = prediction.Forces, Stress = prediction.Stress });
                });
                double seconds = (Environment.CpuUsage.TotalTime - before).TotalSeconds;
                processor[plan.Name] = Math.Min(processor.GetValueOrDefault(plan.Name, double.MaxValue), seconds);
            };
        }, more: (side, _) => new JsonObject { ["bestFramesPerProcessorSecond"] = count / processor[side] });
        foreach ((string side, double least) in processor)
            run.Note(string.Create(CultureInfo.InvariantCulture, $"{Case.Text(parameters)}: {side} at {count / least:G4} frames per processor second, best of all"));
    }
}
