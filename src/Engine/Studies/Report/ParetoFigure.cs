using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// The trade of speed for accuracy: seconds per epoch against the predicted final loss, the configurations that no other beats in both, the
/// best learning rate of each batch size.
/// </summary>
internal static class ParetoFigure
{
    /// <summary>Those with a time and a predicted final loss; where nothing is calibrated, the estimate of the probe stands for it.</summary>
    public static IReadOnlyList<(ConfigurationOutcome Outcome, double Loss)> Shown(SelectionSummary selection)
    {
        bool calibrated = selection.Configurations.Any(c => c.Predicted is not null);
        return [.. selection.Configurations.Select(c => (c, Loss: (calibrated ? c.Predicted : c.Estimate) ?? double.NaN))
            .Where(p => double.IsFinite(p.Loss) && p.c.SecondsPerEpoch > 0 && double.IsFinite(p.c.SecondsPerEpoch))];
    }

    public static IReadOnlyList<int> Front(IReadOnlyList<(ConfigurationOutcome Outcome, double Loss)> shown) =>
        ParetoFront.Of([.. shown.Select(s => s.Outcome.SecondsPerEpoch)], [.. shown.Select(s => s.Loss)]);

    public static Figure Of(StudyPart part, string slug)
    {
        SelectionSummary selection = part.Selection;
        var shown = Shown(selection);
        IReadOnlyList<int> front = Front(shown);
        double[] losses = [.. shown.Select(s => s.Loss)];
        bool logarithmic = losses.Length > 0 && losses.Min() > 0 && losses.Max() / losses.Min() > 4;
        bool calibrated = selection.Configurations.Any(c => c.Predicted is not null);
        string loss = calibrated ? $"Predicted final loss ({part.LossUnit})" : $"{selection.Estimator.ToUpperInvariant()} of the probe";
        var chart = new Chart("Speed and accuracy of every configuration", new ChartAxis("Seconds per epoch"), new ChartAxis(loss, logarithmic))
        {
            Synthetic = part.Data.Synthetic,
        };
        chart.Line(front.Select(i => (shown[i].Outcome.SecondsPerEpoch, shown[i].Loss)), Palette.Ink, Dash.Dashed, 1.2f);
        int[] batches = [.. shown.Select(s => s.Outcome.BatchSize).Distinct().Order()];
        for (int b = 0; b < batches.Length; b++)
        {
            var points = shown.Where(s => s.Outcome.BatchSize == batches[b]).Select(s => (s.Outcome.SecondsPerEpoch, s.Loss));
            Mark mark = Marks.Of(b, open: false);
            chart.Points(points, mark, Palette.Ordered(b, batches.Length));
            chart.Legend(new LegendEntry($"batch size {Numbers.Count(batches[b])}", Palette.Ordered(b, batches.Length), mark));
        }
        ConfigurationOutcome? selected = selection.Configurations.ElementAtOrDefault(selection.Selected);
        Ring(chart, shown, c => ReferenceEquals(c, selected), "selected", Mark.OpenCircle);
        Ring(chart, shown, c => c.IsDefault, "default configuration", Mark.OpenSquare);
        if (front.Count > 1) chart.Legend(new LegendEntry("no other beats both", Palette.Ink, Line: Dash.Dashed));
        return new Figure($"{slug}-speed-accuracy", chart, Caption(calibrated), Table(part, shown, front));
    }

    private static string Caption(bool calibrated) => "What a pass over the data takes against where training is predicted to end"
        + (calibrated ? "." : "; fewer than three configurations were finished, so the figure of the probe stands for the final loss.");

    private static void Ring(Chart chart, IReadOnlyList<(ConfigurationOutcome Outcome, double Loss)> shown, Func<ConfigurationOutcome, bool> which, string text, Mark mark)
    {
        (double, double)[] places = [.. shown.Where(s => which(s.Outcome)).Select(s => (s.Outcome.SecondsPerEpoch, s.Loss))];
        if (places.Length == 0) return;
        chart.Points(places, mark, Palette.Ink, 17);
        chart.Legend(new LegendEntry(text, Palette.Ink, mark));
    }

    private static CsvWriter Table(StudyPart part, IReadOnlyList<(ConfigurationOutcome Outcome, double Loss)> shown, IReadOnlyList<int> front)
    {
        var csv = new CsvWriter("configuration", "learning_rate", "batch_size", "seconds_per_epoch", "estimate", "predicted", "final", "front", "synthetic");
        for (int i = 0; i < shown.Count; i++)
        {
            ConfigurationOutcome c = shown[i].Outcome;
            csv.Add(c.Name, c.LearningRate, c.BatchSize, c.SecondsPerEpoch, c.Estimate, c.Predicted, c.Final, front.Contains(i), part.Data.Synthetic);
        }
        return csv;
    }
}
