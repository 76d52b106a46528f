using ChemScale.Engine;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class SummaryJsonTests
{
    [Test]
    public void What_was_written_is_read_back()
    {
        StudySummary summary = SampleSummary.Realistic();
        string json = SummaryJson.Write(summary);
        StudySummary read = SummaryJson.Read(json);
        Assert.That(SummaryJson.Write(read), Is.EqualTo(json));
        Assert.That(read.Started, Is.EqualTo(summary.Started));
        Assert.That(read.Host, Is.EqualTo(summary.Host));
        StudyPart part = read.Parts[0], original = summary.Parts[0];
        Assert.That(part.Selection.Configurations[5].EpochLosses, Is.EqualTo(original.Selection.Configurations[5].EpochLosses));
        Assert.That(part.Grid.Fits[1].Band, Is.EqualTo(original.Grid.Fits[1].Band));
        Assert.That(part.Data.RefusedByReason, Is.EquivalentTo(original.Data.RefusedByReason));
    }

    [Test]
    public void Names_are_camel_case_fates_are_words_and_NaN_is_named()
    {
        string json = SummaryJson.Write(SampleSummary.Realistic());
        foreach (string expected in new[] { "\"epochLosses\": [", "\"fate\": \"diverged\"", "\"NaN\"", "+00:00" })
            Assert.That(json, Does.Contain(expected));
    }

    [Test]
    public void The_file_beside_the_page_holds_the_summary()
    {
        using var report = new WrittenReport(SampleSummary.Realistic());
        string json = File.ReadAllText(Path.Combine(report.Folder, "summary.json"));
        Assert.That(json, Is.EqualTo(SummaryJson.Write(SampleSummary.Realistic())));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("[1, 2]")]
    [TestCase("{ \"title\": \"half\" }")]
    public void What_is_no_summary_is_refused(string json) =>
        Assert.That(() => SummaryJson.Read(json, "a.json"), Throws.TypeOf<InputException>().With.Message.StartsWith("a.json: "));
}
