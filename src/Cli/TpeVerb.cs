using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using CommandLine;

namespace ChemScale.Cli;

[Verb("tpe", HelpText = "Choose learning rate and batch size by Training Performance Estimation (not the Tree-structured Parzen Estimator): "
    + "probe all, rank by the sum of early training losses, finish only the best.")]
internal sealed partial class TpeVerb : TrainingVerb
{
    [Option("rates", Separator = ',', HelpText = "Learning rates (default 5e-5,3e-4,1e-3,4e-3).")]
    public IEnumerable<double> Rates { get; set; } = [];

    [Option("batches", Separator = ',', HelpText = "Batch sizes (default 8,16,32).")]
    public IEnumerable<int> Batches { get; set; } = [];

    [Option("probe-epochs", HelpText = "Epochs of a probe (default: a fifth of --epochs).")]
    public int? ProbeEpochs { get; set; }

    [Option("validate", HelpText = "Finish every configuration, and compare predictions with the truth.")]
    public bool Validate { get; set; }

    [Option("parallel", HelpText = "Runs side by side (default: one for each core).")]
    public int Parallel { get; set; }

    [Option("out", HelpText = "Folder of the runs (default runs/tpe); an interrupted search goes on there.")]
    public string Out { get; set; } = Path.Combine("runs", "tpe");

    public override int Run(CancellationToken stop)
    {
        if (Parallel < 0) throw new InputException("--parallel", $"{Parallel}", "1 or more");
        int epochs = Epochs ?? 50;
        var search = new TrainingPerformanceSearch
        {
            Space = SearchedSpace(),
            Estimator = ProbeEstimators.Parse(Estimator, "--estimator"),
            Keep = Keep,
            Base = Build(Out, stop),
            Epochs = epochs,
            ProbeEpochs = ProbeEpochs ?? Math.Max(1, epochs / 5),
            Validate = Validate,
        };
        using var display = new StudyDisplay();
        display.Observer.Begin($"training performance estimation: {search.Space.Configurations.Count} configurations, {search.ProbeEpochs} of {epochs} epochs each");
        var runner = new LocalRunner
        {
            Parallel = Parallel > 0 ? Parallel : Environment.ProcessorCount,
            ThreadsPerRun = Threads ?? 0,
            Progress = display,
            Warn = display.Observer.Warn,
        };
        SelectionSummary summary = search.Run(Out, runner, stop);
        display.Close();
        string page = SearchPage.Write(summary, search.Base, Out, "chemscale " + string.Join(' ', Environment.GetCommandLineArgs().Skip(1)));
        if (Json) Output.Json(summary);
        else Print(summary, page);
        return 0;
    }

    private static void Print(SelectionSummary summary, string page)
    {
        Console.WriteLine($"{"learning rate",13} {"batch",6} {"fate",-9} {summary.Estimator,10} {"predicted",10} {"final",10}");
        foreach (ConfigurationOutcome c in summary.Configurations.OrderBy(c => c.Estimate ?? double.PositiveInfinity))
        {
            Console.WriteLine($"{c.LearningRate,13:G3} {c.BatchSize,6} {c.Fate.ToString().ToLowerInvariant(),-9} {Number(c.Estimate),10} {Number(c.Predicted),10} {Number(c.Final),10}"
                + (c.IsDefault ? "  Hugging Face's default" : ""));
        }
        ConfigurationOutcome best = summary.Configurations[summary.Selected];
        Console.WriteLine($"selected: learning rate {best.LearningRate:G3}, batch size {best.BatchSize}; {summary.ComputeSaved:P1} of the compute saved "
            + $"by probing {summary.Configurations.Count} for {summary.ProbeEpochs} of {summary.FullEpochs} epochs");
        if (summary.Validated)
            Console.WriteLine($"finished all: R2 {Number(summary.R2)}, Spearman rho {Number(summary.Spearman)}, regret {Number(summary.Regret)}; within 20 % of the best: R2 {Number(summary.R2NearBest)}, rho {Number(summary.SpearmanNearBest)}");
        Console.WriteLine(page);
    }

    private static string Number(double? value) => value?.ToString("F4", CultureInfo.InvariantCulture) ?? "-";
}
