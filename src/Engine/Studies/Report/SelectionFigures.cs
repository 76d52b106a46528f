using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The figures of training performance estimation: how good the predictions were, and the loss curves behind them.</summary>
internal static class SelectionFigures
{
    // Beyond this ratio of the largest to the least loss a linear axis hides the good configurations.
    private const double RatioForLogarithm = 4;

    public static Figure Predictions(StudyPart part, string slug)
    {
        SelectionSummary selection = part.Selection;
        ConfigurationOutcome[] shown = [.. selection.Configurations.Where(c => Positive(c.Predicted) && Positive(c.Final))];
        bool logarithmic = Wide(shown.SelectMany(c => new[] { c.Predicted!.Value, c.Final!.Value }));
        var chart = new Chart($"Predicted and true loss: {Headline.Agreement(selection)}",
            new ChartAxis($"True final training loss ({part.LossUnit})", logarithmic),
            new ChartAxis($"Predicted final loss ({part.LossUnit})", logarithmic))
        {
            Synthetic = part.Data.Synthetic,
            Identity = true,
        };
        foreach (ConfigurationOutcome c in shown.Where(c => Positive(c.PredictedError)))
        {
            double predicted = c.Predicted!.Value, error = c.PredictedError!.Value;
            chart.Bar(c.Final!.Value, predicted - error, predicted + error, Palette.Fate(c.Fate));
        }
        foreach (ConfigurationFate fate in shown.Select(c => c.Fate).Distinct().Order())
        {
            var points = shown.Where(c => c.Fate == fate).Select(c => (c.Final!.Value, c.Predicted!.Value));
            chart.Points(points, Palette.FateMark(fate), Palette.Fate(fate));
            chart.Legend(new LegendEntry(Word(fate), Palette.Fate(fate), Palette.FateMark(fate)));
        }
        Ring(part, chart, shown);
        if (!chart.IsEmpty) chart.Legend(new LegendEntry("prediction = truth", Palette.Faint, Line: Dash.Dashed));
        return new Figure($"{slug}-predicted-vs-true", chart, Caption(selection, shown.Length), Table(part));
    }

    public static Figure Curves(StudyPart part, string slug)
    {
        SelectionSummary selection = part.Selection;
        var chart = new Chart("Training loss of every configuration", new ChartAxis("Epoch", Integers: true),
            new ChartAxis($"Mean training loss ({part.LossUnit})", Wide(selection.Configurations.SelectMany(c => c.EpochLosses))))
        {
            Synthetic = part.Data.Synthetic,
        };
        var csv = new CsvWriter("configuration", "learning_rate", "batch_size", "fate", "epoch", "loss", "within_probe", "synthetic");
        bool synthetic = part.Data.Synthetic;
        // Kept ones last, on top.
        foreach (ConfigurationOutcome c in selection.Configurations.OrderByDescending(c => c.Fate))
        {
            Curve(chart, c, selection.ProbeEpochs);
            for (int e = 0; e < c.EpochLosses.Count; e++)
                csv.Add(c.Name, c.LearningRate, c.BatchSize, Word(c.Fate), e + 1, c.EpochLosses[e], e < selection.ProbeEpochs, synthetic);
        }
        foreach (ConfigurationFate fate in selection.Configurations.Select(c => c.Fate).Distinct().Order())
        {
            Mark? mark = fate == ConfigurationFate.Diverged ? Mark.Cross : null;
            chart.Legend(new LegendEntry(Word(fate), Palette.Fate(fate), mark, Dash.Solid));
        }
        if (selection.Configurations.Any(c => c.Fate == ConfigurationFate.Stopped && c.EpochLosses.Count > selection.ProbeEpochs))
            chart.Legend(new LegendEntry("stopped, finished only to check", Palette.Fate(ConfigurationFate.Stopped), Line: Dash.Dotted));
        if (selection.Configurations.Any(c => c.IsDefault))
            chart.Legend(new LegendEntry("default configuration", Palette.Ink, Line: Dash.Dashed));
        if (!chart.IsEmpty)
        {
            chart.Rule(selection.ProbeEpochs, Palette.Alert, Dash.Long);
            string end = $"end of the probe (epoch {Numbers.Count(selection.ProbeEpochs)})";
            chart.Legend(new LegendEntry(end, Palette.Alert, Line: Dash.Long));
        }
        string caption = "Mean training loss of each epoch. Selection saw only what lies left of the vertical line, "
            + $"{Numbers.Count(selection.ProbeEpochs)} of {Epochs(selection.FullEpochs)}.";
        return new Figure($"{slug}-loss-curves", chart, caption, csv);
    }

