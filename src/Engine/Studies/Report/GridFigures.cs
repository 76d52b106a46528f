using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The figures of the grid: loss against each resource with the fitted power laws, and the validation curves.</summary>
internal static class GridFigures
{
    public static Figure Parameters(StudyPart part, string slug) => Loss(part, $"{slug}-loss-vs-parameters", ResourceNames.Parameters,
        "Loss against model size, for each data size", "Non-embedding parameters N", p => p.Parameters, p => p.Items,
        value => Data(part, value));

    public static Figure Items(StudyPart part, string slug) => Loss(part, $"{slug}-loss-vs-data", ResourceNames.Items,
        "Loss against data size, for each model size", $"Unique training {part.ItemName} D", p => p.Items, p => p.Parameters,
        value => Model(part, value));

    public static Figure Compute(StudyPart part, string slug) => Loss(part, $"{slug}-loss-vs-compute", ResourceNames.Compute,
        "Loss against compute", "Training compute C = 6 N S (FLOP)", p => p.Compute, p => p.Parameters, value => Model(part, value));

    public static Figure Curves(StudyPart part, string slug)
    {
        long[] data = Distinct(part, p => p.Items), models = Distinct(part, p => p.Parameters);
        Chart chart = New(part, "Validation loss along each run", $"Training {part.ItemName} seen S, repeats included");
        var csv = new CsvWriter("run", "model", "parameters", "items", "items_seen", "loss", "synthetic");
        foreach (GridPoint point in part.Grid.Points)
        {
            int d = Array.IndexOf(data, point.Items), n = Array.IndexOf(models, point.Parameters);
            (double X, double Y)[] curve = [.. point.Curve.Select(c => ((double)c.ItemsSeen, c.Loss))];
            chart.Line(curve, Palette.Ordered(d, data.Length), Dashes(n));
            if (curve.Length > 0) chart.Points(curve[^1..], Marks.Of(n, point.StillFalling), Palette.Ordered(d, data.Length), 7);
            foreach (CurvePoint c in point.Curve)
                csv.Add(point.Name, point.ModelName, point.Parameters, point.Items, c.ItemsSeen, c.Loss, part.Data.Synthetic);
        }
        if (!chart.IsEmpty)
        {
            for (int i = 0; i < data.Length; i++)
                chart.Legend(new LegendEntry(Data(part, data[i]), Palette.Ordered(i, data.Length), Line: Dash.Solid));
            for (int i = 0; i < models.Length; i++)
                chart.Legend(new LegendEntry(Model(part, models[i]), Palette.Ink, Marks.Of(i, open: false), Dashes(i)));
        }
        string caption = "Loss on the one fixed validation set while training.";
        if (part.Grid.Points.Any(p => p.StillFalling)) caption += " An open mark at the end: still falling when the cap on S was reached.";
        return new Figure($"{slug}-validation-curves", chart, caption, csv);
    }

    private static Figure Loss(StudyPart part, string name, string resource, string title, string xLabel,
        Func<GridPoint, double> at, Func<GridPoint, long> group, Func<double, string> label)
    {
        Chart chart = New(part, title, xLabel);
        var csv = new CsvWriter("kind", "series", "form", resource, "loss", "low", "high", "still_falling", "synthetic");
        long[] groups = Distinct(part, group);
        FitSummary[] fits = [.. part.Grid.Fits.Where(f => f.Resource == resource)];
        foreach (FitSummary fit in fits)
        {
            int index = resource == ResourceNames.Compute || fit.HeldValue is not { } held ? -1 : Array.FindIndex(groups, g => g == held);
            Fit(chart, fit, index < 0 ? Palette.Ink : Palette.Ordered(index, groups.Length));
            foreach (BandPoint b in fit.Band)
            {
                string kind = fit.WithoutStillFalling ? "fit without still falling" : "fit";
                csv.Add(kind, fit.Held, fit.Claim.Family, b.Resource, b.Loss, b.Low, b.High, null, part.Data.Synthetic);
            }
        }
        for (int g = 0; g < groups.Length; g++)
        {
            string color = Palette.Ordered(g, groups.Length);
            GridPoint[] points = [.. part.Grid.Points.Where(p => group(p) == groups[g]).OrderBy(at)];
            chart.Points(points.Where(p => !p.StillFalling).Select(p => (at(p), p.Loss)), Marks.Of(g, open: false), color);
            chart.Points(points.Where(p => p.StillFalling).Select(p => (at(p), p.Loss)), Marks.Of(g, open: true), color);
            FitSummary? plain = fits.FirstOrDefault(f => f.IsPlain && f.HeldValue == groups[g]);
            chart.Legend(new LegendEntry(label(groups[g]) + (plain is null ? "" : $": {plain.Claim.GradeName}"), color, Marks.Of(g, open: false),
                plain is { Band.Count: > 0 } ? Dash.Solid : null));
            foreach (GridPoint p in points)
                csv.Add("point", label(groups[g]), null, at(p), p.Loss, null, null, p.StillFalling, part.Data.Synthetic);
        }
        foreach (FitSummary fit in fits.Where(f => f.IsPlain && f.Band.Count > 0 && (resource == ResourceNames.Compute || !groups.Any(g => g == f.HeldValue))))
            chart.Legend(new LegendEntry($"{fit.Held}: {fit.Claim.GradeName}", Palette.Ink, Line: Form(fit)));
        Explain(chart, part, fits);
        return new Figure(name, chart, Caption(part, fits, resource, at), csv);
    }

    private static void Fit(Chart chart, FitSummary fit, string color)
    {
        // One band for each line of points: those of the other forms would hide each other.
        if (Form(fit) == Dash.Solid) chart.Band(fit.Band.Select(b => (b.Resource, b.Low, b.High)), color);
        chart.Line(fit.Band.Select(b => (b.Resource, b.Loss)), color, Form(fit));
    }

