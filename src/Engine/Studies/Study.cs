using System.Diagnostics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies;

/// <summary>
/// Molecules to a fitted scaling law: prepare, select hyperparameters by training performance estimation, train a grid of models and data
/// sizes, fit, report. Everything lies below one folder; the same call goes on where an interrupted one stopped.
/// </summary>
public static class Study
{
    /// <param name="plan">What to run.</param>
    /// <param name="directory">Receives data/, tpe/, grid/, report.html and summary.json.</param>
    /// <param name="command">The command line, for the report.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves every run with a checkpoint.</param>
    public static StudySummary Run(StudyPlan plan, string directory, string command, StudyObserver observer, CancellationToken stop = default)
    {
        plan.Check();
        var watch = Stopwatch.StartNew();
        DateTimeOffset started = DateTimeOffset.Now;
        string data = Path.GetFullPath(Path.Combine(directory, "data"));
        DataFacts facts = Prepare(plan, data, observer, stop);
        int parallel = plan.Parallel > 0 ? plan.Parallel : Environment.ProcessorCount;
        var runner = new LocalRunner { Parallel = parallel, ThreadsPerRun = 1, Progress = observer.Steps, Warn = observer.Warn };
        Experiment basis = Basis(plan, data);

        var search = new TrainingPerformanceSearch
        {
            Space = SearchSpace.Grid(plan.LearningRates, plan.BatchSizes),
            Base = basis with
            {
                Model = ModelSpec.Of((ChemGptConfig)basis.Model.Config with { Width = plan.SearchWidth }),
                Data = basis.Data with { Subset = Math.Min(plan.SearchMolecules, facts.Train) },
            },
            Epochs = plan.SearchEpochs,
            ProbeEpochs = plan.ProbeEpochs,
            Validate = plan.ValidateSearch,
        };
        observer.Begin($"training performance estimation: {search.Space.Configurations.Count} configurations, {plan.ProbeEpochs} of {plan.SearchEpochs} epochs each"
            + (plan.ValidateSearch ? ", then all to the end" : ""));
        SelectionSummary selection = search.Run(Path.Combine(directory, "tpe"), runner, stop);
        ConfigurationOutcome chosen = selection.Configurations[selection.Selected];
        observer.Say($"selected learning rate {chosen.LearningRate:G3}, batch size {chosen.BatchSize}");

        var grid = new ScalingGrid
        {
            Base = basis with { Training = basis.Training with { LearningRate = chosen.LearningRate, BatchSize = chosen.BatchSize } },
            Widths = plan.Widths,
            Subsets = [.. plan.Subsets.Select(s => Math.Min(s, facts.Train)).Distinct().Order()],
            MaximumEpochs = plan.MaximumEpochs,
            MaximumMolecules = plan.MaximumMolecules,
            RateWidth = plan.SearchWidth,
        };
        observer.Begin($"grid: widths {string.Join(", ", grid.Widths)} x {string.Join(", ", grid.Subsets)} molecules");
        IReadOnlyList<GridPoint> points = grid.Run(Path.Combine(directory, "grid"), runner, stop);
        observer.Begin("fitting");
        var summary = new StudySummary
        {
            Title = "Neural scaling of ChemGPT",
            Command = command,
            Started = started,
            Seconds = watch.Elapsed.TotalSeconds,
            Host = Host(),
            Parts =
            [
                new StudyPart
                {
                    Family = "ChemGPT",
                    LossUnit = "nats per token",
                    ItemName = "tokens",
                    Data = facts,
                    Selection = selection,
                    Grid = new GridSummary
                    {
                        Points = points,
                        Fits = GridFits.Of(points, "tokens"),
                        LearningRate = chosen.LearningRate,
                        BatchSize = chosen.BatchSize,
                        Cautions = Cautions(points, plan),
                    },
                    Commands = Commands(directory, data),
                },
            ],
        };
        PointTable.Write(Path.Combine(directory, "points.csv"), points);
        StudyReport.Write(summary, directory);
        return summary with { Seconds = watch.Elapsed.TotalSeconds };
    }

