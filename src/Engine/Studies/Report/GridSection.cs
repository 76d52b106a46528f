using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Summary;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The grid of model sizes and data sizes: figures, points, fits, cautions.</summary>
internal static class GridSection
{
    public static XElement Render(StudyPart part, string slug, IReadOnlyList<XElement> figures, XElement? allocation)
    {
        GridSummary grid = part.Grid;
        return Html.Section($"{slug}-grid", 3, "Scaling grid",
            Html.Paragraph(
                grid.Points.Count switch { 0 => "No runs", 1 => "One run", _ => $"{Numbers.Count(grid.Points.Count)} runs" },
                "; selected learning rate ", Html.Powers(Numbers.Short(grid.LearningRate)), $", batch size {Numbers.Count(grid.BatchSize)}."),
            Html.Element("div", Html.Class("figures"), figures),
            Points(part), Fits(part), ExtrapolationSection.Render(part, slug), AllocationSection.Render(part, slug, allocation),
            Html.Element("h4", "Cautions"),
            Html.List(grid.Cautions) ?? Html.Paragraph("None were raised."));
    }

    private static XElement Points(StudyPart part)
    {
        string caption = $"Points of the grid; loss in {part.LossUnit}, the least on the one fixed validation set";
        bool molecules = part.Grid.Points.Any(p => p.LossPerMolecule is not null);
        var table = new HtmlTable(caption, part.Data.Synthetic, [Text("Run"), Text("Model"), Number("N"), Number("Learning rate"), Number("Documents"),
            Number($"D ({part.ItemName})"), Number($"S ({part.ItemName})"), Number("S/D"), Number("C (FLOP)"), Number("Loss"),
            .. Optional(Number("Nats per molecule")), Text("At the end"), Number("Time")]);
        foreach (GridPoint p in part.Grid.Points)
        {
            object?[] cells = [Html.Unbroken(p.Name), Html.Unbroken(p.ModelName), Numbers.Count(p.Parameters), Numbers.Short(p.LearningRate),
                Numbers.Count(p.Documents),
                Numbers.Count(p.Items), Numbers.Count(p.ItemsSeen), Numbers.Significant((double)p.ItemsSeen / p.Items, 3),
                Numbers.Significant(p.Compute, 3), Numbers.Significant(p.Loss), .. Optional<object?>(Numbers.Significant(p.LossPerMolecule)),
                p.StillFalling ? Html.Element("span", Html.Class("tag warn"), "still falling") : "settled", Numbers.Duration(p.Seconds)];
            table.Add(cells);
        }
        return table.Render();

        IEnumerable<T> Optional<T>(T value) => molecules ? [value] : [];
    }

    private static XElement Fits(StudyPart part)
    {
        string caption = "What the series of the grid say: L = α R^−β, plus the floor where the form has one; every series, with its grade";
        var table = new HtmlTable(caption, part.Data.Synthetic, Text("R"), Text("Held"), Text("Form"), Number("Points"), Text("Grade"), Number("Law"),
            Number("β"), Number("95 % profile interval of β"), Number("Degrees of freedom"), Number("Missed the largest by, %"), Number("R² of log loss"));
        foreach (FitSummary f in part.Grid.Fits)
        {
            Claim claim = f.Claim;
            table.Add(Symbol(f.Resource), Html.Unbroken(f.Held), Html.Unbroken(claim.Family.Replace('-', ' ')), Numbers.Count(claim.Points.Count),
                Html.Element("span", Html.Class(claim.Grade == ClaimGrade.Shown ? "tag plain" : "tag warn"), claim.GradeName), ClaimCells.Law(claim),
                ClaimCells.Exponent(claim), ClaimCells.Interval(claim), Numbers.Count(claim.Degrees), Percent(claim.Extrapolation?.LogError),
                Numbers.Significant(claim.R2));
            // Why the grade is no better, and what to know beside it.
            string[] words = [.. ((string[])[f.WithoutStillFalling ? "without points still falling" : "", claim.Reason, .. claim.Cautions]).Where(t => t.Length > 0)];
            if (words.Length > 0) table.Note(ClaimCells.Typeset(string.Join("; ", words)));
        }
        return table.Render();
    }