    private static void Explain(Chart chart, StudyPart part, FitSummary[] fits)
    {
        if (fits.Any(f => Form(f) == Dash.Solid && f.Band.Any(b => double.IsFinite(b.Low) && double.IsFinite(b.High))))
            chart.Legend(new LegendEntry("power law, 95 % profile band", Palette.Faint, Line: Dash.Solid, Band: true));
        if (fits.Any(f => Form(f) == Dash.Dashed && f.Band.Count > 0)) chart.Legend(new LegendEntry("with a floor", Palette.Faint, Line: Dash.Dashed));
        if (fits.Any(f => Form(f) == Dash.Dotted && f.Band.Count > 0))
            chart.Legend(new LegendEntry("without points still falling", Palette.Faint, Line: Dash.Dotted));
        if (part.Grid.Points.Any(p => p.StillFalling))
            chart.Legend(new LegendEntry("open: still falling at the cap", Palette.Ink, Mark.OpenCircle));
    }

    private static string Caption(StudyPart part, FitSummary[] fits, string resource, Func<GridPoint, double> at)
    {
        IReadOnlyList<GridPoint> points = part.Grid.Points;
        GridPoint[] missing = [.. points.Where(p => !(at(p) > 0) || !double.IsFinite(p.Loss))];
        string caption = points.Count switch
        {
            0 => "No runs.",
            1 => "Least validation loss of the one run.",
            _ => $"Least validation loss of each of the {Numbers.Count(points.Count)} runs.",
        };
        if (missing.Length > 0) caption += $" Not drawn, having no such number: {string.Join(", ", missing.Select(p => p.Name))}.";
        FitSummary[] plain = [.. fits.Where(f => f.IsPlain)];
        if (plain.Length == 0) caption += resource == ResourceNames.Compute ? " No frontier was fitted." : " No power law was fitted.";
        else if (resource == ResourceNames.Compute) caption += " The line is fitted to the frontier: the runs that no cheaper run beats.";
        FitSummary[] refused = [.. plain.Where(f => f.Claim.Grade == ClaimGrade.Refused)];
        if (refused.Length > 0) caption += $" No line, for the reason in the table: {string.Join("; ", refused.Select(f => f.Held))}.";
        return caption;
    }

    private static Chart New(StudyPart part, string title, string xLabel) =>
        new(title, new ChartAxis(xLabel, Logarithmic: true, Powers: true),
            // A loss of zero has no place on a logarithmic axis.
            new ChartAxis($"Validation loss ({part.LossUnit})", Logarithmic: part.Grid.Points.All(p => p.Loss > 0 || double.IsNaN(p.Loss))))
        {
            Synthetic = part.Data.Synthetic,
        };

    private static Dash Form(FitSummary fit) =>
        fit.WithoutStillFalling ? Dash.Dotted : fit.IsPlain ? Dash.Solid : Dash.Dashed;

    private static Dash Dashes(int index) => (Dash)(index % Enum.GetValues<Dash>().Length);

    private static string Count(double value) => Numbers.Count((long)value);

    private static string Data(StudyPart part, double items) => $"D = {Count(items)} {part.ItemName}";

    private static string Model(StudyPart part, double parameters)
    {
        IEnumerable<GridPoint> points = part.Grid.Points.Where(p => p.Parameters == parameters);
        string[] names = [.. points.Select(p => p.ModelName).Distinct().Where(n => n.Length > 0)];
        return names.Length == 1 ? $"N = {Count(parameters)} ({names[0]})" : $"N = {Count(parameters)}";
    }

    private static long[] Distinct(StudyPart part, Func<GridPoint, long> value) => [.. part.Grid.Points.Select(value).Distinct().Order()];
}

/// <summary>The figures of one part, and the name its anchors and files begin with.</summary>
internal sealed record PartFigures(string Slug, IReadOnlyList<Figure> Selection, IReadOnlyList<Figure> Grid, Figure? Allocation)
{
    public IEnumerable<Figure> All => [.. Selection, .. Grid, .. Allocation is null ? (Figure[])[] : [Allocation]];

    public static IReadOnlyList<PartFigures> Of(StudySummary summary)
    {
        var taken = new HashSet<string>();
        return [.. summary.Parts.Select(part => Of(part, Slugged(part.Family, taken)))];
    }

    private static PartFigures Of(StudyPart part, string slug) => new(slug,
        OfSelection(part, slug),
        [
            GridFigures.Parameters(part, slug), GridFigures.Items(part, slug), GridFigures.Compute(part, slug),
            GridFigures.Curves(part, slug), ResidualFigures.PowerLaws(part, slug),
        ],
        AllocationSection.Figure(part, slug));

    /// <summary>Those of the selection; what errors and times allow.</summary>
    public static IReadOnlyList<Figure> OfSelection(StudyPart part, string slug) =>
    [
        SelectionFigures.Predictions(part, slug), SelectionFigures.Curves(part, slug), ResidualFigures.Predictions(part, slug),
        // Recorded curves mostly come without times.
        .. part.Selection.Configurations.Count == 0 || part.Selection.Configurations.Any(c => c.SecondsPerEpoch > 0)
            ? (Figure[])[ParetoFigure.Of(part, slug)] : [],
    ];

    private static string Slugged(string family, HashSet<string> taken)
    {
        string name = string.Concat(family.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c)).Take(40));
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) name = "part" + name;
        string slug = name;
        for (int i = 2; !taken.Add(slug); i++) slug = $"{name}-{i}";
        return slug;
    }
}
