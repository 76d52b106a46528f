using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
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
        ConfigurationOutcome[] shown = [.. selection.Configurations.Where(c => IsNumber(c.Predicted) && IsNumber(c.Final))];
        bool logarithmic = Wide(shown.SelectMany(c => new[] { c.Predicted!.Value, c.Final!.Value }));
        var chart = new Chart($"Predicted and true loss: {Headline.Agreement(selection)}",
            new ChartAxis($"True final training loss ({part.LossUnit})", logarithmic),
            new ChartAxis($"Predicted final loss ({part.LossUnit})", logarithmic))
        {
            Synthetic = part.Data.Synthetic,
            Identity = true,
        };
        foreach (ConfigurationOutcome c in shown)
            if (Bar(c) is var (low, high)) chart.Bar(c.Final!.Value, low, high, Palette.Fate(c.Fate));
        foreach (ConfigurationFate fate in shown.Select(c => c.Fate).Distinct().Order())
        {
            var points = shown.Where(c => c.Fate == fate).Select(c => (c.Final!.Value, c.Predicted!.Value));
            chart.Points(points, Palette.FateMark(fate), Palette.Fate(fate));
            chart.Legend(new LegendEntry(Word(fate), Palette.Fate(fate), Palette.FateMark(fate)));
        }
        Ring(part, chart, shown);
        if (!chart.IsEmpty) chart.Legend(new LegendEntry("prediction = truth", Palette.Faint, Line: Dash.Dashed));
        return new Figure($"{slug}-predicted-vs-true", chart, Caption(selection, shown), Table(part));
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
        string caption = $"Mean training loss of each epoch{Short(selection)}. Selection saw only what lies left of the vertical line, "
            + $"{Numbers.Count(selection.ProbeEpochs)} of {Epochs(selection.FullEpochs)}.";
        return new Figure($"{slug}-loss-curves", chart, caption, csv);

        static string Short(SelectionSummary selection)
        {
            string[] missing = [.. selection.Configurations.Where(c => !c.EpochLosses.Any(double.IsFinite)).Select(c => c.Name)];
            int cut = selection.Configurations.Sum(c => c.EpochLosses.Count(loss => !double.IsFinite(loss)));
            return (cut > 0 ? $"; {cut} of {selection.Configurations.Sum(c => c.EpochLosses.Count)} are no numbers, and not drawn" : "")
                + (missing.Length > 0 ? $"; without any: {string.Join(", ", missing)}" : "");
        }
    }

    /// <summary>TSE is an abbreviation, the other estimators are words.</summary>
    public static string Estimate(SelectionSummary selection) =>
        selection.Estimator.StartsWith("tse", StringComparison.Ordinal) ? selection.Estimator.ToUpperInvariant().Replace('-', '\u2011') : selection.Estimator;

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

    /// <summary>How many of the configurations a figure shows; and the others by name, with the reason.</summary>
    public static string Counted(SelectionSummary selection, IReadOnlyCollection<ConfigurationOutcome> shown, bool needsTime = false)
    {
        string text = $"{Numbers.Count(shown.Count)} of {Numbers.Count(selection.Configurations.Count)} configurations are drawn.";
        ConfigurationOutcome[] missing = [.. selection.Configurations.Where(c => !shown.Contains(c))];
        return missing.Length == 0 ? text : $"{text} Not drawn: {string.Join(", ", missing.Select(c => $"{c.Name} ({Why(c)})"))}.";

        string Why(ConfigurationOutcome c) => c.Fate == ConfigurationFate.Diverged ? "diverged" : needsTime && !(c.SecondsPerEpoch > 0) ? "no time"
            : !needsTime && !IsNumber(c.Final) ? "not finished" : "no prediction";
    }

    /// <summary>One standard error down and up: of the logarithm, and so above zero.</summary>
    public static (double Low, double High)? Bar(ConfigurationOutcome c)
    {
        if (c is not { Predicted: { } p, PredictedError: { } error } || !double.IsFinite(p) || !double.IsFinite(error) || error <= 0) return null;
        return p > 0 ? (p * p / (p + error), p + error) : (p - error, p + error);
    }

    public static bool IsNumber(double? value) => value is { } v && double.IsFinite(v);

    private static string Caption(SelectionSummary selection, IReadOnlyCollection<ConfigurationOutcome> shown)
    {
        string caption = $"Final training loss predicted from the first {(selection.ProbeEpochs == 1 ? "epoch" : Epochs(selection.ProbeEpochs))}, with its standard error, "
            + $"against the loss reached after {Epochs(selection.FullEpochs)}; "
            + Counted(selection, shown);
        if (!selection.Validated)
            caption += AllEnded(selection) ? " Too few ended for R² and ρ." : " The stopped ones were not finished, so R² and ρ are not known.";
        return caption;
    }

    /// <summary>Whatever was stopped was finished nevertheless, to compare.</summary>
    public static bool AllEnded(SelectionSummary selection) => selection.Configurations.All(c => c.Final is not null || c.Fate == ConfigurationFate.Diverged);

    /// <summary>So far apart that a linear axis hides the good ones; never where a logarithmic one would leave any out.</summary>
    public static bool Wide(IEnumerable<double> losses)
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
        bool logarithmic = SelectionFigures.Wide(losses);
        bool calibrated = selection.Configurations.Any(c => c.Predicted is not null);
        string loss = calibrated ? $"Predicted final loss ({part.LossUnit})" : $"{SelectionFigures.Estimate(selection)} of the probe";
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
        return new Figure($"{slug}-speed-accuracy", chart,
            Caption(calibrated) + " " + SelectionFigures.Counted(selection, [.. shown.Select(s => s.Outcome)], needsTime: true), Table(part, shown, front));
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
        yield return Sentence(part, ResourceNames.Parameters, "model size", "parameters");
        yield return Sentence(part, ResourceNames.Items, "data size", part.ItemName);
        if (part.Grid.Fits.Any(f => f.Resource == ResourceNames.Compute)) yield return Sentence(part, ResourceNames.Compute, "compute", "compute");
    }

    /// <summary>What selection did, and what that was worth.</summary>
    public static string Selection(SelectionSummary selection)
    {
        int count = selection.Configurations.Count;
        if (count == 0) return "No configurations were searched.";
        int kept = selection.Configurations.Count(c => c.Fate == ConfigurationFate.Kept);
        string text = $"Training performance estimation kept {Numbers.Count(kept)} of {Numbers.Count(count)} configurations after "
            + $"{Numbers.Count(selection.ProbeEpochs)} of {SelectionFigures.Epochs(selection.FullEpochs)}, "
            + $"saving {Numbers.Percent(selection.ComputeSaved)} of the training steps of running all to the end";
        return (selection.Validated
            ? $"{text}; against the truth, each predicted from the others, {Agreement(selection)}. {Calibration(selection)}"
            : text + (SelectionFigures.AllEnded(selection) ? "; too few ended to compare it with the truth." : "; not checked against the truth.")).TrimEnd()
            + (selection.Cautions.Count > 0 ? " Caution: " + string.Join(" ", selection.Cautions) : "");
    }

    /// <summary>How often the intervals of predictions held what came.</summary>
    public static string Calibration(SelectionSummary selection) => selection.WithinInterval is { } within
        ? $"{Numbers.Count(within)} of {Numbers.Count(selection.Finished)} ended within the 95 % interval of their prediction from the others." : "";

    public static string Agreement(SelectionSummary selection) =>
        !double.IsFinite(selection.R2 ?? double.NaN) && !double.IsFinite(selection.Spearman ?? double.NaN) ? "too few ended to say how well"
            : $"R² = {Numbers.Significant(selection.R2, 3)}, Spearman ρ = {Numbers.Significant(selection.Spearman, 3)}";

    /// <summary>
    /// The claim on the series of most data, of the largest model, or on the frontier: chosen before it is looked at. Then what the other
    /// series say; where the loss rises, by name.
    /// </summary>
    private static string Sentence(StudyPart part, string resource, string name, string unit)
    {
        FitSummary[] series = [.. part.Grid.Fits.Where(f => f.Resource == resource && f.IsPlain).OrderBy(f => f.HeldValue ?? 0)];
        if (series.Length == 0) return $"Nothing is said of {name}: there are no runs.";
        Claim claim = series[^1].Claim;
        string effect = claim is { Grade: ClaimGrade.Shown, Exponent: { } e }
            ? $" Ten times the {unit} {(claim.Rises ? "make it" : "leave")} {Numbers.Percent(Math.Pow(10, -e.Value))}{(claim.Rises ? "" : " of it")}." : "";
        string cautions = claim.Cautions.Count > 0 ? $" Caution: {string.Join("; ", claim.Cautions)}." : "";
        return $"{Capital(name)}: {claim.GradeName}. {ClaimCells.Typeset(claim.Words)}{effect}{Others(series)}{cautions}";
    }

    private static string Others(FitSummary[] series)
    {
        string text = "";
        if (series.Length > 1)
        {
            var grades = series.GroupBy(f => f.Claim.Grade).OrderByDescending(g => g.Key).Select(g => $"{g.Count()} {g.First().Claim.GradeName}");
            text = $" Of the {series.Length} series: {string.Join(", ", grades)}.";
        }
        string[] rising = [.. series.Where(f => f.Claim.Rises).Select(f => $"{f.Held} ({f.Claim.GradeName})")];
        return rising.Length == 0 ? text : $"{text} The fitted loss rises at {string.Join(", ", rising)}.";
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
