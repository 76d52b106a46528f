using System.Text;
using System.Text.Json.Nodes;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>A run carries what its model needs: used where it was copied to, without its store, or beside another one of that path.</summary>
public sealed class CarriedRunTests
{
    private static readonly string[] Sample = ["--count", "4", "--seed", "5", "--max-tokens", "30", "--threads", "1"];

    private string root = "", store = "", run = "";
    private string[] molecules = [];

    [SetUp]
    public void Make()
    {
        root = Workplace.In($"carried-{TestContext.CurrentContext.Test.ID}");
        (store, run) = (Path.Combine(root, "store"), Path.Combine(root, "run"));
        DefaultSizeTests.Copy(Workplace.Store, store);
        Works("train", "--data", store, "--layers", "1", "--width", "16", "--heads", "2", "--validation", "10", "--limit", "60", "--lr", "1e-2", "--warmup", "0", "--steps", "6",
            "--checkpoint-every", "3 steps", "--threads", "1", "--out", run);
        molecules = Molecules(run);
    }

    [Test]
    public void Its_tokenizer_is_the_stores_with_its_checksum()
    {
        Assert.That(File.ReadAllBytes(Path.Combine(run, "model", "tokenizer.json")), Is.EqualTo(File.ReadAllBytes(Path.Combine(store, "tokenizer.json"))));
        string digest = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(run, "model", "tokenizer.json"))));
        Assert.That(File.ReadAllText(Path.Combine(run, "model", "SHA256SUMS")), Is.EqualTo($"{digest}  tokenizer.json\n"));
    }

    [Test]
    public void It_generates_the_same_where_its_store_is_another_or_gone_and_wherever_it_lies()
    {
        Replace();
        Assert.That(Molecules(run), Is.EqualTo(molecules), "beside another store");
        Directory.Delete(store, recursive: true);
        Directory.Move(run, run + "-moved");
        Assert.That(Molecules(run + "-moved"), Is.EqualTo(molecules), "moved, without the store");
    }

    [Test]
    public void It_resumes_with_the_data_it_was_trained_on_alone()
    {
        string[] recorded = File.ReadAllLines(Path.Combine(run, "metrics.csv"));
        Unfinish();
        string moved = store + "-moved";
        Directory.Move(store, moved);
        Assert.That(BadInputTests.Refused(["train", "--resume", "--out", run]).Error, Does.Contain(store));
        Directory.CreateDirectory(store);
        DefaultSizeTests.Copy(moved, store);
        Replace();
        Assert.That(BadInputTests.Refused(["train", "--resume", "--out", run]).Error, Does.Contain("fingerprint"));
        Works("train", "--resume", "--data", moved, "--out", run);
        Assert.That(File.ReadAllLines(Path.Combine(run, "metrics.csv")), Is.EqualTo(recorded));
    }

    [Test]
    public void One_of_version_0_3_takes_its_stores_tokenizer_as_long_as_that_is_its_own()
    {
        Directory.Delete(Path.Combine(run, "model"), recursive: true);
        // That version's DONE has no checksums.
        JsonObject done = JsonNode.Parse(File.ReadAllText(Path.Combine(run, "DONE")))!.AsObject();
        Assert.That(done.Remove("files") && done.Remove("seal"));
        File.WriteAllText(Path.Combine(run, "DONE"), done.ToJsonString());
        Assert.That(Molecules(run), Is.EqualTo(molecules));
        Directory.Move(store, Path.Combine(run, "data"));
        Assert.That(Molecules(run), Is.EqualTo(molecules), "a store of its own moves with it");
        Directory.Move(Path.Combine(run, "data"), store);

        string moved = store + "-moved";
        DefaultSizeTests.Copy(store, moved);
        Replace();
        Assert.That(BadInputTests.Refused(["generate", "--run", run, "--out", Path.Combine(root, "refused")]).Error, Does.Contain(store).And.Contain("fingerprint"));
        Directory.Delete(store, recursive: true);
        Assert.That(BadInputTests.Refused(["generate", "--run", run, "--out", Path.Combine(root, "refused")]).Error, Does.Contain(store).And.Contain("0.3"));

        // Going on makes it a run that carries its tokenizer.
        Unfinish();
        Works("train", "--resume", "--data", moved, "--out", run);
        Directory.Delete(moved, recursive: true);
        Assert.That(Molecules(run), Is.EqualTo(molecules));
    }

    [Test]
    public void One_that_has_lost_them_since_takes_no_other()
    {
        string model = Path.Combine(run, "model");
        Directory.Delete(model, recursive: true);
        foreach (string[] command in (string[][])[["generate", "--run", run, "--out", Path.Combine(root, "refused")], ["train", "--resume", "--out", run]])
            Assert.That(BadInputTests.Refused(command).Error, Does.Contain(model).And.Contain("is missing"));
        Outcome verified = CommandLine.Here("verify", run);
        Assert.That(verified.ExitCode, Is.EqualTo(2));
        Assert.That(verified.Output + verified.Error, Does.Contain(model));
    }

    [Test]
    public void Losses_and_weights_of_a_complete_run_are_its_own_or_refused()
    {
        string csv = Path.Combine(run, "metrics.csv"), sound = File.ReadAllText(csv), experiment = Path.Combine(run, "experiment.yaml"), text = File.ReadAllText(experiment);
        File.WriteAllText(csv, sound.Replace(",,,2", ",,,1", StringComparison.Ordinal) + "\n");
        foreach (string[] command in (string[][])[["fit", run, "--resource", "parameters"], ["estimate", run]])
            Assert.That(BadInputTests.Refused(command).Error, Does.Contain("metrics.csv"));
        File.WriteAllText(csv, sound);
        // Without a seal, as an earlier version left it, and of another model with tensors of the same shapes.
        File.WriteAllText(experiment, string.Join('\n', text.Split('\n').Where(line => !line.StartsWith('#'))).Replace("heads: 2", "heads: 4", StringComparison.Ordinal));
        Assert.That(BadInputTests.Refused(["generate", "--run", run, "--out", Path.Combine(root, "refused")]).Error, Does.Contain(experiment).And.Contain("experiment"));
    }

    [Test]
    public void A_tokenizer_that_was_changed_is_refused_and_written_again_on_resume()
    {
        string file = Path.Combine(run, "model", "tokenizer.json");
        byte[] sound = File.ReadAllBytes(file);
        File.WriteAllText(file, Encoding.UTF8.GetString(sound).Replace("[C]", "[N]", StringComparison.Ordinal));
        Assert.That(BadInputTests.Refused(["generate", "--run", run, "--out", Path.Combine(root, "refused")]).Error, Does.Contain(file).And.Contain("checksum"));
        File.Delete(file);
        Assert.That(BadInputTests.Refused(["generate", "--run", run, "--out", Path.Combine(root, "refused")]).Error, Does.Contain(file));
        Unfinish();
        Assert.That(Works("train", "--resume", "--out", run).Error, Does.Contain("warning").And.Contain(file));
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(sound));
        Assert.That(Molecules(run), Is.EqualTo(molecules));
    }

    [Test]
    public void Sweeps_are_told_estimated_and_used_without_their_store()
    {
        string sweep = Path.Combine(root, "sweep");
        Works("sweep", "--data", store, "--layers", "1", "--width", "16", "--heads", "2", "--validation", "10", "--limit", "60", "--epochs", "3", "--batch", "20", "--threads", "1",
            "--vary", "training.learningRate=1e-3,3e-3,1e-2", "--out", sweep);
        Directory.Delete(store, recursive: true);
        Directory.Move(sweep, sweep + "-moved");
        sweep += "-moved";
        Assert.That(Works("sweep", "--status", "--out", sweep).Output, Does.Contain("3 complete"));
        Works("estimate", sweep, "--probe-epochs", "1");
        Assert.That(Molecules(Path.Combine(sweep, "learningRate-3e-3")), Has.Length.EqualTo(5));
    }

    private string[] Molecules(string of)
    {
        string output = Path.Combine(root, "molecules");
        Works(["generate", "--run", of, .. Sample, "--out", output]);
        return File.ReadAllLines(Path.Combine(output, "molecules.tsv"));
    }

    /// <summary>Other molecules in the same folder, of another grammar.</summary>
    private void Replace() => Works("prepare", "--virtual", "300", "--validation", "0.1", "--grammar", "2.1", "--overwrite", "--out", store);

    private void Unfinish()
    {
        File.Delete(Path.Combine(run, "DONE"));
        Directory.Delete(Path.Combine(run, "checkpoints", "step-000000006"), recursive: true);
    }

    private static Outcome Works(params string[] arguments)
    {
        Outcome outcome = CommandLine.Here(arguments);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        return outcome;
    }
}
