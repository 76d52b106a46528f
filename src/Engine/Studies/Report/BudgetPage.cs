using System.Xml.Linq;
using ChemScale.Engine.Files;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>budgets.html, budgets.json and figures/ of a study of compute budgets.</summary>
internal static class BudgetPage
{
    public const string PageName = "budgets.html", SummaryName = "budgets.json";

    private const string Title = "Compute-optimal models";

    /// <exception cref="InputException">The directory cannot be written.</exception>
    public static void Write(BudgetSummary summary, string directory)
    {
        (BudgetPart Part, Figure Curves, Figure Sizes)[] parts = [.. summary.Parts.Select(p => (p, Curves(p, Slug(p)), Sizes(p, Slug(p))))];
        ReportFiles.Write(directory, [(SummaryName, SummaryJson.Sealed(summary))], parts.SelectMany(p => (Figure[])[p.Curves, p.Sizes]),
            (PageName, Render(summary, parts)), DiskStorage.Shared);
    }

    private static string Render(BudgetSummary summary, (BudgetPart Part, Figure Curves, Figure Sizes)[] parts) => ReportPage.Page(Title,
        Html.Element("header", Html.Element("h1", Title),
            Html.Paragraph(Html.Class("meta"), $"Took {Numbers.Duration(summary.Seconds)}, on {summary.Host.Device}."),
            summary.Parts.Any(p => p.Data.Synthetic) ? Html.Paragraph(Html.Class("banner"), Html.SyntheticLabel(true), " Parts so marked are of data made by a program.") : null),
        parts.Select(p => Part(p.Part, p.Curves, p.Sizes)),
        Html.Section("commands", 2, "Commands", Html.Code(summary.Command)));

    private static XElement Part(BudgetPart part, Figure curves, Figure sizes) => Html.Section(Slug(part), 2, part.Family,
        Html.Element("ul", Claims(part).Select(c => Html.Element("li", Html.Powers(ClaimCells.Typeset(c.Words))))),
        ReportPage.Figure(curves), Minima(part), ReportPage.Figure(sizes), Points(part), Fastest(part), Html.List(part.Cautions));

    /// <summary>What a page or a terminal says, in order.</summary>
    internal static IEnumerable<Claim> Claims(BudgetPart part) => [part.Loss, part.Parameters, part.Items];

    private static XElement Minima(BudgetPart part)
    {
        var table = new HtmlTable("The best size of each budget: minimum of a parabola of log loss in log N", part.Data.Synthetic, Number("C (FLOP)"), Number("Sizes"),
            Number("N"), Number("95 %, profile"), Number($"D ({part.ItemName})"), Number($"Loss ({part.LossUnit})"), Text("Why none"));
        foreach (IsoFlopMinimum m in part.Minima)
        {
            table.Add(Numbers.Significant(m.Compute, 3), Numbers.Count(m.Count), Numbers.Significant(m.Parameters, 3), Range(m), Numbers.Significant(m.Data, 3),
                Numbers.Significant(m.Loss), m.Problem);
        }
        return table.Render();
    }

    private static XElement Points(BudgetPart part)
    {
        string caption = $"Every training, {Numbers.Count(part.Points.Count)} of them, and {Numbers.Count(part.Tuning.Count)} at learning rates that were not chosen";
        var table = new HtmlTable(caption, part.Data.Synthetic, Text("Size"), Number("N"), Number("C (FLOP)"), Number($"D ({part.ItemName})"), Number("Passes"),
            Number("Learning rate"), Number($"Loss ({part.LossUnit})"), Number("Time"));
        foreach (BudgetPoint p in part.Points.Concat(part.Tuning))
        {
            table.Add(Html.Unbroken(p.ModelName), Numbers.Count(p.Parameters), Numbers.Significant(p.Flops, 3), Numbers.Count(p.Items), Numbers.Fixed(p.Passes, 1),
                Numbers.Short(p.LearningRate), Numbers.Significant(p.Loss), Numbers.Duration(p.Seconds));
        }
        return table.Render();
    }

    private static XElement Fastest(BudgetPart part)
    {
        var table = new HtmlTable("The trainings that no shorter one equals, by measured time on this machine", part.Data.Synthetic, Number("Time"), Text("Size"), Number("N"),
            Number("C (FLOP)"), Number($"Loss ({part.LossUnit})"));
        foreach (BudgetPoint p in part.FastestTo)
            table.Add(Numbers.Duration(p.Seconds), Html.Unbroken(p.ModelName), Numbers.Count(p.Parameters), Numbers.Significant(p.Flops, 3), Numbers.Significant(p.Loss));
        return table.Render();
    }

