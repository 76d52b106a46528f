using ChemScale.Engine;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

[Verb("sweep", HelpText = "Run every combination of some settings; writes OUT/sweep.csv, which fit reads.")]
internal sealed class SweepVerb : TrainingVerb
{
    [Option("vary", Required = true, HelpText = "KEY=VALUE,VALUE... of experiment.yaml, such as model.width=16,32 training.learningRate=1e-4,1e-3.")]
    public IEnumerable<string> Vary { get; set; } = [];

    [Option("parallel", HelpText = "Runs side by side (default: one for each core).")]
    public int Parallel { get; set; }

    [Option("out", HelpText = "Folder of the runs (default runs/sweep); an interrupted sweep goes on there.")]
    public string Out { get; set; } = Path.Combine("runs", "sweep");

    public override int Run(CancellationToken stop)
    {
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        IReadOnlyList<PlannedRun> runs = Sweep.Plan(Build(Out, stop), [.. Vary.Select(Variation.Parse)], Out);
        using var display = new StudyDisplay();
        display.Observer.Begin($"sweep: {runs.Count} runs");
        var runner = new LocalRunner
        {
            Parallel = Parallel > 0 ? Parallel : Math.Min(Environment.ProcessorCount, runs.Count),
            ThreadsPerRun = Threads ?? 0,
            Progress = display,
            Warn = display.Observer.Warn,
        };
        IReadOnlyList<RunOutcome> outcomes = runner.Run(runs, null, stop);
        string table = Sweep.WriteTable(Out, outcomes);
        display.Close();
        if (Json)
        {
            Output.Json(outcomes.Select(o => new { o.Run.Name, o.Run.Directory, o.Result, o.Diverged }));
            return 0;
        }
        foreach (RunOutcome outcome in outcomes)
            Console.WriteLine(outcome.Result is { } r ? $"{outcome.Run.Name}: {r.BestValidationLoss:F4}, {r.Steps} steps, {r.Seconds:F1} s" : $"{outcome.Run.Name}: {outcome.Diverged}");
        Console.WriteLine(table);
        return 0;
    }
}
