using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Estimation.Curves;

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