    private static Figure Curves(BudgetPart part, string slug)
    {
        var chart = new Chart("Loss against model size, for each budget", new ChartAxis("Non-embedding parameters N", Logarithmic: true, Powers: true),
            new ChartAxis($"Validation loss ({part.LossUnit})", Logarithmic: true))
        { Synthetic = part.Data.Synthetic };
        var csv = new CsvWriter("kind", "budget", "parameters", "items", "loss", "low", "high", "synthetic");
        for (int b = 0; b < part.Minima.Count; b++)
        {
            IsoFlopMinimum minimum = part.Minima[b];
            string color = Palette.Ordered(b, part.Minima.Count), label = $"C = {Numbers.Power(minimum.Compute, 3)} FLOP";
            BudgetPoint[] points = [.. part.Points.Where(p => Math.Abs(p.Budget - minimum.Compute) < 1e-6 * p.Budget && p.Loss is not null).OrderBy(p => p.Parameters)];
            chart.Line(points.Select(p => ((double)p.Parameters, p.Loss!.Value)), color);
            chart.Points(points.Select(p => ((double)p.Parameters, p.Loss!.Value)), Marks.Of(b, open: false), color);
            if (minimum is { Parameters: { } n, Loss: { } loss }) chart.Points([(n, loss)], Marks.Of(b, open: true), color, 13);
            chart.Legend(new LegendEntry(label, color, Marks.Of(b, open: false), Dash.Solid));
            foreach (BudgetPoint p in points) csv.Add("training", p.Budget, p.Parameters, p.Items, p.Loss, null, null, part.Data.Synthetic);
            csv.Add("minimum", minimum.Compute, minimum.Parameters, minimum.Data, minimum.Loss, minimum.ParametersInterval?.Low, minimum.ParametersInterval?.High,
                part.Data.Synthetic);
        }
        int lost = part.Points.Count(p => p.Loss is null), without = part.Minima.Count(m => m.Parameters is null);
        string caption = $"{Numbers.Count(part.Points.Count - lost)} trainings, each to the end of its own schedule. Large open marks: minima of the parabolas.";
        if (lost > 0) caption += $" Not drawn, having no loss: {string.Join(", ", part.Points.Where(p => p.Loss is null).Select(p => p.Name))}.";
        if (without > 0) caption += $" {without} of {part.Minima.Count} budgets have no minimum, for the reason in the table.";
        return new Figure($"{slug}-budgets", chart, caption, csv);
    }

    private static Figure Sizes(BudgetPart part, string slug)
    {
        var chart = new Chart("The best model size against compute", new ChartAxis("Training compute C (FLOP)", Logarithmic: true, Powers: true),
            new ChartAxis("Non-embedding parameters N", Logarithmic: true, Powers: true))
        { Synthetic = part.Data.Synthetic };
        var csv = new CsvWriter("compute", "parameters", "low", "high", "synthetic");
        IsoFlopMinimum[] found = [.. part.Minima.Where(m => m.Parameters is not null)];
        chart.Band(found.Where(m => m.ParametersInterval is { Low: not null, High: not null })
            .Select(m => (m.Compute, m.ParametersInterval!.Low!.Value, m.ParametersInterval.High!.Value)), Palette.Ink);
        chart.Points(found.Select(m => (m.Compute, m.Parameters!.Value)), Mark.Circle, Palette.Ink);
        chart.Legend(new LegendEntry($"N(C): {part.Parameters.GradeName}", Palette.Ink, Mark.Circle));
        foreach (IsoFlopMinimum m in part.Minima) csv.Add(m.Compute, m.Parameters, m.ParametersInterval?.Low, m.ParametersInterval?.High, part.Data.Synthetic);
        int open = found.Count(m => m.ParametersInterval is not { Low: not null, High: not null });
        string caption = $"{found.Length} of {part.Minima.Count} budgets have a minimum; band: their 95 % profile intervals.";
        if (open > 0) caption += $" {open} of the intervals {(open == 1 ? "has an open end and is" : "have open ends and are")} not drawn.";
        return new Figure($"{slug}-best-size", chart, caption, csv);
    }

    private static string? Range(IsoFlopMinimum m) => m.ParametersInterval is not { } interval ? null
        : interval is { Low: null, High: null } ? "not bounded" : $"{Numbers.Significant(interval.Low, 3)} to {Numbers.Significant(interval.High, 3)}";

    private static string Slug(BudgetPart part) => string.Concat(part.Family.ToLowerInvariant().Where(char.IsAsciiLetterOrDigit));
}
