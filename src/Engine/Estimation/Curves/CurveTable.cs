using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Curves;

/// <summary>
/// Curves from anybody's CSV. Long: a column that names the run, one of epochs or steps, one of losses. One run: Lightning's columns, or a
/// named one. Wide: a column of epochs or steps, and a column for each run; its empty cells are not measured.
/// </summary>
internal static class CurveTable
{
    private static readonly string[] LossNames = ["loss", "train_loss", "training_loss", "train_loss_step", "train_loss_epoch"];

    /// <exception cref="InputException">File, line and column of what is wrong.</exception>
    public static IReadOnlyList<LossCurve> Read(string path, CurveColumns? columns = null) => Of(CsvTable.Read(path), columns ?? new CurveColumns());

    internal static IReadOnlyList<LossCurve> Of(CsvTable table, CurveColumns columns)
    {
        int? run = columns.Run is { } named ? table.Column(named) : table.FindColumn("run");
        int? epoch = columns.Epoch is { } e ? table.Column(e) : table.FindColumn("epoch");
        int? step = columns.Step is { } s ? table.Column(s) : table.FindColumn("step");
        if (run is { } runColumn) return Long(table, columns, runColumn, epoch, step);
        LossColumns usual = LossColumns.Lightning;
        if (columns.Loss is null && ((string?[])[usual.TrainLossStep, usual.TrainLossEpoch, usual.ValidationLoss]).Any(c => table.FindColumn(c!) is not null))
        {
            return [LossCurveReader.Read(table, usual with
            {
                Epoch = columns.Epoch ?? usual.Epoch,
                Step = columns.Step ?? usual.Step,
                StepsPerEpoch = columns.StepsPerEpoch,
            }, null)];
        }
        if (epoch is null && step is null)
            throw new InputException($"{table.Path}:1", "no column run, epoch or step: " + string.Join(", ", table.Header), "at least one of them", "name the columns");
        int[] losses = columns.Loss is { } one ? [table.Column(one)] : [.. Enumerable.Range(0, table.Header.Count).Where(c => c != epoch && c != step)];
        if (losses.Length == 0) throw new InputException($"{table.Path}:1", "no column of losses", "one for each run");
        int[] rows = [.. Enumerable.Range(0, table.RowCount)];
        return [.. losses.Select(c => Curve(table, columns.Loss is null ? table.Header[c] : Path.GetFileNameWithoutExtension(table.Path), rows, epoch, step, c,
            columns.StepsPerEpoch))];
    }

    private static LossCurve[] Long(CsvTable table, CurveColumns columns, int run, int? epoch, int? step)
    {
        if (epoch is null && step is null)
            throw new InputException($"{table.Path}:1", "no column epoch or step: " + string.Join(", ", table.Header), "at least one of them", "name the columns");
        int loss = columns.Loss is { } named ? table.Column(named) : LossNames.Select(table.FindColumn).FirstOrDefault(c => c is not null)
            ?? throw new InputException($"{table.Path}:1", "no column of losses: " + string.Join(", ", table.Header), string.Join(", ", LossNames), "name the column");
        LossCurve[] curves = [.. Enumerable.Range(0, table.RowCount).GroupBy(row => table.Text(row, run))
            .Select(g => Curve(table, g.Key, [.. g], epoch, step, loss, columns.StepsPerEpoch))];
        return curves.Length > 0 ? curves : throw new InputException(table.Path, "no rows", "a row for each loss");
    }

    // One loss an epoch is a mean that somebody reported; several, or steps, are mini-batches.
    private static LossCurve Curve(CsvTable table, string name, int[] rows, int? epoch, int? step, int loss, int? stepsPerEpoch)
    {
        var measured = new List<(int Row, double Loss)>();
        foreach (int row in rows) if (table.Number(row, loss) is { } value) measured.Add((row, value));
        if (measured.Count == 0) throw new InputException(table.Path, $"no losses of run \"{name}\"", "at least one");
        var steps = new List<StepLoss>();
        var reported = new List<EpochLoss>();
        bool means = step is null && measured.Select(m => Epoch(m.Row)).Distinct().Count() == measured.Count;
        int lastEpoch = -1;
        long lastStep = -1;
        foreach ((int row, double value) in measured)
        {
            int? at = epoch is null ? null : Epoch(row);
            if (at < lastEpoch) throw table.Wrong(row, epoch!.Value, $"epoch {lastEpoch} or later");
            lastEpoch = at ?? lastEpoch;
            if (means)
            {
                reported.Add(new EpochLoss(at!.Value, 1, value));
                continue;
            }
            long number = step is { } column ? table.Integer(row, column) ?? throw table.Wrong(row, column, "the number of the step") : steps.Count;
            if (number <= lastStep) throw table.Wrong(row, step!.Value, $"a step after {lastStep}");
            lastStep = number;
            steps.Add(new StepLoss(at, number, value));
        }
        return new LossCurve(OneLine.Name(name, table.Path), steps, reported, null, stepsPerEpoch);

        int Epoch(int row) => table.Number(row, epoch!.Value) is >= 0 and < int.MaxValue and { } value ? (int)value
            : throw table.Wrong(row, epoch!.Value, "the number of the epoch");
    }
}

/// <summary>Names of the columns of a table of curves; null: by their usual names.</summary>
public sealed record CurveColumns
{
    /// <summary>Names the run of each row: the long form.</summary>
    public string? Run { get; init; }

    public string? Epoch { get; init; }

    public string? Step { get; init; }

    /// <summary>Training loss, of the long form or of a file of one run.</summary>
    public string? Loss { get; init; }

    /// <summary>Where steps are given and epochs are not.</summary>
    public int? StepsPerEpoch { get; init; }
}
