using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>What predictions and power laws miss by.</summary>
internal static class ResidualFigures
{
    public static Figure Predictions(StudyPart part, string slug)
    {
        SelectionSummary selection = part.Selection;
        ConfigurationOutcome[] shown = [.. selection.Configurations.Where(c => SelectionFigures.IsNumber(c.Predicted) && SelectionFigures.IsNumber(c.Final))];
        double[] finals = [.. shown.Select(c => c.Final!.Value)];
        var chart = new Chart("Errors of the predicted final losses",
            new ChartAxis($"True final training loss ({part.LossUnit})", SelectionFigures.Wide(finals)),
            new ChartAxis($"Predicted − true ({part.LossUnit})"))
        {
            Synthetic = part.Data.Synthetic,
        };
        Zero(chart, finals);
        var csv = new CsvWriter("configuration", "fate", "final", "predicted", "predicted_error", "residual", "synthetic");
        foreach (ConfigurationOutcome c in shown)
        {
            double residual = c.Predicted!.Value - c.Final!.Value;
            if (SelectionFigures.Bar(c) is var (low, high)) chart.Bar(c.Final.Value, low - c.Final.Value, high - c.Final.Value, Palette.Fate(c.Fate));
            csv.Add(c.Name, SelectionFigures.Word(c.Fate), c.Final, c.Predicted, c.PredictedError, residual, part.Data.Synthetic);
        }
        foreach (ConfigurationFate fate in shown.Select(c => c.Fate).Distinct().Order())
        {
            chart.Points(shown.Where(c => c.Fate == fate).Select(c => (c.Final!.Value, c.Predicted!.Value - c.Final.Value)), Palette.FateMark(fate), Palette.Fate(fate));
            chart.Legend(new LegendEntry(SelectionFigures.Word(fate), Palette.Fate(fate), Palette.FateMark(fate)));
        }
        return new Figure($"{slug}-prediction-errors", chart,
            "Each finished configuration predicted from the others, less its true final loss, with the standard error of a prediction; "
                + SelectionFigures.Counted(selection, shown), csv);
    }

    public static Figure PowerLaws(StudyPart part, string slug)
    {
        var chart = new Chart("Residuals of the power laws", new ChartAxis($"Validation loss ({part.LossUnit})", Logarithmic: true),
            new ChartAxis("Observed above fitted loss (%)"))
        {
            Synthetic = part.Data.Synthetic,
        };
        var csv = new CsvWriter("run", "resource", "held", "form", "loss", "fitted", "percent", "synthetic");
        Zero(chart, [.. part.Grid.Points.Select(p => p.Loss)]);
        var silent = new List<string>();
        string[] resources = [ResourceNames.Parameters, ResourceNames.Items, ResourceNames.Compute];
        for (int r = 0; r < resources.Length; r++)
        {
            FitSummary[] fits = [.. part.Grid.Fits.Where(f => f.Resource == resources[r] && f.IsPlain)];
            var residuals = fits.SelectMany(f => f.Claim.Points.Where(p => p.Fitted is not null).Select(p => (Fit: f, Point: p))).ToArray();
            silent.AddRange(fits.Where(f => f.Claim.Grade == ClaimGrade.Refused).Select(f => f.Held));
            foreach ((FitSummary fit, ClaimPoint point) in residuals)
                csv.Add(point.Name, fit.Resource, fit.Held, fit.Claim.Family, point.Value, point.Fitted, Percent(point), part.Data.Synthetic);
            if (residuals.Length == 0) continue;
            string color = Palette.Ordered(r, resources.Length);
            chart.Points(residuals.Select(x => (x.Point.Value, Percent(x.Point))), Marks.Of(r, open: false), color);
            chart.Legend(new LegendEntry(resources[r] switch { ResourceNames.Parameters => "laws in N", ResourceNames.Items => "laws in D", _ => "law in C, frontier" }, color,
                Marks.Of(r, open: false)));
        }
        return new Figure($"{slug}-power-law-residuals", chart,
            "Runs against the plain power law of their series. A curve through them, rather than a cloud, says that the law bends."
                + (silent.Count == 0 ? "" : $" Without a law, and so not drawn: {string.Join("; ", silent)}."), csv);
    }

    private static double Percent(ClaimPoint point) => 100 * (point.Value / point.Fitted!.Value - 1);

    private static void Zero(Chart chart, double[] across)
    {
        if (across.Length > 1) chart.Line([(across.Min(), 0), (across.Max(), 0)], Palette.Faint, Dash.Dashed, 1);
    }
}
