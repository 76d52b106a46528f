using ChemScale.Tests.Training;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

public class VerifyTests
{
    [Test]
    public void Sound_folders_exit_0_with_what_was_read()
    {
        Outcome outcome = CommandLine.Here("verify", Workplace.Store, Workplace.CompleteRun);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.ToString());
        Assert.That(outcome.Output, Does.StartWith("1 stores, 1 runs with ").And.Contain("all sound"));
        Assert.That(outcome.Error, Is.Empty);
    }

    [TestCase("model.safetensors"), TestCase("SHA256SUMS")]
    public void A_damaged_checkpoint_exits_2_with_its_name_and_a_training_with_it_does_nothing(string name)
    {
        string run = Copy(Workplace.CompleteRun, $"damaged-{name}");
        string file = Directory.GetFiles(run, name, SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        CheckpointTests.FlipByte(file, 20);
        foreach (string[] more in (string[][])[[], ["--json"]])
        {
            Outcome outcome = CommandLine.Here(["verify", run, .. more]);
            Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
            Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
            Assert.That(outcome.Error, Does.Contain(Path.GetDirectoryName(file)!));
            Assert.That(outcome.Output, Does.Contain(Path.GetDirectoryName(file)!));
        }
        Dictionary<string, byte[]> before = Workplace.Content(run);
        BadInputTests.Refused(["train", "--out", run, "--resume"]);
        Assert.That(Workplace.Content(run), Is.EqualTo(before));
    }

    [TestCase("train.tokens"), TestCase("train.offsets"), TestCase("validation.tokens"), TestCase("tokenizer.json"), TestCase("store.json")]
    public void Nothing_is_trained_on_a_damaged_store(string name)
    {
        string store = Copy(Workplace.Store, $"damaged-{name}");
        CheckpointTests.FlipByte(Path.Combine(store, name), 30);
        Outcome verified = CommandLine.Here("verify", store);
        Assert.That(verified.ExitCode, Is.EqualTo(2), verified.ToString());
        Assert.That(verified.Error, Does.Contain(name));
        string[] train = [.. Workplace.Train($"on-damaged-{name}", "--steps", "2"), "--data", store];
        Outcome trained = CommandLine.Here([.. train.Where((_, i) => i is not (1 or 2))]);
        Assert.That(trained.ExitCode, Is.EqualTo(2), trained.ToString());
        Assert.That(trained.Error, Does.Contain(name));
        Assert.That(Directory.Exists(Workplace.In($"on-damaged-{name}")), Is.False);
    }

    [Test]
    public void What_is_no_folder_or_has_nothing_to_verify_is_refused()
    {
        Directory.CreateDirectory(Workplace.In("nothing"));
        BadInputTests.Refused(["verify"]);
        BadInputTests.Refused(["verify", Workplace.In("nowhere")]);
        BadInputTests.Refused(["verify", Workplace.In("nothing")]);
    }

    private static string Copy(string folder, string name)
    {
        string copy = Workplace.In(name);
        foreach ((string file, byte[] content) in Workplace.Content(folder))
        {
            string path = Path.Combine(copy, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, content);
        }
        return copy;
    }
}
