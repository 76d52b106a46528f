using ChemScale.Engine;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

[Verb("sweep", HelpText = "Run every combination of some settings, in this process, in --workers or on --slurm; writes OUT/sweep.csv, which fit reads.")]
internal sealed class SweepVerb : DistributedVerb
{
    [Option("vary", HelpText = "KEY=VALUE,VALUE... of experiment.yaml, such as model.width=16,32 training.learningRate=1e-4,1e-3.")]
    public IEnumerable<string> Vary { get; set; } = [];

    [Option("file", HelpText = "A sweep as YAML: experiment, vary, runs, selection. Options override its experiment.")]
    public string? SweepFilePath { get; set; }

    [Option("status", HelpText = "Say where the runs of OUT stand; where all are complete, also write sweep.csv.")]
    public bool Status { get; set; }

    [Option("retry-failed", HelpText = "Try runs of OUT that failed once more.")]
    public bool RetryFailed { get; set; }

    [Option("parallel", HelpText = "Runs side by side in this process (default: one for each core).")]
    public int Parallel { get; set; }

    [Option("out", HelpText = "Folder of the runs (default runs/sweep); an interrupted sweep goes on there.")]
    public string Out { get; set; } = Path.Combine("runs", "sweep");

    public override int Run(CancellationToken stop)
    {
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        CheckDistribution();
        if (Status) return Tell(SweepPlan.Read(Out));
        SweepPlan plan = Plan(stop);
        if (RetryFailed) foreach (PlannedRun run in plan.Runs) RunFailure.Forget(run.Directory);
        if (Distributed) return Distribute(plan, stop) ? Tell(plan) : 0;
        plan.Write();
        using var display = new StudyDisplay();
        display.Observer.Begin($"sweep: {plan.Runs.Count} runs");
        int parallel = Parallel > 0 ? Parallel : Math.Min(Environment.ProcessorCount, plan.Runs.Count);
        var runner = new LocalRunner { Parallel = parallel, ThreadsPerRun = Threads ?? 0, Progress = display, Warn = display.Observer.Warn };
        if (plan.Search is { } search)
        {
            SelectionSummary summary = search.Run(runner, stop);
            display.Close();
            SelectionTable.Print(summary, Json);
            return 0;
        }
        IReadOnlyList<RunOutcome> outcomes = runner.Run(plan.Runs, null, stop);
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

    private SweepPlan Plan(CancellationToken stop)
    {
        string directory = Path.GetFullPath(Out);
        if (SweepFilePath is null)
        {
            if (!Vary.Any()) throw new InputException("--vary", "none", "one or more of KEY=VALUE,VALUE..., or --file");
            return new SweepPlan(directory, Sweep.Plan(Absolute(Build(Out, stop)), [.. Vary.Select(Variation.Parse)], directory));
        }
        if (Vary.Any()) throw new InputException("--vary", "given beside --file", "one of them", "the file has its own vary");
        SweepFile file = SweepFile.Read(SweepFilePath);
        // What is wrong with a setting shows before any data are prepared.
        file.Plan(file.Experiment, directory);
        return new SweepPlan(directory, file.Plan(Absolute(Build(Out, stop, file.Experiment)), directory), file.Selection);
    }

    // Workers may start from another folder.
    private static Experiment Absolute(Experiment experiment) => experiment.Data.Store == DataSpec.Virtual ? experiment
        : experiment with { Data = experiment.Data with { Store = Path.GetFullPath(experiment.Data.Store) } };

    private int Tell(SweepPlan plan)
    {
        RunState[] states = [.. plan.Runs.Select(RunState.Of)];
        IReadOnlyList<int>? kept = plan.Kept;
        RunStage[] stages = [.. states.Select((s, i) => s.Stage == RunStage.PutAside && kept is not null && !kept.Contains(i) ? RunStage.Stopped : s.Stage)];
        bool ended = stages.All(s => s is RunStage.Complete or RunStage.Stopped or RunStage.Failed);
        string? table = ended ? Sweep.WriteTable(plan.Directory, [.. states.Where(s => s.Stage is RunStage.Complete or RunStage.Failed).Select(Outcome)]) : null;
        if (Json)
        {
            Output.Json(states.Select((s, i) => new { s.Run.Name, s.Run.Directory, Stage = stages[i], s.Step, Holder = s.Holder?.ToString(), s.Failure?.Reason }));
            return 0;
        }
        for (int i = 0; i < states.Length; i++)
            Console.WriteLine($"{states[i].Run.Name,-50} {stages[i],-9} step {states[i].Step,8} {states[i].Holder?.ToString() ?? states[i].Failure?.Reason ?? ""}".TrimEnd());
        Console.WriteLine(string.Join(", ", stages.GroupBy(s => s).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key.ToString().ToLowerInvariant()}")));
        if (table is not null) Console.WriteLine(table);
        return 0;
    }

    private static RunOutcome Outcome(RunState state) => state.Stage == RunStage.Complete
        ? new RunOutcome(state.Run, new Engine.Training.Runs.RunDirectory(state.Run.Directory).ReadResult(), null)
        : new RunOutcome(state.Run, null, state.Failure!.Reason);
}
