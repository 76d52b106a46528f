using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Curves;

/// <summary>
/// The losses of one training run: of each mini-batch step (taken with the weights of that step), the mean that the trainer reported for
/// each
/// epoch, and validation losses. Any of the three may be empty. In the order of training; diverged runs hold NaN or infinity.
/// </summary>
public sealed class LossCurve
{
    private readonly EpochLoss[] epochs;

    /// <param name="name">Of the run, for messages and tables.</param>
    /// <param name="steps">Training losses, steps ascending.</param>
    /// <param name="reportedEpochs">Mean training losses that the trainer wrote for whole epochs.</param>
    /// <param name="validation">Validation losses, steps ascending.</param>
    /// <param name="stepsPerEpoch">Null: the longest epoch among <paramref name="steps"/>, or 1 where their epochs are unknown.</param>
    /// <exception cref="InputException">Steps or epochs go backwards.</exception>
    public LossCurve(string name, IReadOnlyList<StepLoss> steps, IReadOnlyList<EpochLoss>? reportedEpochs = null,
        IReadOnlyList<ValidationLoss>? validation = null, int? stepsPerEpoch = null)
    {
        Name = OneLine.Visible(name);
        Steps = steps;
        ReportedEpochs = reportedEpochs ?? [];
        Validation = validation ?? [];
        for (int i = 1; i < steps.Count; i++)
        {
            if (steps[i].Step <= steps[i - 1].Step)
                throw new InputException(name, $"step {steps[i].Step} after {steps[i - 1].Step}", "ascending steps");
            if (steps[i].Epoch < steps[i - 1].Epoch)
                throw new InputException(name, $"epoch {steps[i].Epoch} after {steps[i - 1].Epoch}", "ascending epochs");
        }
        epochs = Group(steps, ReportedEpochs);
        StepsPerEpoch = stepsPerEpoch ?? (steps.Count > 0 && steps[0].Epoch is not null ? epochs.Max(e => e.Steps) : 1);
        if (StepsPerEpoch < 1) throw new InputException(name, $"{StepsPerEpoch} steps an epoch", "at least 1");
    }

    public string Name { get; }

    public IReadOnlyList<StepLoss> Steps { get; }

    public IReadOnlyList<EpochLoss> ReportedEpochs { get; }

    public IReadOnlyList<ValidationLoss> Validation { get; }

    public int StepsPerEpoch { get; }

    /// <summary>
    /// Sum and mean of each epoch's mini-batch losses; of a reported mean where the epoch has no steps. The last may be partial: fewer
    /// steps
    /// than <see cref="StepsPerEpoch"/>.
    /// </summary>
    public IReadOnlyList<EpochLoss> Epochs => epochs;

    /// <summary>Length in steps; in epochs where there are no steps.</summary>
    public int Length => Steps.Count > 0 ? Steps.Count : epochs.Length;

    /// <summary>Length in epochs, fractions included.</summary>
    public double EpochLength => Steps.Count > 0 ? Steps.Count / (double)StepsPerEpoch : epochs.Length;

    /// <summary>Mean training loss of the last epoch; of the last <see cref="StepsPerEpoch"/> steps where it is partial.</summary>
    /// <exception cref="InputException">The curve is empty.</exception>
    public double LastTrainingLoss
    {
        get
        {
            if (Steps.Count == 0)
                return epochs.Length > 0 ? epochs[^1].Mean : throw new InputException(Name, "no training loss", "at least one");
            int from = Math.Max(0, Steps.Count - StepsPerEpoch);
            if (epochs.Length > 0 && epochs[^1].Steps >= StepsPerEpoch) return epochs[^1].Mean;
            return Steps.Skip(from).Average(s => s.Loss);
        }
    }

    /// <summary>Null where the run was never validated.</summary>
    public double? LastValidationLoss => Validation.Count > 0 ? Validation[^1].Loss : null;

    /// <summary>Null where the run was never validated, or only to NaN.</summary>
    public double? LeastValidationLoss
    {
        get
        {
            double[] finite = [.. Validation.Select(v => v.Loss).Where(double.IsFinite)];
            return finite.Length > 0 ? finite.Min() : null;
        }
    }

    /// <summary>Some loss is NaN or infinite.</summary>
    public bool Diverged => Steps.Any(s => !double.IsFinite(s.Loss)) || epochs.Any(e => !double.IsFinite(e.Mean))
        || Validation.Any(v => !double.IsFinite(v.Loss));

    /// <summary>
    /// The curve as it was after <paramref name="length"/> steps (epochs where it has no steps): copies, so that nothing later can be
    /// reached.
    /// A reported epoch or a validation counts once its last step has been made.
    /// </summary>
    public LossCurve Prefix(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (Steps.Count == 0)
            return new LossCurve(Name, [], [.. ReportedEpochs.Take(length)], [.. Validation.Where(v => Before(v, length))], StepsPerEpoch);
        StepLoss[] kept = [.. Steps.Take(length)];
        if (kept.Length == 0) return new LossCurve(Name, [], [], [], StepsPerEpoch);
        var whole = new HashSet<int>();
        foreach (StepLoss step in kept) if (step.Epoch is { } epoch) whole.Add(epoch);
        if (kept.Length < Steps.Count && Steps[kept.Length].Epoch is { } cut) whole.Remove(cut);
        return new LossCurve(Name, kept, [.. ReportedEpochs.Where(e => whole.Contains(e.Epoch))],
            [.. Validation.Where(v => v.Step <= kept[^1].Step)], StepsPerEpoch);
    }

    public static LossCurve ReadCsv(string path, LossColumns? columns = null, string? name = null) =>
        LossCurveReader.Read(path, columns, name);

