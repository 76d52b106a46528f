using System.Globalization;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Grid;

/// <summary>
/// A grid of models and data sizes, each point trained until its validation loss stops falling or a cap on the data seen is reached. All
/// points share one fixed validation set; a point's loss is the least it reached there, looked at at fixed fractions of the cap.
/// </summary>
internal sealed record ScalingGrid
{
    /// <summary>Everything but model, subset and length.</summary>
    public required Experiment Base { get; init; }

    public required IReadOnlyList<GridModel> Models { get; init; }

    /// <summary>Molecules or frames; nested subsets of the store.</summary>
    public required IReadOnlyList<long> Subsets { get; init; }

    /// <summary>What those count, for the runs' names.</summary>
    public required string DocumentName { get; init; }

    /// <summary>Cap on passes over the data.</summary>
    public int MaximumEpochs { get; init; } = 30;

    /// <summary>Cap on molecules or frames seen, repeats included.</summary>
    public long MaximumSeen { get; init; } = 100_000;

    /// <summary>
    /// Width the learning rate was chosen at. Wider models get proportionally less: with Adam and this parametrisation the best rate falls
    /// about as 1 / width (Yang et al. 2022, arXiv 2203.03466). 0: the same rate at every width.
    /// </summary>
    public int RateWidth { get; init; }

    /// <summary>Looks at the validation set, evenly over the cap.</summary>
    public int Validations { get; init; } = 12;

    /// <summary>Looks without improvement after which a point ends.</summary>
    public int Patience { get; init; } = 3;

    /// <summary>The runs of the grid, the cheapest first.</summary>
    public IReadOnlyList<PlannedRun> Plan(string directory) =>
    [
        .. from subset in Subsets
           from model in Models
           orderby subset * (double)model.Parameters
           select Point(directory, model, subset),
    ];

    /// <summary>What came of its runs; those that diverged are left out.</summary>
    public IReadOnlyList<GridPoint> Points(IReadOnlyList<RunOutcome> outcomes)
    {
        Dictionary<object, GridModel> models = Models.ToDictionary(m => m.Config);
        return
        [
            .. outcomes.Where(o => o.Result is { BestValidationLoss: not null }).Select(o => Summarize(o, models[o.Run.Experiment.Model.Config]))
                .OrderBy(p => p.Documents).ThenBy(p => p.Parameters),
        ];
    }

    private PlannedRun Point(string directory, GridModel model, long subset)
    {
        long stepsPerEpoch = (subset + Base.Training.BatchSize - 1) / Base.Training.BatchSize;
        long cap = Math.Min(Math.Max(1, MaximumSeen / Base.Training.BatchSize), stepsPerEpoch * MaximumEpochs);
        var experiment = Base with
        {
            Model = ModelSpec.Of(model.Config),
            Data = Base.Data with { Subset = subset },
            Training = Base.Training with
            {
                LearningRate = Base.Training.LearningRate * (RateWidth > 0 ? Math.Min(1, RateWidth / (double)model.Width) : 1),
                Steps = cap,
                Epochs = null,
                Patience = Patience,
                ValidationInterval = Interval.Steps(Math.Max(1, cap / Validations)),
            },
        };
        string name = $"{model.Name.Replace(" x ", "x").Replace(' ', '-')}-{DocumentName}-{subset}";
        return new PlannedRun(name, experiment, Path.Combine(directory, name));
    }

    private static GridPoint Summarize(RunOutcome outcome, GridModel model)
    {
        Experiment experiment = outcome.Run.Experiment;
        TrainingResult result = outcome.Result!;
        RunFacts facts = RunFacts.Read(outcome.Run.Directory);
        var directory = new RunDirectory(outcome.Run.Directory);
        directory.RequireSoundMetrics();
        LossCurve curve = LossCurve.ReadCsv(directory.MetricsCsvPath);
        double itemsPerStep = result.ItemsSeen / (double)result.Steps;
        return new GridPoint
        {
            Name = outcome.Run.Name,
            ModelName = model.Name,
            Parameters = facts.Parameters,
            LearningRate = experiment.Training.LearningRate,
            Documents = experiment.Data.Subset!.Value,
            Items = facts.Items,
            ItemsSeen = result.ItemsSeen,
            Compute = 6.0 * facts.Parameters * result.ItemsSeen,
            Loss = result.BestValidationLoss!.Value,
            LossPerMolecule = result.BestValidationLoss * facts.TokensPerMolecule,
            StillFalling = result.Reason == StopReason.Completed && result.BestStep == result.Steps,
            Seconds = result.Seconds,
            Curve = [.. curve.Validation.Select(v => new CurvePoint((long)Math.Round((v.Step + 1) * itemsPerStep), v.Loss))],
        };
    }
}

/// <summary>One size of a family of models.</summary>
/// <param name="Name">Shown, and part of the run's name: <c>width 32</c>, <c>2 x 32</c>.</param>
/// <param name="Config">The family's configuration record.</param>
/// <param name="Parameters">N: non-embedding parameters.</param>
/// <param name="Width">What the learning rate is scaled by.</param>
public sealed record GridModel(string Name, object Config, long Parameters, int Width);

/// <summary>The points of a grid as a CSV that <c>fit</c> and any other tool reads.</summary>
internal static class PointTable
{
    public static void Write(string path, IReadOnlyList<GridPoint> points)
    {
        bool molecules = points.Any(p => p.LossPerMolecule is not null);
        IEnumerable<string> lines = points.Select(p => string.Create(CultureInfo.InvariantCulture,
                $"{p.Name},{p.Parameters},{p.Documents},{p.Items},{p.ItemsSeen},{p.Compute:R},{p.Loss:R},{(p.StillFalling ? "yes" : "no")}")
                + (molecules ? string.Create(CultureInfo.InvariantCulture, $",{p.LossPerMolecule:R}") : ""))
            .Prepend("name,parameters,documents,items,items_seen,compute,loss,still_falling" + (molecules ? "," + RunPoints.LossPerMolecule : ""));
        DiskStorage.Shared.WriteAtomically(path, string.Concat(lines.Select(line => line + "\n")));
    }
}
