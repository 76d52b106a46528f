using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChemScale.Engine;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Tests.Files;
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
        "Compute saved", "Scaling grid", "Which form extrapolates", "Compute-optimal allocation", "Cautions", "Commands", "ChemGPT, step by step", "Host", "References",
    }));

    [Test]
    public void The_headline_is_the_claim_on_the_most_data_with_its_grade_and_tells_of_the_others()
    {
        FitSummary[] fits = [.. SampleSummary.Realistic().Parts[0].Grid.Fits.Where(f => f.Resource == "parameters" && f.IsPlain)];
        FitSummary fit = fits.MaxBy(f => f.HeldValue)!;
        string headline = report.Page.Descendants("p").First(p => (string?)p.Attribute("class") == "headline").Value;
        Assert.That(headline, Does.Contain("Model size: suggested. The points suggest that loss falls with N: exponent 0.0").And.Contain("95 % profile interval"));
        Assert.That(headline, Does.Contain($"4 runs over 1.8 decades; {fit.Held}. Not shown: 4 points, and 5 are needed").And.Contain("Of the 3 series:"));
    }

    [Test]
    public void A_loss_that_rises_with_model_size_is_in_the_headline()
    {
        StudySummary summary = SampleSummary.Realistic();
        StudyPart part = summary.Parts[0];
        GridPoint[] risen = [.. part.Grid.Points.Select((p, i) => p with { Loss = 2 * Math.Pow(p.Parameters, 0.05) * (1 + 0.002 * (i % 3)) })];
        using var written = new WrittenReport(summary with { Parts = [part with { Grid = part.Grid with { Points = risen, Fits = GridFits.Of(risen, "tokens") } }] });
        string headline = written.Page.Descendants("p").First(p => (string?)p.Attribute("class") == "headline").Value;
        Assert.That(headline, Does.Contain("loss rises with N: exponent −0.05")
            .And.Contain("Of the 3 series: 3 suggested. The fitted loss rises at D = 41,213 tokens (suggested), D = "));
        Assert.That(headline, Does.Not.Contain("falls"));
    }

    [Test]
    public void Every_series_of_the_grid_is_in_the_table_and_in_the_numbers_with_its_grade()
    {
        GridSummary grid = SampleSummary.Realistic().Parts[0].Grid;
        XElement table = report.Page.Descendants("div").Single(d => (string?)d.Attribute("class") == "table" && d.Value.Contains("every series, with its grade"));
        string[][] rows = [.. table.Descendants("tbody").Single().Elements().Select(r => r.Elements().Select(c => c.Value).ToArray())
            .Where(r => r.Length > 1)];
        Assert.That(rows, Has.Length.EqualTo(grid.Fits.Count));
        Assert.That(rows.Select(r => r[1]).Distinct().Count(), Is.EqualTo(3 + 4 + 1), "three data sizes, four models, a frontier");
        Assert.That(rows.Select(r => r[4]), Is.EqualTo(grid.Fits.Select(f => f.Claim.GradeName)));
    }

    [Test]
    public void Parts_of_several_representations_are_compared_by_the_molecule()
    {
        StudySummary summary = SampleSummary.Realistic();
        StudyPart part = summary.Parts[0];
        StudyPart Of(string name, double tokens, Func<GridPoint, bool> has, string writing) => part with
        {
            Family = name,
            Data = part.Data with { Facts = new Dictionary<string, string> { ["Writing"] = writing } },
            Grid = part.Grid with { Points = [.. part.Grid.Points.Where(has).Select(p => p with { LossPerMolecule = tokens * p.Loss })] },
        };
        StudyPart selfies = Of("ChemGPT (chemgpt-selfies)", 40, p => p.Documents < 16_000, "canonical");
        StudyPart smiles = Of("ChemGPT (chemgpt-smiles)", 39, p => p.ModelName != "width 16", "as given");
        using var written = new WrittenReport(summary with { Parts = [selfies, smiles] });
        XElement section = written.Page.Descendants("section").Single(s => (string?)s.Attribute("id") == "per-molecule");
        string[][] rows = [.. section.Descendants("tbody").Single().Elements().Select(r => r.Elements().Select(c => c.Value).ToArray())];
        Assert.That(rows, Has.Length.EqualTo(6), "three models on two sizes are in both parts");
        GridPoint first = part.Grid.Points.First(p => p.ModelName == "width 32");
        Assert.That(rows[0], Is.EqualTo((string?[])["width 32", "1,000", Numbers.Significant(40 * first.Loss), Numbers.Significant(39 * first.Loss), smiles.Family]));
        Assert.That(section.Value, Does.Contain("chemgpt-smiles) in 6").And.Contain("written one way each"));
        using var alone = new WrittenReport(summary);
        Assert.That(alone.Page.Descendants("section").Select(s => (string?)s.Attribute("id")), Has.None.EqualTo("per-molecule"));
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
        Assert.That(report.Text, Does.Contain("1 − (24 + 16) / 120 = 66.7\u00A0% of the epochs, each of which passes over the data once."));
    }

    [Test]
    public void The_best_rate_of_each_batch_size_and_the_front_are_those_of_the_configurations()
    {
        ConfigurationOutcome[] all = [.. SampleSummary.Realistic().Parts[0].Selection.Configurations.Where(c => c.Predicted is not null)];
        Dictionary<string, string>[] rows = report.Rows("chemgpt-speed-accuracy");
        Assert.That(rows, Has.Length.EqualTo(all.Length));
        string[] front = [.. all
            .Where(c => !all.Any(o => o.SecondsPerEpoch <= c.SecondsPerEpoch && o.Predicted <= c.Predicted && (o.SecondsPerEpoch < c.SecondsPerEpoch || o.Predicted < c.Predicted)))
            .Select(c => c.Name)];
        Assert.That(rows.Where(r => r["front"] == "true").Select(r => r["configuration"]), Is.EquivalentTo(front));
        XElement table = report.Page.Descendants("div").Single(d => (string?)d.Attribute("class") == "table" && d.Value.Contains("best learning rate of each batch size"));
        Assert.That(table.Descendants("tbody").Single().Elements().Select(r => r.Elements().First().Value), Is.EqualTo(new[] { "8", "32" }));
    }

    [Test]
    public void Residuals_in_the_tables_are_the_differences_of_their_columns()
    {
        foreach (Dictionary<string, string> row in report.Rows("chemgpt-prediction-errors"))
            Expect.Close(Number(row["residual"]), Number(row["predicted"]) - Number(row["final"]), absolute: 1e-12);
        Dictionary<string, string>[] laws = report.Rows("chemgpt-power-law-residuals");
        Assert.That(laws.Select(r => r["resource"]).Distinct(), Is.EquivalentTo(new[] { "parameters", "items", "compute" }));
        foreach (Dictionary<string, string> row in laws)
            Expect.Close(Number(row["percent"]), 100 * (Number(row["loss"]) / Number(row["fitted"]) - 1), absolute: 1e-9);

        static double Number(string text) => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Test]
    public void Forms_are_ranked_by_their_error_on_the_runs_held_out()
    {
        ExtrapolationSummary[] tests = [.. SampleSummary.Realistic().Parts[0].Grid.Extrapolation];
        Assert.That(tests, Is.Not.Empty);
        foreach (ExtrapolationSummary test in tests)
        {
            ExtrapolationRow[] ranked = [.. test.Rows.Where(r => r.Rank is not null)];
            Expect.Ascending(ranked.Select(r => r.LogError!.Value));
            Assert.That(report.Text, Does.Contain($"{test.Series}: {test.Small} smaller runs, {test.Large} held out"));
        }
    }

    [Test]
    public void A_grid_that_supports_no_allocation_says_so_in_a_sentence()
    {
        StudySummary summary = SampleSummary.Realistic();
        StudyPart part = summary.Parts[0];
        part = part with { Grid = part.Grid with { Allocation = GridAllocation.Of([.. part.Grid.Points.Take(4)], "tokens"), Extrapolation = [] } };
        using var written = new WrittenReport(summary with { Parts = [part] });
        Assert.That(written.Text, Does.Contain("The grid cannot say how to share compute between model and data: 1 distinct value of D"));
        Assert.That(written.Text, Does.Contain("No series of the grid has the five runs"));
        Assert.That(File.Exists(Path.Combine(written.Folder, "figures", "chemgpt-allocation.svg")), Is.False);
    }

    [Test]
    public void An_exact_joint_law_is_allocated_as_the_closed_form_says()
    {
        const double A = 40, B = 300, E = 0.5, Alpha = 0.4, Beta = 0.45;
        GridPoint sample = SampleSummary.Realistic().Parts[0].Grid.Points[0];
        GridPoint[] points = [.. from n in (double[])[1e4, 1e5, 1e6, 1e7] from d in (double[])[1e5, 1e6, 1e7, 1e8]
            select sample with { Parameters = (long)n, Items = (long)d, ItemsSeen = (long)d, Compute = 6 * n * d, Loss = E + A * Math.Pow(n, -Alpha) + B * Math.Pow(d, -Beta) }];
        AllocationSummary allocation = GridAllocation.Of(points, "tokens", 40);
        Assert.That(allocation.Refusal, Is.Empty);
        Expect.Close(allocation.Exponent!.Value, Beta / (Alpha + Beta), absolute: 1e-4);
        Expect.AtMost(allocation.Exponent.Low, allocation.Exponent.Value);
        Expect.AtLeast(allocation.Exponent.High, allocation.Exponent.Value);
        AllocationRow middle = allocation.Rows[1];
        double g = Math.Pow(Alpha * A / (Beta * B), 1 / (Alpha + Beta)), best = g * Math.Pow(6e15 / 6, Beta / (Alpha + Beta));
        Expect.Close(middle.Compute, 6e15, absolute: 1);
        Expect.Close(middle.Parameters / best, 1, absolute: 1e-3);
        Expect.Close(middle.Parameters * middle.Items * 6 / middle.Compute, 1, absolute: 1e-9);
        Assert.That(allocation.Rows.Select(r => r.Beyond), Is.EqualTo(new[] { false, false, true }));
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
        Assert.That(files, Has.Length.EqualTo(10));
        Assert.That(report.Pictures.Count(), Is.EqualTo(10));
        foreach (XDocument picture in files.Select(XDocument.Load))
        {
            Assert.That(picture.Root!.Attribute("viewBox"), Is.Not.Null);
            XElement[] texts = [.. picture.Descendants().Where(e => e.Name.LocalName == "text")];
            Expect.Above(texts.Length, 10);
            Assert.That(texts.Select(t => (string?)t.Parent!.Attribute("font-family")), Has.All.EndsWith("sans-serif"));
            Assert.That(texts.Attributes("font-family"), Is.Empty);
        }
    }

    [Test]
    public void Synthetic_data_are_labelled_on_every_table_picture_and_row()
    {
        IEnumerable<XElement> all = report.Page.Descendants("div").Where(d => (string?)d.Attribute("class") == "table");
        XElement[] tables = [.. all.Where(t => !t.Value.StartsWith("The machine", StringComparison.Ordinal))];
        Assert.That(tables, Has.Length.EqualTo(8));
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
        var storage = new FaultyStorage(operation);
        Assert.That(() => StudyReport.Write(next, folder.Path, storage), Throws.TypeOf<FaultyStorage.InjectedFault>());
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