    private bool Before(ValidationLoss validation, int epochCount) => epochCount > 0
        && (epochCount >= epochs.Length || (validation.Epoch ?? int.MaxValue) <= epochs[epochCount - 1].Epoch);

    private static EpochLoss[] Group(IReadOnlyList<StepLoss> steps, IReadOnlyList<EpochLoss> reported)
    {
        var grouped = new SortedDictionary<int, EpochLoss>();
        foreach (EpochLoss epoch in reported) grouped[epoch.Epoch] = epoch;
        foreach (IGrouping<int, double> epoch in steps.Where(s => s.Epoch is not null).GroupBy(s => s.Epoch!.Value, s => s.Loss))
            grouped[epoch.Key] = new EpochLoss(epoch.Key, epoch.Count(), epoch.Sum());
        return [.. grouped.Values];
    }
}

/// <summary>Reads Lightning's metrics.csv and anything like it: one row an event, empty cells for what was not measured.</summary>
internal static class LossCurveReader
{
    /// <exception cref="InputException">File, line and column of what is wrong.</exception>
    public static LossCurve Read(string path, LossColumns? columns, string? name) =>
        Read(CsvTable.Read(path), columns ?? LossColumns.Lightning, name);

    public static LossCurve Read(CsvTable table, LossColumns columns, string? name)
    {
        int? epochColumn = Find(columns.Epoch, LossColumns.Lightning.Epoch), stepColumn = Find(columns.Step, LossColumns.Lightning.Step);
        int? trainColumn = Find(columns.TrainLossStep, LossColumns.Lightning.TrainLossStep);
        int? reportedColumn = Find(columns.TrainLossEpoch, LossColumns.Lightning.TrainLossEpoch);
        int? validationColumn = Find(columns.ValidationLoss, LossColumns.Lightning.ValidationLoss);
        if (trainColumn is null && reportedColumn is null && validationColumn is null)
            throw new InputException($"{table.Path}:1", "no column of losses: " + string.Join(", ", table.Header),
                $"{columns.TrainLossStep}, {columns.TrainLossEpoch} or {columns.ValidationLoss}", "name the columns");
        var steps = new List<StepLoss>();
        var reported = new List<EpochLoss>();
        var validation = new List<ValidationLoss>();
        for (int row = 0; row < table.RowCount; row++)
        {
            int? epoch = epochColumn is { } e ? Epoch(row, e) : null;
            long? step = stepColumn is { } s ? table.Integer(row, s) : null;
            if (trainColumn is { } t && table.Number(row, t) is { } loss)
            {
                if (stepColumn is { } required && step is null) throw table.Wrong(row, required, "the number of the step");
                if (steps.Count > 0 && step <= steps[^1].Step)
                    throw table.Wrong(row, stepColumn!.Value, $"a step after {steps[^1].Step}");
                if (steps.Count > 0 && epoch < steps[^1].Epoch)
                    throw table.Wrong(row, epochColumn!.Value, $"epoch {steps[^1].Epoch} or later");
                if (epochColumn is { } known && epoch is null) throw table.Wrong(row, known, "the number of the epoch");
                steps.Add(new StepLoss(epoch, step ?? steps.Count, loss));
            }
            if (reportedColumn is { } r && table.Number(row, r) is { } mean) reported.Add(new EpochLoss(epoch ?? reported.Count, 1, mean));
            if (validationColumn is { } v && table.Number(row, v) is { } validated)
                validation.Add(new ValidationLoss(epoch, step ?? (steps.Count > 0 ? steps[^1].Step : validation.Count), validated));
        }
        if (steps.Count + reported.Count + validation.Count == 0) throw new InputException(table.Path, "no losses", "a row with a loss");
        return new LossCurve(name ?? Path.GetFileNameWithoutExtension(table.Path), steps, reported, validation, columns.StepsPerEpoch);

        // A column that was asked for by name must be there; those of the default set need not.
        int? Find(string? wanted, string? usual) =>
            wanted is null ? null : wanted == usual ? table.FindColumn(wanted) : table.Column(wanted);

        // Some trainers write fractional epochs: the epoch a step belongs to is the whole part.
        int? Epoch(int row, int column) => table.Number(row, column) switch
        {
            null => null,
            >= 0 and < int.MaxValue and { } value => (int)value,
            _ => throw table.Wrong(row, column, "the number of the epoch"),
        };
    }
}

/// <summary>
/// Names of a CSV's columns; PyTorch Lightning's by default. Null: the file has none. Those it lacks are left out of the
/// curve.
/// </summary>
public sealed record LossColumns
{
    public static LossColumns Lightning { get; } = new();

    public string? Epoch { get; init; } = "epoch";

    public string? Step { get; init; } = "step";

    public string? TrainLossStep { get; init; } = "train_loss_step";

    public string? TrainLossEpoch { get; init; } = "train_loss_epoch";

    public string? ValidationLoss { get; init; } = "val_loss";

    /// <summary>Where epochs are not written; null leaves one step to an epoch.</summary>
    public int? StepsPerEpoch { get; init; }
}

/// <summary>Training loss of one mini-batch, with the weights it was computed with.</summary>
/// <param name="Epoch">From 0; null where unknown.</param>
/// <param name="Step">Optimizer step.</param>
/// <param name="Loss">Mean over the mini-batch's items.</param>
public readonly record struct StepLoss(int? Epoch, long Step, double Loss);

/// <summary>Training loss of one epoch.</summary>
/// <param name="Epoch">From 0.</param>
/// <param name="Steps">Mini-batches it sums over.</param>
/// <param name="Sum">Of their losses.</param>
public readonly record struct EpochLoss(int Epoch, int Steps, double Sum)
{
    public double Mean => Sum / Steps;
}

/// <summary>Validation loss after a step.</summary>
public readonly record struct ValidationLoss(int? Epoch, long Step, double Loss);
