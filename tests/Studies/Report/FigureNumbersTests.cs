using System.Globalization;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Studies.Summary;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class FigureNumbersTests
{
    private readonly StudyPart part = SampleSummary.Realistic().Parts[0];
    private WrittenReport report = null!;

    [OneTimeSetUp]
    public void Write() => report = new WrittenReport(SampleSummary.Realistic());

    [OneTimeTearDown]
    public void Delete() => report.Dispose();

    [Test]
    public void Predictions_are_those_of_the_summary()
    {
        Dictionary<string, string>[] rows = report.Rows("chemgpt-predicted-vs-true");
        IReadOnlyList<ConfigurationOutcome> all = part.Selection.Configurations;
        Assert.That(rows.Select(r => Number(r["learning_rate"])), Is.EqualTo(all.Select(c => (double?)c.LearningRate)));
        Assert.That(rows.Select(r => Number(r["predicted"])), Is.EqualTo(all.Select(c => c.Predicted)));
        Assert.That(rows.Select(r => Number(r["final"])), Is.EqualTo(all.Select(c => c.Final)));
        Assert.That(rows.Single(r => r["selected"] == "true")["configuration"], Is.EqualTo(all[3].Name));
        Assert.That(rows.Single(r => r["default"] == "true")["configuration"], Is.EqualTo(all[0].Name));
    }

    [Test]
    public void Loss_curves_are_those_of_the_summary()
    {
        ILookup<string, double?> rows = report.Rows("chemgpt-loss-curves").ToLookup(r => r["configuration"], r => Number(r["loss"]));
        foreach (ConfigurationOutcome c in part.Selection.Configurations)
            Assert.That(rows[c.Name], Is.EqualTo(c.EpochLosses.Select(loss => (double?)loss)), c.Name);
    }

    [TestCase("chemgpt-loss-vs-parameters", "parameters")]
    [TestCase("chemgpt-loss-vs-data", "items")]
    [TestCase("chemgpt-loss-vs-compute", "compute")]
    public void Points_and_bands_are_those_of_the_summary(string figure, string resource)
    {
        ILookup<string, Dictionary<string, string>> rows = report.Rows(figure).ToLookup(r => r["kind"]);
        Func<GridPoint, double> at = resource switch { "parameters" => p => p.Parameters, "items" => p => p.Items, _ => p => p.Compute };
        Assert.That(rows["point"].Select(r => (Number(r[resource]), Number(r["loss"]), r["still_falling"] == "true")),
            Is.EquivalentTo(part.Grid.Points.Select(p => ((double?)at(p), (double?)p.Loss, p.StillFalling))));
        Assert.That(report.Rows(figure).Where(r => r["kind"] != "point").Select(r => (Number(r[resource]), Number(r["loss"]), Number(r["low"]), Number(r["high"]))),
            Is.EqualTo(part.Grid.Fits.Where(f => f.Resource == resource).SelectMany(f => f.Band)
                .Select(b => ((double?)b.Resource, (double?)b.Loss, (double?)b.Low, (double?)b.High))));
    }

    [Test]
    public void Validation_curves_are_those_of_the_summary() => Assert.That(
        report.Rows("chemgpt-validation-curves").Select(r => (r["run"], Number(r["items_seen"]), Number(r["loss"]))),
        Is.EqualTo(part.Grid.Points.SelectMany(p => p.Curve.Select(c => (p.Name, (double?)c.ItemsSeen, (double?)c.Loss)))));

    [Test]
    public void Cells_are_quoted_where_they_must_be()
    {
        var csv = new CsvWriter("name", "value", "flag");
        csv.Add("a,\"b\"", 0.1, true);
        csv.Add(null, double.NaN, false);
        csv.Add("plain", double.NegativeInfinity, null);
        Assert.That(csv.ToString(), Is.EqualTo("name,value,flag\n\"a,\"\"b\"\"\",0.1,true\n,NaN,false\nplain,-inf,\n"));
    }

    private static double? Number(string cell) => cell.Length == 0 ? null : double.Parse(cell, CultureInfo.InvariantCulture);
}
