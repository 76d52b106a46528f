using System.Reflection;
using System.Text.Json;
using ChemScale.Cli;
using global::CommandLine;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>What programs read: answers on standard output, progress on standard error.</summary>
public sealed class AnswerTests
{
    private static readonly string[] Verbs = ["convert", "doctor", "estimate", "fit", "generate", "prepare", "study", "sweep", "tpe", "train", "worker"];

    [TestCaseSource(nameof(Verbs))]
    public void Every_verb_explains_itself(string verb)
    {
        Outcome option = CommandLine.Here(verb, "--help"), word = CommandLine.Here("help", verb);
        Assert.That(option.ExitCode, Is.Zero);
        Assert.That(option.Output, Does.Contain("--").Or.Contain("json"));
        Assert.That(option.Error, Is.Empty);
        Assert.That(word.Output, Is.EqualTo(option.Output));
    }

    [Test]
    public void Help_fits_the_terminal_and_names_options_as_they_are_typed([Values(60, 80, 120)] int width)
    {
        foreach (Type verb in typeof(Verb).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Verb)) && !t.IsAbstract))
        {
            string[] lines = Help.Of(verb, width).Split(Environment.NewLine);
            Assert.That(lines.Where(l => l.Length > width), Is.Empty, verb.Name);
            Assert.That(lines[0], Does.StartWith($"usage: chemscale {Help.NameOf(verb)} "));
            foreach (OptionAttribute option in Help.Declared(verb).Select(p => p.GetCustomAttribute<OptionAttribute>()).OfType<OptionAttribute>())
            {
                string name = option.LongName.Length > 0 ? "--" + option.LongName : "-" + option.ShortName;
                Assert.That(lines.Count(l => l.StartsWith("  " + name, StringComparison.Ordinal) && l.Split(' ')[2] == name), Is.EqualTo(1), name);
            }
            foreach (ExampleAttribute example in verb.GetCustomAttributes<ExampleAttribute>())
            {
                string[] words = example.Command.Split([" < ", " | "], StringSplitOptions.None)[0].Split(' ');
                Assert.That((words[0], words[1]), Is.EqualTo(("chemscale", Help.NameOf(verb))));
                using var parser = new Parser(settings => settings.CaseInsensitiveEnumValues = true);
                Assert.That(parser.ParseArguments(words[1..], [verb, typeof(ConvertVerb)]), Is.InstanceOf<Parsed<object>>(), example.Command);
            }
            Assert.That(verb.GetCustomAttributes<ExampleAttribute>(), Is.Not.Empty, verb.Name);
        }
    }

    [TestCase("-h"), TestCase("help"), TestCase("--help")]
    public void Help_has_its_usual_names(string asked) => Assert.That(CommandLine.Here(asked).Output, Does.StartWith("usage: chemscale VERB"));

    [TestCase("trian", "did you mean train?"), TestCase("simulte", "did you mean simulate?"), TestCase("xyzzy", "--help lists")]
    public void A_misspelt_verb_is_told_which_it_may_be(string verb, string hint)
    {
        Outcome outcome = CommandLine.Here(verb, "--out", "x");
        Assert.That((outcome.ExitCode, outcome.Error.Trim().Contains('\n')), Is.EqualTo((2, false)));
        Assert.That(outcome.Error, Does.Contain(hint));
    }

    [TestCase("--epoch", "--epochs"), TestCase("--learning-rate", "--lr"), TestCase("--batch-size", "--batch"), TestCase("--wdith", "--width"),
     TestCase("--n-layers", "--layers"), TestCase("--qqqqq", "--help lists the options of a verb")]
    public void A_misspelt_option_is_told_which_it_may_be(string option, string hint)
    {
        Outcome outcome = CommandLine.Here("train", option, "3");
        Assert.That((outcome.ExitCode, outcome.Error.Trim().Contains('\n')), Is.EqualTo((2, false)));
        Assert.That(outcome.Error, Does.Contain(hint));
    }

    [Test]
    public void Help_lists_every_verb()
    {
        Outcome outcome = CommandLine.Here("--help");
        Assert.That(outcome.ExitCode, Is.Zero);
        foreach (string verb in Verbs) Assert.That(outcome.Output, Does.Contain("  " + verb + " "));
    }

    [Test]
    public void Doctor_answers_in_json()
    {
        JsonElement findings = Json("doctor", "--json");
        Assert.That(findings.EnumerateArray().Select(f => f.GetProperty("what").GetString()), Is.SupersetOf((string[])["runtime", "libtorch"]));
        foreach (JsonElement finding in findings.EnumerateArray())
        {
            Assert.That(finding.GetProperty("found").GetString(), Is.Not.Empty);
            Assert.That(finding.GetProperty("good").ValueKind, Is.EqualTo(JsonValueKind.True).Or.EqualTo(JsonValueKind.False));
        }
    }

    [Test]
    public void Prepare_answers_in_json()
    {
        JsonElement report = Json("prepare", "--virtual", "50", "--out", Workplace.In("json-store"), "--json");
        Assert.That(report.GetProperty("molecules").GetInt64(), Is.EqualTo(50));
        Expect.Above(report.GetProperty("tokens").GetInt64(), 500);
        Assert.That(report.GetProperty("store").GetProperty("synthetic").GetBoolean(), Is.True);
    }

    [Test]
    public void Generate_answers_in_json_and_keeps_the_same_in_a_file()
    {
        JsonElement answer = Json("generate", "--run", Workplace.CompleteRun, "--count", "3", "--max-tokens", "12", "--prompt", "[C][C]", "--seed", "4",
            "--out", Workplace.In("json-molecules"), "--json");
        JsonElement[] molecules = [.. answer.GetProperty("molecules").EnumerateArray()];
        Assert.That(molecules, Has.Length.EqualTo(3));
        foreach (JsonElement molecule in molecules) Assert.That(molecule.GetProperty("selfies").GetString(), Does.StartWith("[C][C]"));
        string[] lines = File.ReadAllLines(answer.GetProperty("file").GetString()!);
        Assert.That(lines.Skip(1).Select(l => l.Split('\t')[0]), Is.EqualTo(molecules.Select(m => m.GetProperty("selfies").GetString())));
    }

    [Test]
    public void Sweep_and_fit_answer_in_json()
    {
        string sweep = Workplace.In("json-sweep");
        string[] training = [.. Workplace.Train("json-sweep", "--steps", "3", "--parallel", "1", "--json").Skip(1).Where((_, i) => i is not (6 or 7))];
        JsonElement runs = Json(["sweep", .. training, "--vary", "model.width=8,16,32"]);
        Assert.That(runs.EnumerateArray().Select(r => r.GetProperty("result").GetProperty("steps").GetInt64()), Is.All.EqualTo(3).And.Exactly(3).Items);
        Assert.That(runs.EnumerateArray().Select(r => r.GetProperty("name").GetString()), Is.EqualTo((string[])["width-8", "width-16", "width-32"]));

        string table = Path.Combine(sweep, "sweep.csv");
        JsonElement byColumn = Json("fit", table, "--n", "parameters", "--bootstrap", "0", "--json"),
            byRun = Json("fit", sweep, "--resource", "parameters", "--bootstrap", "0", "--json");
        foreach (JsonElement answer in (JsonElement[])[byColumn, byRun])
        {
            JsonElement[] parameters = [.. answer.GetProperty("claim").GetProperty("estimates").EnumerateArray()];
            Assert.That(parameters.Select(p => p.GetProperty("name").GetString()), Is.EqualTo((string[])["alpha", "beta"]));
            Assert.That(parameters.Select(p => p.GetProperty("value").GetDouble()), Is.All.Matches<double>(double.IsFinite));
            Assert.That(answer.GetProperty("claim").GetProperty("grade").GetString(), Is.AnyOf("notDetermined", "suggested"));
        }
    }

    [Test]
    public void Tpe_answers_in_json()
    {
        string[] training = Workplace.Train("json-tpe", "--epochs", "3", "--limit", "64", "--parallel", "1", "--json");
        string[] arguments = ["tpe", .. training.Skip(1).Where(word => word is not ("--lr" or "1e-3"))];
        JsonElement summary = Json([.. arguments, "--rates", "1e-4,1e-3,1e-2", "--batches", "16", "--probe-epochs", "1"]);
        JsonElement[] configurations = [.. summary.GetProperty("configurations").EnumerateArray()];
        Expect.AtLeast(configurations.Length, 3);
        Expect.Between(summary.GetProperty("selected").GetInt32(), 0, configurations.Length - 1);
        Expect.Between(summary.GetProperty("computeSaved").GetDouble(), 0, 1);
        Assert.That(File.ReadAllText(Path.Combine(Workplace.In("json-tpe"), "report.html")), Does.Contain("Training performance estimation of ChemGPT"));
        JsonElement[] runs = [.. Json("estimate", Workplace.In("json-tpe"), "--probe-epochs", "1", "--json").GetProperty("runs").EnumerateArray()];
        Assert.That(runs.Count(r => r.GetProperty("finished").GetBoolean()), Is.EqualTo(1), "the one that was kept");
        foreach (JsonElement c in configurations)
        {
            JsonElement run = runs.Single(r => r.GetProperty("name").GetString() == c.GetProperty("name").GetString());
            Expect.Close(run.GetProperty("tse").GetDouble(), c.GetProperty("estimate").GetDouble(), absolute: 1e-12);
            Assert.That(run.GetProperty("learningRate").GetDouble(), Is.EqualTo(c.GetProperty("learningRate").GetDouble()));
        }
        Expect.Above(File.ReadAllLines(Path.Combine(Workplace.In("json-tpe"), "figures", "report-loss-curves.csv")).Length, configurations.Length);
    }

    [Test]
    public void Tpe_that_keeps_the_undecided_ends_with_the_best_of_all_that_it_finished()
    {
        string[] training = Workplace.Train("json-undecided", "--epochs", "4", "--limit", "64", "--parallel", "1", "--json");
        string[] arguments = ["tpe", .. training.Skip(1).Where(word => word is not ("--lr" or "1e-3"))];
        JsonElement summary = Json([.. arguments, "--space", "sobol", "--count", "5", "--batch-range", "8,16", "--rate-range", "3e-4,1e-2", "--probe-epochs", "1",
            "--keep", "undecided", "--estimator", "last"]);
        JsonElement[] all = [.. summary.GetProperty("configurations").EnumerateArray()];
        JsonElement[] kept = [.. all.Where(c => c.GetProperty("fate").GetString() == "kept")];
        Assert.That(all, Has.Length.EqualTo(6), "five, and Hugging Face's default");
        Assert.That(all.Select(c => c.GetProperty("batchSize").GetInt32()).Distinct(), Is.SubsetOf((int[])[8, 16]));
        Expect.AtLeast(kept.Length, 4, "the calibration");
        Assert.That(kept.Select(c => c.GetProperty("final").ValueKind), Is.All.EqualTo(JsonValueKind.Number));
        Assert.That(all[summary.GetProperty("selected").GetInt32()].GetProperty("final").GetDouble(), Is.EqualTo(kept.Min(c => c.GetProperty("final").GetDouble())));
    }

    [Test]
    public void Estimate_answers_in_json_and_on_a_page()
    {
        string table = Workplace.Write("wide.csv", "epoch,a,b,c,d\n" + string.Concat(Enumerable.Range(0, 20).Select(e => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{e},{1 + 2.0 / (e + 1)},{1.2 + 2.2 / (e + 1)},{1.1 + 2.1 / (e + 1)},{1.6 + 3.0 / (e + 1)}\n"))));
        string page = Workplace.In("estimate/page.html");
        JsonElement answer = Json("estimate", table, "--html", page, "--json");
        Assert.That(answer.GetProperty("runs").EnumerateArray().Select(r => r.GetProperty("name").GetString()), Is.EqualTo((string[])["a", "b", "c", "d"]));
        Expect.AllClose(answer.GetProperty("estimators").EnumerateArray().Select(e => e.GetProperty("all").GetProperty("spearman").GetDouble()), 1, absolute: 1e-12);
        JsonElement[] rows = [.. answer.GetProperty("replay").GetProperty("rows").EnumerateArray()];
        JsonElement tpe = rows.Single(r => r.GetProperty("pruner").GetString() == "TPE 20 % tse");
        Assert.That(tpe.GetProperty("selected").GetString(), Is.EqualTo("a"));
        Expect.Close(tpe.GetProperty("savings")[0].GetProperty("share").GetDouble(), 0.8 * 0.75, absolute: 1e-12);
        Assert.That(File.ReadAllText(page), Does.Contain("Estimation over 4 recorded curves").And.Contain("ASHA"));
        Assert.That(File.Exists(Workplace.In("estimate/figures/page-replay.csv")), Is.True);
        // No label is cut; of times, which a table has not, there is neither a figure nor a number.
        Assert.That(Directory.GetFiles(Workplace.In("estimate/figures"), "*.svg").Select(File.ReadAllText), Is.Not.Empty.And.None.Contains("…"));
        Assert.That(Directory.GetFiles(Workplace.In("estimate/figures"), "*speed*"), Is.Empty);
        Outcome printed = CommandLine.Here("estimate", table);
        Assert.That(printed.Output, Does.Contain("TPE 20 % tse").And.Contain("Hyperband 5 %").And.Contain("within 20 %"));
    }

    [Test]
    public void Train_answers_in_json_and_tells_its_progress_in_plain_lines_apart()
    {
        Outcome outcome = CommandLine.Run(Workplace.Train("json-train", "--steps", "3", "--json"));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        using var answer = JsonDocument.Parse(outcome.Output);
        JsonElement result = answer.RootElement.GetProperty("result");
        Assert.That(result.GetProperty("reason").GetString(), Is.EqualTo("completed"));
        Assert.That(result.GetProperty("steps").GetInt64(), Is.EqualTo(3));
        Expect.Above(result.GetProperty("bestValidationLoss").GetDouble(), 0);
        Assert.That(answer.RootElement.GetProperty("facts").GetProperty("parameters").GetInt64(), Is.EqualTo(12 * 16 * 16 + 10 * 16 + 2 * 16));
        Assert.That(outcome.ErrorLines, Is.Not.Empty.And.All.StartsWith("step "));
        Assert.That(outcome.Error, Does.Not.Contain('\r').And.Not.Contain('\u001b'));
        Assert.That(outcome.ErrorLines[^1], Does.Contain("loss").And.Contain("grad").And.Contain("lr").And.Contain("tokens/s").And.Contain("ETA"));
    }

    private static JsonElement Json(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        using var document = JsonDocument.Parse(outcome.Output);
        return document.RootElement.Clone();
    }
}
