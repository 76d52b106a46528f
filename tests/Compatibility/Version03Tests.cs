using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Tests.Cli;
using NUnit.Framework;

namespace ChemScale.Tests.Compatibility;

/// <summary>
/// What version 0.3.0 wrote (commit 7c82f33, on Linux x64): stores, a run of each family, a sweep and a study of two families, each
/// with the results it recorded or printed then. All of it still opens, resumes, evaluates and reports.
/// </summary>
public sealed class Version03Tests
{
    /// <summary>Where the files lay when they were made: their paths are written in them.</summary>
    private const string Made = "/home/user/chemscale";

    private static readonly string[] ForceFields = ["schnet", "painn", "spookynet", "allegro"];
    private static readonly string[] Families = ["chemgpt", .. ForceFields];

    private string folder = "";

    [OneTimeSetUp]
    public void Unpack()
    {
        folder = Directory.CreateTempSubdirectory("chemscale-0.3-").FullName;
        foreach (string name in (string[])["stores", "runs", "sweep", "study"])
        {
            using Stream packed = File.OpenRead(Path.Combine(House.Repository.Root, "tests", "Compatibility", $"version-0.3-{name}.tar.br"));
            using var unpacked = new BrotliStream(packed, CompressionMode.Decompress);
            TarFile.ExtractToDirectory(unpacked, folder, overwriteFiles: false);
        }
        // As if the files had always lain here.
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(f => Path.GetExtension(f) is ".yaml" or ".json"))
        {
            string text = File.ReadAllText(file);
            if (text.Contains(Made, StringComparison.Ordinal)) File.WriteAllText(file, text.Replace(Made, folder, StringComparison.Ordinal));
        }
    }

    [OneTimeTearDown]
    public void Remove() => Directory.Delete(folder, recursive: true);

    [TestCaseSource(nameof(Families))]
    public void A_run_resumes_from_its_first_checkpoint_and_repeats_its_record(string family)
    {
        string run = Copy($"runs/{family}", $"resumed-{family}");
        string[] recorded = File.ReadAllLines(Path.Combine(run, "metrics.csv"));
        File.Delete(Path.Combine(run, "DONE"));
        foreach (string later in Directory.GetDirectories(Path.Combine(run, "checkpoints")).Where(d => !d.EndsWith("step-000000002", StringComparison.Ordinal)))
            Directory.Delete(later, recursive: true);
        Command(0, "train", "--resume", "--out", run);
        string[] found = File.ReadAllLines(Path.Combine(run, "metrics.csv"));
        Assert.That(found, Has.Length.EqualTo(recorded.Length));
        // The bits are those of the machine that wrote them; what other processors round differently is far below this.
        for (int i = 1; i < found.Length; i++) Numbers(found[i], recorded[i], 1e-3);
        Assert.That(File.Exists(Path.Combine(run, "DONE")));
    }

    [TestCaseSource(nameof(Families))]
    public void A_finished_run_is_finished(string family)
    {
        string run = In($"runs/{family}");
        byte[] done = File.ReadAllBytes(Path.Combine(run, "DONE"));
        Command(0, "train", "--resume", "--out", run);
        Assert.That(File.ReadAllBytes(Path.Combine(run, "DONE")), Is.EqualTo(done));
    }

    [TestCaseSource(nameof(ForceFields))]
    public void A_run_evaluates_its_validation_frames(string family)
    {
        string answer = Command(0, "evaluate", "--run", In($"runs/{family}"), "--frames", In("ethanol.extxyz"), "--units", "eV", "--out", In($"evaluated-{family}"), "--json");
        using var json = JsonDocument.Parse(answer);
        Assert.That(json.RootElement.GetRawText(), Does.Not.Contain("NaN"));
    }

    [TestCase("schnet"), TestCase("painn"), TestCase("allegro")]
    public void A_run_predicts_what_it_predicted(string family)
    {
        string file = In($"predicted-{family}.extxyz");
        Command(0, "predict", "--run", In($"runs/{family}"), "--frames", In("ethanol.extxyz"), "--out", file, "--threads", "1");
        string[] expected = File.ReadAllLines(In($"expected/{family}.extxyz"));
        string[] found = [.. File.ReadLines(file).Take(expected.Length)];
        Assert.That(found, Has.Length.EqualTo(expected.Length));
        for (int i = 0; i < found.Length; i++)
        {
            // Energies of -310 eV and forces of an eV/A.
            if (expected[i].StartsWith("Properties", StringComparison.Ordinal)) Numbers(Energy(found[i]), Energy(expected[i]), 1e-3);
            else Numbers(found[i].Replace(' ', ','), expected[i].Replace(' ', ','), 1e-3);
        }

        static string Energy(string line) => line.Split(' ').Single(word => word.StartsWith("energy=", StringComparison.Ordinal))[7..];
    }

    // The likeliest tokens: seeds draw otherwise since then.
    [TestCase("[C]", "[C][C][Ring2][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Ring1][Ring1][Ring1][Ring1]\tC=CCl\tunfinished")]
    [TestCase("[O]", "[O][O][O][O][O][O][O][O][O][O][O][O][O][O][O][=O][=O][=O][=O]\tOOOOOOOOOOOOOOOOOOO\tunfinished")]
    [TestCase("[Br]", "[Br][P][Ring2][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Cl][Ring1][Ring1][Ring1][Ring1]\tBrPCl\tunfinished")]
    public void A_language_model_generates_what_it_generated(string prompt, string expected)
    {
        string output = In("generated-" + prompt.Trim('[', ']'));
        Command(0, "generate", "--run", In("runs/chemgpt"), "--count", "1", "--max-tokens", "20", "--temperature", "0", "--prompt", prompt, "--prompt-as", "selfies",
            "--all-tokens", "--out", output, "--threads", "1");
        Assert.That(File.ReadAllLines(Path.Combine(output, "molecules.tsv"))[1], Is.EqualTo(expected));
    }

    [Test]
    public void A_sweep_says_where_it_stands_and_goes_on()
    {
        string sweep = Copy("sweep", "sweep-again");
        string[] recorded = File.ReadAllLines(Path.Combine(sweep, "sweep.csv"));
        Assert.That(Command(0, "sweep", "--status", "--out", sweep), Does.Contain("complete"));
        string lost = Path.Combine(sweep, "learningRate-3e-3");
        string[] metrics = File.ReadAllLines(Path.Combine(lost, "metrics.csv"));
        Directory.Delete(lost, recursive: true);
        Command(0, "sweep", "--data", In("molecules"), "--layers", "1", "--width", "16", "--heads", "2", "--batch", "8", "--validation", "20", "--limit", "60", "--epochs", "2",
            "--threads", "1", "--vary", "training.learningRate=1e-3,3e-3", "--parallel", "1", "--out", sweep);
        string[] again = File.ReadAllLines(Path.Combine(lost, "metrics.csv"));
        Assert.That(again, Has.Length.EqualTo(metrics.Length));
        for (int i = 1; i < again.Length; i++) Numbers(again[i], metrics[i], 1e-3);
        Assert.That(File.ReadAllLines(Path.Combine(sweep, "sweep.csv")), Has.Length.EqualTo(recorded.Length));
    }

    [Test]
    public void A_study_reports_again_without_training_again()
    {
        string study = In("study");
        Dictionary<string, DateTime> done = Directory.GetFiles(study, "DONE", SearchOption.AllDirectories).ToDictionary(f => f, File.GetLastWriteTimeUtc);
        Expect.AtLeast(done.Count, 14);
        JsonElement[] before = Selections();
        Command(0, "study", "--families", "chemgpt", "schnet", "--limit", "200", "--layers", "1", "--widths", "16", "--subsets", "40,80,160", "--rates", "1e-3,3e-3",
            "--batches", "16", "--search-epochs", "5", "--probe-epochs", "2", "--seen", "400", "--frames", In("ethanol.extxyz"), "--shapes", "1x4,1x8",
            "--frame-subsets", "8,16,32", "--frame-rates", "1e-3,3e-3", "--frame-batches", "4", "--frames-seen", "100", "--out", study);
        foreach ((string file, DateTime time) in done) Assert.That(File.GetLastWriteTimeUtc(file), Is.EqualTo(time), file);
        JsonElement[] after = Selections();
        Assert.That(after.Select(s => s.GetProperty("selected").GetRawText()), Is.EqualTo(before.Select(s => s.GetProperty("selected").GetRawText())));
        // Predictions are made otherwise now; what they are made of is the same.
        foreach (string figure in (string[])["name", "fate", "epochLosses", "estimate", "final"]) Assert.That(Of(after, figure), Is.EqualTo(Of(before, figure)), figure);

        static IEnumerable<string> Of(JsonElement[] selections, string figure) =>
            selections.SelectMany(s => s.GetProperty("configurations").EnumerateArray().Select(c => c.GetProperty(figure).GetRawText()));

        JsonElement[] Selections()
        {
            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(study, "summary.json")));
            return [.. json.RootElement.GetProperty("parts").EnumerateArray().Select(p => p.GetProperty("selection").Clone())];
        }
    }

    [Test]
    public void Its_summary_opens_and_its_exponents_are_claimed_again_from_its_points()
    {
        StudySummary summary = SummaryJson.Read(File.ReadAllText(Path.Combine(Copy("study", "study-read"), "summary.json")));
        foreach (StudyPart part in summary.Parts)
        {
            Assert.That(part.Grid.Fits.Where(f => f.IsPlain).Sum(f => f.Resource == "parameters" ? f.Claim.Points.Count : 0), Is.EqualTo(part.Grid.Points.Count));
            Assert.That(part.Grid.Allocation!.Claim.Points, Has.Count.EqualTo(part.Grid.Points.Count));
            Assert.That(part.Selection.Configurations, Is.Not.Empty);
        }
        string page = StudyReport.Write(summary, In("study-reported"));
        Assert.That(File.ReadAllText(page), Does.Contain("Model size: refused."));
    }

    [Test]
    public void Its_curves_and_runs_are_estimated_and_fitted()
    {
        Command(0, "estimate", In("study/chemgpt/tpe"), "--probe-epochs", "2", "--json");
        Command(0, "fit", In("study/chemgpt/grid"), "--resource", "data", "--bootstrap", "0", "--json");
    }

    private string In(string name) => Path.Combine(folder, name);

    private string Copy(string from, string to)
    {
        string target = In(to);
        foreach (string file in Directory.GetFiles(In(from), "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(target, Path.GetRelativePath(In(from), file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        return target;
    }

    private static string Command(int code, params string[] arguments)
    {
        Outcome outcome = Cli.CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.EqualTo(code), outcome.ToString());
        return outcome.Output;
    }

    /// <summary>Comma-separated fields: words and empty fields equal, numbers within a relative tolerance.</summary>
    private static void Numbers(string found, string expected, double tolerance)
    {
        string[] these = found.Split(','), those = expected.Split(',');
        Assert.That(these, Has.Length.EqualTo(those.Length), found);
        for (int i = 0; i < these.Length; i++)
        {
            if (double.TryParse(those[i], CultureInfo.InvariantCulture, out double wanted) && double.TryParse(these[i], CultureInfo.InvariantCulture, out double got))
                Assert.That(Math.Abs(got - wanted) <= tolerance * Math.Max(1, Math.Abs(wanted)), Is.True, $"field {i}: {found} against {expected}");
            else
                Assert.That(these[i], Is.EqualTo(those[i]), expected);
        }
    }
}