    private static string? Percent(double? log) => log is { } error ? Numbers.Significant(100 * error, 2) : null;

    private static string Symbol(string resource) => resource switch
    {
        ResourceNames.Parameters => "N",
        ResourceNames.Items => "D",
        ResourceNames.Compute => "C",
        _ => resource,
    };
}

/// <summary>Claims as the report writes them.</summary>
internal static partial class ClaimCells
{
    public static string? Law(Claim claim) => claim.Law.Length > 0 ? Typeset(claim.Law) : null;

    public static string? Exponent(Claim claim) => claim.Exponent is { } e ? Typeset(ClaimText.Number(e, e.Value)) : null;

    public static string? Interval(Claim claim) => claim.Exponent is { } e ? Typeset(ClaimText.Range(e)) : null;

    /// <summary>With the minus sign of the other numbers.</summary>
    public static string Typeset(string words) => Minus().Replace(words, "−");

    [GeneratedRegex(@"(?<![\w.])-(?=[\d.])")]
    private static partial Regex Minus();
}

/// <summary>Forms ranked by how they foretell the largest runs from the smaller ones.</summary>
internal static class ExtrapolationSection
{
    public static XElement Render(StudyPart part, string slug)
    {
        IReadOnlyList<ExtrapolationSummary> tests = part.Grid.Extrapolation;
        if (tests.Count == 0)
            return Html.Section($"{slug}-extrapolation", 4, "Which form extrapolates", Html.Paragraph("No series of the grid has the five runs that a test takes."));
        var table = new HtmlTable("Forms fitted to the smaller runs, scored on the largest", part.Data.Synthetic, Text("Series"), Text("Form"), Number("Rank"),
            Number("Error on the large, %"), Number("Bias, %"), Number("Error on the small, %"), Text("Why not"));
        foreach (ExtrapolationSummary test in tests)
        {
            foreach (ExtrapolationRow row in test.Rows)
            {
                table.Add(row.Rank == 1, Html.Unbroken(test.Series), Html.Unbroken(row.Form.Replace('-', ' ')), row.Rank is { } rank ? Numbers.Count(rank) : null,
                    Percent(row.LogError), Percent(row.Bias), Percent(row.TrainingError), row.Refusal);
            }
        }
        return Html.Section($"{slug}-extrapolation", 4, "Which form extrapolates",
            Html.List(tests.Select(Sentence)), table.Render());
    }

    private static string Sentence(ExtrapolationSummary test)
    {
        ExtrapolationRow[] ranked = [.. test.Rows.Where(r => r.Rank is not null)];
        string basis = $"{test.Series}: {Numbers.Count(test.Small)} smaller runs, {Numbers.Count(test.Large)} held out, from {Numbers.Significant(test.Reach, 2)} times the largest of the small";
        return ranked.Length == 0 ? $"{basis}. No form could be fitted to so few."
            : $"{basis}. Least error: {ranked[0].Form.Replace('-', ' ')}, {Percent(ranked[0].LogError)} %"
                + (ranked.Length > 1 ? $"; next {ranked[1].Form.Replace('-', ' ')}, {Percent(ranked[1].LogError)} %." : "; no other form could be fitted.");
    }

    private static string Percent(double? log) => Numbers.Significant(100 * log, 2);
}

