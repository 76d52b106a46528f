using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Summary;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class DegenerateSummaryTests
{
    private static readonly StudySummary Sample = SampleSummary.Realistic();
    private static readonly StudyPart Part = Sample.Parts[0];

    [Test]
    public void A_study_without_parts_says_so()
    {
        using var report = new WrittenReport(Sample with { Parts = [] });
        Assert.That(report.Text, Does.Contain("The study has no parts."));
        Assert.That(report.Pictures, Is.Empty);
    }

    [Test]
    public void Empty_lists_leave_empty_figures_and_tables_that_say_so()
    {
        using var report = new WrittenReport(With(Part.Selection with { Configurations = [], Selected = -1, R2 = null, Spearman = null },
            Part.Grid with { Points = [], Fits = [], Cautions = [] }));
        Assert.That(report.Pictures.Select(p => p.Value), Has.Exactly(9).Contains("Nothing to draw"));
        Assert.That(report.Text, Does.Contain("Nothing is said of model size: there are no runs.")
            .And.Contain("No configurations were searched.").And.Contain("None were raised."));
    }

    [Test]
    public void One_point_and_one_epoch_are_drawn()
    {
        ConfigurationOutcome only = Part.Selection.Configurations[3] with { EpochLosses = [1.4] };
        GridPoint point = Part.Grid.Points[0] with { Curve = [new CurvePoint(1000, 1.5)] };
        using var report = new WrittenReport(With(Part.Selection with { Configurations = [only], Selected = 0 },
            Part.Grid with { Points = [point], Fits = [] }));
        Assert.That(report.Pictures.Where(p => !p.Value.Contains("Residuals of the power laws")).Select(p => p.Value),
            Has.None.Contains("Nothing to draw"), "no law goes through one point");
        Assert.That(report.Html, Does.Not.Contain("NaN").And.Not.Contain("Infinity").And.Not.Contain("∞"));
    }

    [Test]
    public void Values_that_are_not_numbers_show_as_dashes()
    {
        ConfigurationOutcome[] outcomes =
        [
            .. Part.Selection.Configurations.Select(c => c with
            {
                LearningRate = double.NaN, EpochLosses = [double.NaN, double.PositiveInfinity], Estimate = double.NaN,
                Predicted = double.NaN, PredictedError = double.PositiveInfinity, Final = double.NegativeInfinity,
                SecondsPerEpoch = double.NaN,
            }),
        ];
        GridPoint[] points =
        [
            .. Part.Grid.Points.Select(p => p with
            {
                Loss = double.NaN, Compute = 0, Items = 0, Seconds = double.NaN, Curve = [new CurvePoint(0, double.NaN)],
            }),
        ];
        FitSummary[] fits =
        [
            .. Part.Grid.Fits.Select(f => f with
            {
                Claim = f.Claim with
                {
                    Points = [.. f.Claim.Points.Select(p => p with { Value = double.NaN, Fitted = double.NaN })],
                    Extrapolation = new ClaimExtrapolation(1, 1, double.NaN, double.PositiveInfinity, double.NaN, false),
                    R2 = double.NaN,
                },
                Band =
                [
                    new BandPoint(1, double.NaN, double.NaN, double.NaN),
                    new BandPoint(double.NaN, 1, double.NegativeInfinity, double.PositiveInfinity),
                ],
            }),
        ];
        SelectionSummary selection = Part.Selection with
        {
            Configurations = outcomes,
            R2 = double.NaN,
            Spearman = null,
            Regret = double.NaN,
            ComputeSaved = double.NaN,
            Selected = 99,
        };
        using var report = new WrittenReport(With(selection, Part.Grid with { Points = points, Fits = fits, LearningRate = double.NaN }));
        Assert.That(report.Html, Does.Not.Contain("NaN").And.Not.Contain("Infinity").And.Not.Contain("∞"));
        Assert.That(report.Text, Does.Contain("each predicted from the others, too few ended to say how well"));
        Assert.That(GridFits.Of(points, "tokens").Select(f => f.Claim.Grade), Has.All.EqualTo(ClaimGrade.Refused));
    }

    [Test]
    public void A_band_without_bounds_does_not_stretch_the_axis_out_of_sight()
    {
        FitSummary[] fits =
        [
            .. Part.Grid.Fits.Select(f => f with { Band = [.. f.Band.Select(b => b with { Low = -1e300, High = 1e300 })] }),
        ];
        using var report = new WrittenReport(With(Part.Selection, Part.Grid with { Fits = fits }));
        string labels = report.Pictures.Single(p => p.Value.Contains("for each data size", StringComparison.Ordinal)).Value;
        Assert.That(labels, Does.Contain("1.5").Or.Contain("1.6").And.Not.Contain("e+").And.Not.Contain("10300"));
    }

    [Test]
    public void A_study_that_was_not_validated_has_no_table_of_agreement()
    {
        ConfigurationOutcome[] outcomes =
        [
            .. Part.Selection.Configurations.Select(c =>
                c.Fate == ConfigurationFate.Stopped ? c with { Final = null, EpochLosses = [.. c.EpochLosses.Take(2)] } : c),
        ];
        SelectionSummary selection = Part.Selection with
        {
            Configurations = outcomes,
            Validated = false,
            R2 = null,
            Spearman = null,
            Kendall = null,
            Regret = null,
        };
        using var report = new WrittenReport(With(selection, Part.Grid));
        Assert.That(report.Text, Does.Not.Contain("Kendall").And.Contain("not checked against the truth"));
        Assert.That(report.Text, Does.Contain("The stopped ones were not finished, so R² and ρ are not known."));
    }

    [Test]
    public void A_search_of_two_that_both_ended_says_that_they_are_too_few()
    {
        ConfigurationOutcome[] two = [.. Part.Selection.Configurations.Where(c => c.Final is not null).Take(2).Select(c => c with { Predicted = null, PredictedError = null })];
        SelectionSummary selection = Part.Selection with { Configurations = two, Selected = 0, Validated = false, R2 = null, Spearman = null, Kendall = null, Regret = null };
        using var report = new WrittenReport(With(selection, Part.Grid));
        Assert.That(report.Text, Does.Contain("too few ended to compare it with the truth").And.Contain("Too few ended for R² and ρ."));
        Assert.That(report.Text, Does.Not.Contain("not finished, so").And.Not.Contain("not checked against the truth"));
    }

    [Test]
    public void An_interval_that_includes_zero_is_no_finding()
    {
        GridPoint[] points = [.. Part.Grid.Points.Select((p, i) => p with { Loss = 1.5 + 0.1 * (i % 2) })];
        using var report = new WrittenReport(With(Part.Selection, Part.Grid with { Points = points, Fits = GridFits.Of(points, "tokens") }));
        Assert.That(report.Text, Does.Contain("Model size: not determined. The points do not determine how loss changes with N: exponent −0.0"));
        Assert.That(report.Text, Does.Contain("The interval includes zero. Of the 3 series: 3 not determined."));
    }

    [Test]
    public void Many_groups_and_long_names_stay_inside_the_picture()
    {
        GridPoint long90 = Part.Grid.Points[0] with { ModelName = new string('m', 90) };
        GridPoint[] points = [.. Enumerable.Range(1, 40).Select(i => long90 with { Items = 1000 * i, Parameters = 500 * i })];
        using var report = new WrittenReport(With(Part.Selection, Part.Grid with { Points = points, Fits = [] }));
        Assert.That(report.Pictures.Count(), Is.EqualTo(10));
        Assert.That(report.Pictures.Select(p => p.Value), Has.Some.Contains("mmm…"));
    }

    private static StudySummary With(SelectionSummary selection, GridSummary grid) =>
        Sample with { Parts = [Part with { Selection = selection, Grid = grid }] };
}
