using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChemScale.Engine;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Tests.Training;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class StudyReportTests
{
    private static readonly string[] Papers = ["https://doi.org/10.1038/s42256-023-00740-3", "https://arxiv.org/abs/2006.04492"];

    private WrittenReport report = null!;

    [OneTimeSetUp]
    public void Write() => report = new WrittenReport(SampleSummary.Realistic());

    [OneTimeTearDown]
    public void Delete() => report.Dispose();

    [Test]
    public void The_page_has_every_section() => Assert.That(report.Headings, Is.SupersetOf(new[]
    {
        "ChemGPT on 20,000 drug-like molecules", "What was found", "Terms", "ChemGPT", "Data", "Training performance estimation",
        "Compute saved", "Scaling grid", "Cautions", "Commands", "ChemGPT, step by step", "Host", "References",
    }));

    [Test]
    public void The_headline_gives_the_exponent_with_its_interval()
    {
        FitSummary fit = SampleSummary.Realistic().Parts[0].Grid.Fits.Last(f => f.Resource == "parameters" && f.BetaLow is not null);
        string headline = report.Page.Descendants("p").First(p => (string?)p.Attribute("class") == "headline").Value;
        string expected = $"exponent {fit.Beta:F3}, 95 % interval {fit.BetaLow:F3} to {fit.BetaHigh:F3}; 4 runs, {fit.Held}";
        Assert.That(headline, Does.Contain(expected));
    }

    [Test]
    public void What_TPE_means_is_said_once()
    {
        Assert.That(Regex.Count(report.Text, "Training Performance Estimation"), Is.EqualTo(1));
        Assert.That(Regex.Count(report.Text, "Not the Tree-structured Parzen Estimator"), Is.EqualTo(1));
    }

    [Test]
    public void The_picture_of_predictions_has_its_figures_in_the_title() => Assert.That(
        report.Pictures.Select(p => p.Elements().First().Value), Has.One.Contains("R² = 0.993, Spearman ρ = 0.982"));

    [Test]
    public void The_arithmetic_of_compute_saved_is_written_out()
    {
        Assert.That(report.Text, Does.Contain("Probes: 12 configurations × 2 epochs = 24 epochs."));
        Assert.That(report.Text, Does.Contain("Finishing the kept: 2 × (10 − 2) epochs = 16 epochs."));
        Assert.That(report.Text, Does.Contain("1 − (24 + 16) / 120 = 66.7\u00A0% of the epochs."));
    }

    [Test]
    public void Points_still_falling_are_flagged() =>
        Assert.That(report.Page.Descendants("span").Count(s => s.Value == "still falling"), Is.EqualTo(3));

    [Test]
    public void Commands_host_and_references_are_exact()
    {
        StudySummary summary = SampleSummary.Realistic();
        Assert.That(report.Page.Descendants("code").Select(c => c.Value),
            Is.EqualTo(new[] { summary.Command }.Concat(summary.Parts[0].Commands.Select(c => c.Command))));
        Assert.That(report.Text, Does.Contain(summary.Host.System).And.Contain(summary.Host.Device));
        Assert.That(report.Page.Descendants("a").Select(a => (string?)a.Attribute("href")), Is.SupersetOf(Papers));
    }

    [Test]
    public void The_page_needs_no_network_and_no_script()
    {
        Assert.That(report.Page.Descendants().Select(e => e.Name.LocalName), Has.None.AnyOf("script", "link", "iframe", "object", "img"));
        Assert.That(report.Page.Descendants().Attributes("src"), Is.Empty);
        Assert.That(report.Html, Does.Not.Contain("@import").And.Not.Match(@"url\((?!#)"));
        IEnumerable<XAttribute> addresses = report.Page.Descendants().Attributes().Where(a => a.Name.LocalName == "href");
        foreach (XAttribute address in addresses)
        {
            bool paper = address.Parent!.Name == "a" && Papers.Contains(address.Value);
            bool inside = address.Value.StartsWith('#') || File.Exists(Path.Combine(report.Folder, address.Value));
            Assert.That(paper || inside, address.Value);
        }
    }

    [Test]
    public void Ids_are_unique_and_references_find_them()
    {
        string[] ids = [.. report.Page.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.That(ids, Is.Unique);
        string[] used = [.. Regex.Matches(report.Html, @"url\(#([^)]+)\)").Select(m => m.Groups[1].Value), .. Links(report.Page)];
        Assert.That(used, Is.Not.Empty.And.SubsetOf(ids));
    }

    [Test]
    public void No_element_but_a_void_one_closes_itself()
    {
        string html = Regex.Replace(report.Html, "<svg.*?</svg>", "", RegexOptions.Singleline);
        Assert.That(Regex.Matches(html, @"<(\w+)[^>]*/>").Select(m => m.Groups[1].Value).Distinct(), Is.EquivalentTo(new[] { "meta" }));
    }

    [Test]
    public void Each_picture_is_a_file_too_that_scales_and_names_no_installed_font()
    {
        string[] files = Directory.GetFiles(Path.Combine(report.Folder, "figures"), "*.svg");
        Assert.That(files, Has.Length.EqualTo(6));
        Assert.That(report.Pictures.Count(), Is.EqualTo(6));
        foreach (XDocument picture in files.Select(XDocument.Load))
        {
            Assert.That(picture.Root!.Attribute("viewBox"), Is.Not.Null);
            XElement[] texts = [.. picture.Descendants().Where(e => e.Name.LocalName == "text")];
            Assert.That(texts, Has.Length.GreaterThan(10));
            Assert.That(texts.Select(t => (string?)t.Parent!.Attribute("font-family")), Has.All.EndsWith("sans-serif"));
            Assert.That(texts.Attributes("font-family"), Is.Empty);
        }
    }

    [Test]
    public void Synthetic_data_are_labelled_on_every_table_picture_and_row()
    {
        IEnumerable<XElement> all = report.Page.Descendants("div").Where(d => (string?)d.Attribute("class") == "table");
        XElement[] tables = [.. all.Where(t => !t.Value.StartsWith("The machine", StringComparison.Ordinal))];
        Assert.That(tables, Has.Length.EqualTo(5));
        Assert.That(tables.Select(t => t.Value), Has.All.StartsWith("SYNTHETIC DATA"));
        Assert.That(report.Pictures.Select(p => p.Value), Has.All.Contains("SYNTHETIC DATA"));
        Assert.That(report.Page.Descendants("figcaption").Select(c => c.Value), Has.All.StartsWith("SYNTHETIC DATA"));
        foreach (string file in Directory.GetFiles(Path.Combine(report.Folder, "figures"), "*.csv"))
        {
            string[] lines = File.ReadAllLines(file);
            Assert.That(lines[0], Does.EndWith(",synthetic"));
            Assert.That(lines.Skip(1), Is.Not.Empty.And.All.EndsWith(",true"));
        }
    }

    [Test]
    public void Real_data_carry_no_synthetic_label()
    {
        using var real = new WrittenReport(SampleSummary.Realistic(synthetic: false));
        Assert.That(real.Page.Root!.Value, Does.Not.Contain("SYNTHETIC"));
        Assert.That(real.Csv("chemgpt-loss-vs-data"), Does.Not.Contain("true\n"));
    }

    [Test]
    public void Text_of_the_summary_is_escaped()
    {
        const string Nasty = "<b>\"x\" & 'y'</b>\u0001</script>";
        StudySummary summary = SampleSummary.Realistic();
        StudyPart part = summary.Parts[0] with { Family = Nasty, ItemName = Nasty, LossUnit = Nasty };
        const string Command = "chemscale --filter 'a < b && c > d' x^2";
        using var written = new WrittenReport(summary with { Title = Nasty, Command = Command, Parts = [part] });
        Assert.That(written.Page.Descendants("b"), Is.Empty);
        Assert.That(written.Page.Descendants("h1").Single().Value, Is.EqualTo(Nasty.Replace('\u0001', '\uFFFD')));
        Assert.That(written.Page.Descendants("code").First().Value, Is.EqualTo(Command));
    }

    [Test]
    public void Parts_of_one_family_keep_their_figures_apart()
    {
        StudySummary summary = SampleSummary.Realistic();
        using var written = new WrittenReport(summary with { Parts = [summary.Parts[0], SampleSummary.Part("ChemGPT", synthetic: false)] });
        Assert.That(written.Page.Descendants().Attributes("id").Select(a => a.Value), Is.Unique);
        Assert.That(written.Rows("chemgpt-loss-curves")[0]["synthetic"], Is.EqualTo("true"));
        Assert.That(written.Rows("chemgpt-2-loss-curves")[0]["synthetic"], Is.EqualTo("false"));
    }

    [TestCase(3)]
    [TestCase(33)]
    [TestCase(70)]
    public void A_crash_leaves_each_file_old_or_new(int operation)
    {
        using var folder = new TemporaryFolder();
        StudyReport.Write(SampleSummary.Realistic(), folder.Path);
        Dictionary<string, string> old = Contents(folder.Path);
        StudySummary next = SampleSummary.Realistic(synthetic: false);
        var storage = new CrashingStorage(operation);
        Assert.That(() => StudyReport.Write(next, folder.Path, storage), Throws.TypeOf<InputException>());
        storage.LoseUnsynced();
        Dictionary<string, string> now = Contents(folder.Path);
        StudyReport.Write(next, folder.Path);
        Dictionary<string, string> whole = Contents(folder.Path);
        Assert.That(now.Keys, Is.SupersetOf(old.Keys));
        Assert.That(old.Keys.Where(name => now[name] != old[name] && now[name] != whole[name]), Is.Empty);
        Assert.That(now[Path.Combine(folder.Path, "report.html")], Is.EqualTo(old[Path.Combine(folder.Path, "report.html")]));
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_the_users_mistake()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "taken");
        File.WriteAllText(file, "");
        Action write = () => StudyReport.Write(SampleSummary.Realistic(), file);
        Assert.That(write, Throws.TypeOf<InputException>().With.Message.StartsWith(file));
    }

    private static IEnumerable<string> Links(XDocument page) =>
        page.Descendants("a").Select(a => a.Attribute("href")!.Value).Where(h => h.StartsWith('#')).Select(h => h[1..]);

    private static Dictionary<string, string> Contents(string folder) => Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
        .Where(f => !f.EndsWith(".partial", StringComparison.Ordinal)).ToDictionary(f => f, File.ReadAllText);
}