    public static string Word(ConfigurationFate fate) => fate switch
    {
        ConfigurationFate.Kept => "kept",
        ConfigurationFate.Stopped => "stopped",
        _ => "diverged",
    };

    public static string Epochs(long count) => count == 1 ? "1 epoch" : $"{Numbers.Count(count)} epochs";

    private static CsvWriter Table(StudyPart part)
    {
        SelectionSummary selection = part.Selection;
        var csv = new CsvWriter("configuration", "learning_rate", "batch_size", "default", "selected", "fate", "estimate", "predicted",
            "predicted_error", "final", "synthetic");
        for (int i = 0; i < selection.Configurations.Count; i++)
        {
            ConfigurationOutcome c = selection.Configurations[i];
            csv.Add(c.Name, c.LearningRate, c.BatchSize, c.IsDefault, i == selection.Selected, Word(c.Fate), c.Estimate, c.Predicted,
                c.PredictedError, c.Final, part.Data.Synthetic);
        }
        return csv;
    }

    private static void Curve(Chart chart, ConfigurationOutcome c, int probeEpochs)
    {
        (double X, double Y)[] points = [.. c.EpochLosses.Select((loss, i) => (i + 1.0, loss))];
        string color = Palette.Fate(c.Fate);
        int seen = c.Fate == ConfigurationFate.Stopped ? Math.Clamp(probeEpochs, 0, points.Length) : points.Length;
        chart.Line(points[..seen], color);
        if (seen < points.Length) chart.Line(points[Math.Max(0, seen - 1)..], color, Dash.Dotted);
        if (c.IsDefault) chart.Line(points, Palette.Ink, Dash.Dashed, 1.4f);
        (double X, double Y)[] finite = [.. points.Where(p => double.IsFinite(p.Y))];
        if (finite.Length == 0) return;
        if (c.Fate == ConfigurationFate.Diverged) chart.Points([finite[^1]], Mark.Cross, color);
        else if (finite.Length == 1) chart.Points(finite, Mark.Circle, color, 5);
    }

    private static void Ring(StudyPart part, Chart chart, ConfigurationOutcome[] shown)
    {
        ConfigurationOutcome? selected = part.Selection.Configurations.ElementAtOrDefault(part.Selection.Selected);
        foreach (ConfigurationOutcome c in shown)
        {
            (double, double) place = (c.Final!.Value, c.Predicted!.Value);
            if (ReferenceEquals(c, selected))
            {
                chart.Points([place], Mark.OpenCircle, Palette.Ink, 17);
                chart.Legend(new LegendEntry("selected", Palette.Ink, Mark.OpenCircle));
            }
            if (c.IsDefault)
            {
                chart.Points([place], Mark.OpenSquare, Palette.Ink, 17);
                chart.Legend(new LegendEntry("default configuration", Palette.Ink, Mark.OpenSquare));
            }
        }
    }

    private static string Caption(SelectionSummary selection, int shown)
    {
        string caption = $"Final training loss predicted from the first {Epochs(selection.ProbeEpochs)}, with its standard error, "
            + $"against the loss reached after {Epochs(selection.FullEpochs)}; "
            + $"{Numbers.Count(shown)} of {Numbers.Count(selection.Configurations.Count)} configurations have both.";
        int diverged = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Diverged);
        if (diverged > 0) caption += $" {Numbers.Count(diverged)} diverged.";
        if (!selection.Validated) caption += " The stopped ones were not finished, so R² and ρ are not known.";
        return caption;
    }

    private static bool Positive(double? value) => value is { } v && double.IsFinite(v) && v > 0;

    private static bool Wide(IEnumerable<double> losses)
    {
        double[] finite = [.. losses.Where(double.IsFinite)];
        return finite.Length > 0 && finite.Min() > 0 && finite.Max() / finite.Min() > RatioForLogarithm;
    }
}

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

