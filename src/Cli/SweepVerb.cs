using ChemScale.Engine;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Studies.Sweeps;
using CommandLine;

namespace ChemScale.Cli;

[Verb("sweep", HelpText = "Run every combination of some settings, in this process, in --workers or on --slurm; writes OUT/sweep.csv, which fit reads.")]
[Example("chemscale sweep --data runs/moses --vary model.width=16,32,64 data.subset=1000,10000 --epochs 5 --lr 1e-3", "Every combination of widths and data sizes.")]
[Example("chemscale sweep --file sweep.yaml --slurm --partition gpu --gpus 1 --time 4:00:00 --out runs/rates", "On a cluster.")]
[Example("chemscale sweep --status --out runs/rates", "How far it is.")]
internal sealed class SweepVerb : DistributedVerb
{
    [OptionGroup("Sweep")]
    [Option("vary", HelpText = "KEY=VALUE,VALUE... of experiment.yaml, such as model.width=16,32 training.learningRate=1e-4,1e-3.")]
    public IEnumerable<string> Vary { get; set; } = [];

    [Option("file", HelpText = "A sweep as YAML: experiment, vary, runs, selection. Options override its experiment.")]
    public string? SweepFilePath { get; set; }

    [Option("status", HelpText = "Say where the runs of OUT stand; where all are complete, also write sweep.csv.")]
    public bool Status { get; set; }

    [Option("retry-failed", HelpText = "Try runs of OUT that failed once more.")]
    public bool RetryFailed { get; set; }

    [Option("parallel", HelpText = "Runs side by side in this process (default: one for each thread that is ours: see doctor).")]
    public int Parallel { get; set; }

    [Option("out", HelpText = "Folder of the runs (default runs/sweep); an interrupted sweep goes on there.")]
    public string Out { get; set; } = Path.Combine("runs", "sweep");

    public override int Run(CancellationToken stop)
    {
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        Distribution.Check();
        if (Parallel > 0 && Distribution.Elsewhere) throw new InputException("--parallel", "given beside --workers or --slurm", "one of them");
        if (Status) return Tell(SweepPlan.Read(Out), mustBeDone: false);
        SweepPlan plan = Plan(stop);
        int parallel = Parallel > 0 ? Parallel : Math.Min(ProcessorBudget.Count, plan.Runs.Count);
        var runner = new LocalRunner { Parallel = parallel, ThreadsPerRun = Threads ?? 0 };
        if (!Distribution.Elsewhere) runner.RequireOneThreadCount(plan.Runs);
        SweepPlan whole = plan.Write();
        if (RetryFailed) foreach (PlannedRun run in whole.Runs) RunFailure.Forget(run.Directory);
        if (Distribution.Elsewhere) return Distribute(whole, stop) ? Tell(whole, mustBeDone: true) : 0;
        using var display = new StudyDisplay();
        display.Observer.Begin($"sweep: {plan.Runs.Count} runs");
        runner = runner with { Progress = display, Warn = display.Observer.Warn };
        if (whole.Selection is not null)
        {
            SelectionSummary summary = whole.RunSearch(runner, stop);
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
            Console.WriteLine(outcome.Result is { } r
                ? $"{outcome.Run.Name}: {(r.BestValidationLoss is { } loss ? $"{OneLine.Number(loss, 4)}" : "not validated yet")}, {r.Steps} steps, {r.Seconds:F1} s"
                : $"{outcome.Run.Name}: {outcome.Diverged}");
        Console.WriteLine(table);
        return 0;
    }

    private SweepPlan Plan(CancellationToken stop)
    {
        string directory = Path.GetFullPath(Out);
        if (SweepFilePath is null)
        {
            if (!Vary.Any()) throw new InputException("--vary", "none", "one or more of KEY=VALUE,VALUE..., or --file");
            IReadOnlyList<PlannedRun> runs = Sweep.Plan(Build(Out, stop), [.. Vary.Select(Variation.Parse)], directory);
            Request().RequireHonoured([.. runs.Select(r => r.Experiment)]);
            return new SweepPlan(directory, runs);
        }
        if (ExperimentFile is not null) throw new InputException("--experiment", "given beside --file", "one of them", "the file has its own experiment");
        if (Vary.Any()) throw new InputException("--vary", "given beside --file", "one of them", "the file has its own vary");
        SweepFile file = SweepFile.Read(SweepFilePath);
        // What is wrong with a setting shows before any data are prepared.
        file.Plan(file.Experiment, directory);
        IReadOnlyList<PlannedRun> planned = file.Plan(Build(Out, stop, file.Experiment), directory);
        Request().RequireHonoured([.. planned.Select(r => r.Experiment)]);
        return new SweepPlan(directory, planned, file.SelectionOf(planned, directory));
    }

    private int Tell(SweepPlan plan, bool mustBeDone)
    {
        var status = SweepStatus.Of(plan);
        string? table = status.WriteTable();
        if (Json)
        {
            Output.Json(status.States.Select(s => new { s.Run.Name, s.Run.Directory, s.Stage, s.Step, Holder = s.Holder?.ToString(), s.Failure?.Reason }));
        }
        else
        {
            int width = status.States.Max(s => s.Run.Name.Length);
            for (int i = 0; i < status.States.Count; i++)
            {
                RunState state = status.States[i];
                string detail = state.Failure?.Reason ?? state.Holder?.ToString() ?? "";
                Console.WriteLine($"{i,4} {state.Run.Name.PadRight(width)} {SweepStatus.NameOf(state.Stage),-9} step {state.Step,8} {detail}".TrimEnd());
            }
            Console.WriteLine(status.Counts);
            if (table is not null) Console.WriteLine(table);
        }
        return !mustBeDone || status.IsDone ? 0 : 1;
    }
}