    private static DataFacts Prepare(StudyPlan plan, string folder, StudyObserver observer, CancellationToken stop)
    {
        observer.Begin(plan.Molecules.Count == 0 ? $"preparing {plan.Limit:N0} molecules of the virtual library (synthetic)" : $"preparing {string.Join(", ", plan.Molecules)}");
        PreparationReport? report = MoleculeStores.Ensure(new PreparationOptions
        {
            Files = plan.Molecules,
            Source = plan.Molecules.Count == 0 ? MoleculeStores.VirtualLibrary(plan.Limit) : null,
            Limit = plan.Molecules.Count == 0 ? null : plan.Limit,
            Output = folder,
            Grammar = plan.Tokenizer is null ? plan.Grammar : null,
            TokenizerFile = plan.Tokenizer,
            ValidationFraction = 0.1,
            MaximumTokens = Math.Min(512, plan.Model.Positions),
            Seed = plan.Seed,
        }, observer.Preparation, stop);
        return StoreFacts.Of(folder, report);
    }

    private static Experiment Basis(StudyPlan plan, string data)
    {
        using TokenStore store = TokenStore.Open(data);
        return new Experiment
        {
            Model = ModelSpec.Of(plan.Model with { VocabularySize = store.Manifest.VocabularySize }),
            Data = new DataSpec
            {
                Store = data,
                Fingerprint = store.Manifest.Fingerprint,
                Grammar = store.Manifest.Grammar,
                Validation = Math.Min(plan.Validation, store.Manifest.Validation.Documents),
            },
            Training = new TrainingSpec
            {
                Epochs = 1,
                Schedule = new ScheduleSpec { WarmupSteps = 20 },
                ClipNorm = 1,
                Threads = 1,
                CheckpointInterval = Interval.Minutes(2),
            },
            Seed = plan.Seed,
        };
    }

    private static string[] Cautions(IReadOnlyList<GridPoint> points, StudyPlan plan)
    {
        var cautions = new List<string>();
        if (plan.Widths.Any(w => w > plan.SearchWidth))
            cautions.Add($"The learning rate was chosen at width {plan.SearchWidth}; wider models got proportionally less, not a search of their own.");
        int falling = points.Count(p => p.StillFalling);
        if (falling > 0)
            cautions.Add($"{falling} of {points.Count} points were still falling at the cap on tokens seen: their losses are upper bounds, and the exponents in N are biased.");
        if (plan.Model.Layers < 24)
            cautions.Add($"These models have {plan.Model.Layers} layers; the paper's have 24. Exponents of small, shallow models are not those of the paper.");
        double decades = points.Count > 0 ? Math.Log10(points.Max(p => (double)p.Parameters) / points.Min(p => p.Parameters)) : 0;
        if (decades < 2) cautions.Add($"The models span {decades:F1} decades of N: too few to tell a power law from another curve.");
        return [.. cautions];
    }

    private static CommandNote[] Commands(string directory, string data) =>
    [
        new("The learning curves, in any tool that reads Lightning's metrics.csv", $"ls {Path.Combine(directory, "grid")}/*/metrics.csv"),
        new("One fit again, from the table of points", $"chemscale fit {Path.Combine(directory, "points.csv")} --n parameters --d items --c compute --loss loss --resource parameters"),
        new("A longer training on the same data", $"chemscale train --data {data} --size 64 --epochs 10 --out runs/longer"),
        new("Molecules from a model of the grid", $"chemscale generate --run {Path.Combine(directory, "grid", "<run>")} --count 20"),
    ];

    private static HostFacts Host() => new(
        RuntimeInformation.OSDescription, RuntimeInformation.FrameworkDescription, Environment.ProcessorCount, "CPU",
        typeof(Study).Assembly.GetName().Version?.ToString(3) ?? "");
}
