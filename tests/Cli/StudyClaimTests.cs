using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Tests.Studies;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>A fresh study of two families: its report, <c>fit</c> and Student's t say the same, its captions count what its tables hold, its commands run.</summary>
public sealed class StudyClaimTests
{
    // Two-sided 95 % of Student's t with 1, 2, 3 ... degrees, from tables.
    private static readonly double[] T = [12.706205, 4.302653, 3.182446, 2.776445, 2.570582, 2.446912, 2.364624, 2.306004];

    private TemporaryFolder folder = null!;
    private string study = "";
    private StudySummary summary = null!;

    [OneTimeSetUp]
    public void Run()
    {
        folder = new TemporaryFolder();
        // A name that a shell would take apart.
        study = Path.Combine(folder.Path, "my study");
        string frames = Path.Combine(folder.Path, "frames.npz");
        SpringFrames.Save(frames, 60);
        Outcome outcome = CommandLine.Here("study", "--families", "chemgpt,schnet", "--limit", "260", "--layers", "1", "--widths", "16,32,48,64,96", "--subsets", "20,60,180",
            "--rates", "1e-3,3e-3", "--batches", "16", "--search-epochs", "4", "--probe-epochs", "1", "--seen", "180", "--frames", frames, "--units", "eV",
            "--shapes", "1x4,1x8,1x16", "--frame-subsets", "5,15,45", "--frame-rates", "1e-3,3e-3", "--frame-batches", "5", "--frames-seen", "60",
            "--parallel", "1", "--out", study);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        summary = SummaryJson.Read(File.ReadAllText(Path.Combine(study, StudyReport.SummaryName)));
        Assert.That(summary.Parts, Has.Count.EqualTo(2));
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [TestCase("chemgpt", 0), TestCase("schnet", 1)]
    public void Report_fit_and_Students_t_agree_on_every_series(string family, int at)
    {
        StudyPart part = summary.Parts[at];
        string page = XDocument.Parse(File.ReadAllText(Path.Combine(study, StudyReport.PageName))).Root!.Value;
        foreach ((string resource, string option, string by) in ((string, string, string)[])[("parameters", "parameters", "items"), ("items", "data", "parameters")])
        {
            FitSummary[] claimed = [.. part.Grid.Fits.Where(f => f.Resource == resource && f.IsPlain)];
            double[] held = [.. part.Grid.Points.Select(p => (double)(resource == "parameters" ? p.Items : p.Parameters)).Distinct().Order()];
            Assert.That(claimed.Select(f => f.HeldValue), Is.EqualTo(held.Select(h => (double?)h)), "every series");
            using var json = JsonDocument.Parse(CommandLine.Here("fit", Path.Combine(study, family, "points.csv"), "--n", "parameters", "--d", "items", "--c", "compute",
                "--name", "name", "--resource", option, "--by", by, "--bootstrap", "0", "--json").Output);
            JsonElement[] fitted = [.. json.RootElement.GetProperty("series").EnumerateArray()];
            Assert.That(fitted, Has.Length.EqualTo(claimed.Length));
            for (int i = 0; i < claimed.Length; i++)
            {
                Claim claim = claimed[i].Claim;
                JsonElement other = fitted[i].GetProperty("claim");
                Assert.That(other.GetProperty("grade").GetString(), Is.EqualTo(JsonNamingPolicy.CamelCase.ConvertName(claim.Grade.ToString())));
                Assert.That(other.GetProperty("points").EnumerateArray().Select(p => p.GetProperty("name").GetString()), Is.EquivalentTo(claim.Points.Select(p => p.Name)));
                (double slope, double half) = ByHand([.. claim.Points.Select(p => Math.Log(p.At[0]))], [.. claim.Points.Select(p => Math.Log(p.Value))]);
                JsonElement beta = other.GetProperty("estimates").EnumerateArray().Single(e => e.GetProperty("isExponent").GetBoolean());
                foreach ((double? value, string name, double hand) in ((double?, string, double)[])
                    [(claim.Exponent!.Value, "value", -slope), (claim.Exponent.Low, "low", -slope - half), (claim.Exponent.High, "high", -slope + half)])
                {
                    Expect.Close(value, hand, absolute: 1e-6 * (1 + half));
                    Expect.Close(beta.GetProperty(name).GetDouble(), hand, absolute: 1e-6 * (1 + half));
                }
                Assert.That(page, Does.Contain(ClaimCells.Interval(claim)!));
            }
        }
    }

    [Test]
    public void Captions_count_what_the_tables_hold()
    {
        foreach ((StudyPart part, string slug) in summary.Parts.Zip((string[])["chemgpt", "schnet"]))
        {
            foreach (string name in (string[])["predicted-vs-true", "prediction-errors", "speed-accuracy"])
            {
                Match counted = Regex.Match(Caption($"{slug}-{name}"), @"(\d+) of (\d+) configurations are drawn\.(?: Not drawn: (.*)\.)?");
                Assert.That(counted.Success, Is.True, name);
                string[][] rows = Rows($"{slug}-{name}");
                int drawn = rows.Count(r => name == "speed-accuracy" || (Cell(r, $"{slug}-{name}", "predicted").Length > 0 && Cell(r, $"{slug}-{name}", "final").Length > 0));
                Assert.That(int.Parse(counted.Groups[1].Value, CultureInfo.InvariantCulture), Is.EqualTo(drawn));
                Assert.That(int.Parse(counted.Groups[2].Value, CultureInfo.InvariantCulture), Is.EqualTo(part.Selection.Configurations.Count));
                Assert.That(counted.Groups[3].Value.Split("), ", StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(part.Selection.Configurations.Count - drawn));
            }
            foreach (string name in (string[])["loss-vs-parameters", "loss-vs-data", "loss-vs-compute"])
            {
                int points = Rows($"{slug}-{name}").Count(r => r[0] == "point");
                Assert.That(Caption($"{slug}-{name}"), Does.Contain($"each of the {points} runs"));
                Assert.That(points, Is.EqualTo(part.Grid.Points.Count));
            }
        }
    }

    [TestCase(0), TestCase(1)]
    public void Every_command_of_the_report_runs(int at)
    {
        IReadOnlyList<CommandNote> commands = summary.Parts[at].Commands;
        // No frontier of three runs, no command for its law.
        Expect.AtLeast(commands.Count, 5);
        foreach (CommandNote note in commands)
        {
            string[] words = [.. Regex.Matches(note.Command, "'([^']*)'|([^' ]+)").Select(m => m.Groups[1].Success ? m.Groups[1].Value : m.Value)];
            Assert.That(words[0], Is.EqualTo("chemscale"));
            Outcome outcome = CommandLine.Here(words[1..]);
            Assert.That(outcome.ExitCode, Is.Zero, $"{note.Command}\n{outcome}");
        }
        // Of the chosen rate and batch, not of the defaults.
        string longer = File.ReadAllText(Path.Combine(study, at == 0 ? "chemgpt" : "schnet", "longer", "experiment.yaml"));
        Assert.That(longer, Does.Contain($"batchSize: {summary.Parts[at].Grid.BatchSize}"));
    }

    [Test]
    public void Selections_say_how_their_predictions_were_calibrated_and_where_the_choice_lies()
    {
        foreach (StudyPart part in summary.Parts)
        {
            Assert.That(part.Selection.Finished, Is.EqualTo(part.Selection.Configurations.Count(c => c.Final is not null)));
            foreach (ConfigurationOutcome c in part.Selection.Configurations.Where(c => c.Predicted is not null)) Expect.Above(c.Predicted, 0);
            Assert.That(part.Selection.Cautions, Has.Some.StartsWith("The probe is short: 1 epoch"));
        }
    }

    private static (double Slope, double Half) ByHand(double[] x, double[] y)
    {
        LinearRegression line = LinearRegression.Fit(x, y)!;
        return (line.Slope, T[x.Length - 3] * line.ResidualError!.Value / Math.Sqrt(line.SumSquaresX));
    }

    private string Caption(string figure) => XDocument.Parse(File.ReadAllText(Path.Combine(study, StudyReport.PageName))).Descendants("figcaption")
        .Single(c => c.Value.Contains($"figures/{figure}.csv", StringComparison.Ordinal)).Value;

    private string[][] Rows(string figure) => [.. File.ReadLines(Path.Combine(study, "figures", $"{figure}.csv")).Skip(1).Select(l => l.Split(','))];

    private string Cell(string[] row, string figure, string column) =>
        row[Array.IndexOf(File.ReadLines(Path.Combine(study, "figures", $"{figure}.csv")).First().Split(','), column)];
}