/// <summary>
/// What a part found, in plain sentences: an exponent with its interval, or that the data cannot support one. Powers carry a caret.
/// </summary>
internal static class Headline
{
    /// <summary>The sentences on model size, data size, and compute where there is a frontier.</summary>
    public static IEnumerable<string> Scaling(StudyPart part)
    {
        yield return Sentence(part, ResourceNames.Parameters, "model size", "N", "parameters");
        yield return Sentence(part, ResourceNames.Items, "data size", "D", part.ItemName);
        if (part.Grid.Fits.Any(f => f.Resource == ResourceNames.Compute))
            yield return Sentence(part, ResourceNames.Compute, "compute", "C", "compute");
    }

    /// <summary>What selection did, and what that was worth.</summary>
    public static string Selection(SelectionSummary selection)
    {
        int count = selection.Configurations.Count;
        if (count == 0) return "No configurations were searched.";
        int kept = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept);
        string text = $"Training performance estimation kept {Numbers.Count(kept)} of {Numbers.Count(count)} configurations after "
            + $"{Numbers.Count(selection.ProbeEpochs)} of {SelectionFigures.Epochs(selection.FullEpochs)}, "
            + $"saving {Numbers.Percent(selection.ComputeSaved)} of the compute of running all to the end";
        return selection.Validated
            ? $"{text}; against the truth, {Agreement(selection)}."
            : text + "; not checked against the truth.";
    }

    public static string Agreement(SelectionSummary selection) =>
        $"R² = {Numbers.Significant(selection.R2, 3)}, Spearman ρ = {Numbers.Significant(selection.Spearman, 3)}";

    private static string Sentence(StudyPart part, string resource, string name, string symbol, string unit)
    {
        FitSummary? fit = Best(part.Grid.Fits.Where(f => f.Resource == resource));
        if (fit is null) return $"The data cannot support an exponent for {name}: no power law was fitted.";
        string basis = $"{Numbers.Count(fit.PointCount)} {(fit.PointCount == 1 ? "run" : "runs")}, {fit.Held}";
        string caution = fit.Caution.Length > 0 ? $" Caution: {fit.Caution.TrimEnd('.')}." : "";
        if (!HasInterval(fit)) return $"The data cannot support an exponent for {name} ({basis}).{caution}";
        string interval = $"95 % interval {Numbers.Fixed(fit.BetaLow!.Value, 3)} to {Numbers.Fixed(fit.BetaHigh!.Value, 3)}";
        if (fit.BetaLow <= 0 && fit.BetaHigh >= 0)
        {
            return $"The data cannot tell whether loss falls with {name}: the exponent is {Numbers.Fixed(fit.Beta, 3)}, "
                + $"but its {interval} includes zero ({basis}).{caution}";
        }
        string what = fit.Form == "power-law" ? "Loss" : $"Loss above a floor of {Numbers.Significant(fit.Floor)} {part.LossUnit}";
        string share = Numbers.Percent(Math.Pow(10, -fit.Beta));
        string effect = $"ten times the {unit} {(fit.Beta > 0 ? $"leave {share} of it" : $"make it {share}")}";
        return $"{what} {(fit.Beta > 0 ? "falls" : "rises")} with {name} as {symbol}^{Numbers.Fixed(-fit.Beta, 3)} "
            + $"(exponent {Numbers.Fixed(fit.Beta, 3)}, {interval}; {basis}): {effect}.{caution}";
    }

    /// <summary>The fit that says most: with an interval, no caution, over all points, of the plain form, with most points.</summary>
    private static FitSummary? Best(IEnumerable<FitSummary> fits) => fits
        .OrderByDescending(HasInterval).ThenBy(f => f.Caution.Length > 0).ThenBy(f => f.WithoutStillFalling)
        .ThenByDescending(f => f.Form == "power-law")
        .ThenByDescending(f => f.PointCount).ThenByDescending(f => f.HeldValue ?? 0).FirstOrDefault();

    private static bool HasInterval(FitSummary fit) =>
        double.IsFinite(fit.Beta) && double.IsFinite(fit.BetaLow ?? double.NaN) && double.IsFinite(fit.BetaHigh ?? double.NaN);
}