/// <summary>How compute would best be shared between model and data; or the sentence why the grid cannot say.</summary>
internal static class AllocationSection
{
    public static XElement? Render(StudyPart part, string slug, XElement? figure)
    {
        if (part.Grid.Allocation is not { } allocation) return null;
        if (allocation.Refusal.Length > 0)
        {
            return Html.Section($"{slug}-allocation", 4, "Compute-optimal allocation",
                Html.Paragraph($"The grid cannot say how to share compute between model and data: {allocation.Refusal.TrimEnd('.')}."),
                Html.Paragraph("The joint form: ", Html.Powers(ClaimCells.Typeset(allocation.Claim.Words))));
        }
        var table = new HtmlTable("The least loss for a compute C = 6 N D, with 95 % intervals by bootstrap", part.Data.Synthetic, Number("C (FLOP)"), Number("N"),
            Number("95 %"), Number($"D ({part.ItemName})"), Number("95 %"), Number($"Loss ({part.LossUnit})"), Number("95 %"), Text("Within the grid"));
        foreach (AllocationRow row in allocation.Rows)
        {
            table.Add(Numbers.Significant(row.Compute, 3), Numbers.Significant(row.Parameters, 3), Range(row.ParametersLow, row.ParametersHigh),
                Numbers.Significant(row.Items, 3), Range(row.ItemsLow, row.ItemsHigh), Numbers.Significant(row.Loss), Range(row.LossLow, row.LossHigh),
                row.Beyond ? Html.Element("span", Html.Class("tag warn"), "extrapolated") : "yes");
        }
        string exponent = allocation.Exponent is not { } a ? ""
            : $"The best N grows as C^a, the best D as C^(1 - a); a: {ClaimText.Interval(a, allocation.Claim.Level, allocation.Claim.Degrees)}.";
        return Html.Section($"{slug}-allocation", 4, "Compute-optimal allocation",
            Html.Paragraph(Html.Powers(ClaimCells.Typeset($"{allocation.Claim.Words} {allocation.Claim.Law}. {exponent}"))),
            figure is null ? null : Html.Element("div", Html.Class("figures"), figure), table.Render(),
            Html.List(allocation.Cautions));
    }

    public static Figure? Figure(StudyPart part, string slug)
    {
        if (part.Grid.Allocation is not { Refusal: "", Rows.Count: > 1 } allocation) return null;
        var chart = new Chart("Compute-optimal model and data", new ChartAxis("Compute C = 6 N D (FLOP)", Logarithmic: true, Powers: true),
            new ChartAxis($"N, and D ({part.ItemName})", Logarithmic: true, Powers: true))
        {
            Synthetic = part.Data.Synthetic,
        };
        var csv = new CsvWriter("compute", "parameters", "parameters_low", "parameters_high", "items", "items_low", "items_high", "loss", "loss_low", "loss_high",
            "extrapolated", "synthetic");
        Series("best N", Palette.Ordered(0, 3), Mark.Circle, r => (r.Parameters, r.ParametersLow, r.ParametersHigh));
        Series("best D", Palette.Ordered(2, 3), Mark.Triangle, r => (r.Items, r.ItemsLow, r.ItemsHigh));
        foreach (AllocationRow r in allocation.Rows)
        {
            csv.Add(r.Compute, r.Parameters, r.ParametersLow, r.ParametersHigh, r.Items, r.ItemsLow, r.ItemsHigh, r.Loss, r.LossLow, r.LossHigh, r.Beyond,
                part.Data.Synthetic);
        }
        return new Figure($"{slug}-allocation", chart, "Model and data of the least loss for each compute, with 95 % bands by bootstrap. "
            + $"{allocation.Rows.Count(r => r.Beyond)} of {allocation.Rows.Count} computes lie beyond the grid.", csv);

        void Series(string text, string color, Mark mark, Func<AllocationRow, (double Value, double? Low, double? High)> of)
        {
            chart.Band(allocation.Rows.Select(r => (r.Compute, of(r).Low ?? double.NaN, of(r).High ?? double.NaN)), color);
            chart.Line(allocation.Rows.Select(r => (r.Compute, of(r).Value)), color);
            chart.Points(allocation.Rows.Select(r => (r.Compute, of(r).Value)), mark, color);
            chart.Legend(new LegendEntry(text, color, mark, Dash.Solid, Band: true));
        }
    }

    private static string Range(double? low, double? high) => $"{Numbers.Significant(low, 3)} to {Numbers.Significant(high, 3)}";
}
