using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Files;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

public class CheckpointTests
{
    [Test]
    public void The_last_two_are_kept_and_the_newest_is_opened()
    {
        using var folder = new TemporaryFolder();
        CheckpointStore store = Filled(folder["c"], 1, 2, 30, 4000);
        Assert.That(store.List().Select(Path.GetFileName), Is.EqualTo(new[] { "step-000004000", "step-000000030" }));
        Checkpoint newest = store.OpenNewest(Assert.Fail)!;
        Assert.That(newest.Step, Is.EqualTo(4000));
        Assert.That((string?)newest.State["note"], Is.EqualTo("kept"));
        Assert.That(Directory.GetFileSystemEntries(folder["c"]), Has.Length.EqualTo(2));
    }

    [Test]
    public void A_flipped_byte_anywhere_in_any_file_is_found()
    {
        using var folder = new TemporaryFolder();
        string path = Filled(folder["c"], 1).List()[0];
        Assert.That(() => CheckpointStore.Open(path), Throws.Nothing);
        foreach (string file in Directory.GetFiles(path))
        {
            byte[] whole = File.ReadAllBytes(file);
            for (int i = 0; i < whole.Length; i += Math.Max(1, whole.Length / 40))
            {
                FlipByte(file, i);
                Assert.That(() => CheckpointStore.Open(path), Throws.TypeOf<SafetensorsException>(), $"{Path.GetFileName(file)} at {i}");
                File.WriteAllBytes(file, whole);
            }
            File.WriteAllBytes(file, whole[..^2]);
            Assert.That(() => CheckpointStore.Open(path), Throws.TypeOf<SafetensorsException>(), $"{Path.GetFileName(file)} cut");
            File.Delete(file);
            Assert.That(() => CheckpointStore.Open(path), Throws.TypeOf<SafetensorsException>(), $"{Path.GetFileName(file)} deleted");
            File.WriteAllBytes(file, whole);
        }
    }

    [Test]
    public void The_older_one_serves_when_the_newest_is_damaged_and_none_when_both_are()
    {
        using var folder = new TemporaryFolder();
        CheckpointStore store = Filled(folder["c"], 1, 2);
        FlipByte(Path.Combine(store.List()[0], "model.safetensors"), 100);
        var warnings = new List<string>();
        Assert.That(store.OpenNewest(warnings.Add)!.Step, Is.EqualTo(1));
        Assert.That(warnings, Has.Count.EqualTo(1));
        Assert.That(warnings[0], Does.Contain("step-000000002 is damaged"));
        FlipByte(Path.Combine(store.List()[1], "state.json"), 10);
        Assert.That(() => store.OpenNewest(warnings.Add),
            Throws.TypeOf<InputException>().With.Message.Contains("every checkpoint is damaged"));
    }

    [Test]
    public void The_best_weights_are_those_that_were_validated_averaged_ones_included()
    {
        using var folder = new TemporaryFolder();
        TrainingResult result = ToyRuns.Run(folder["run"], ToyRuns.EverythingOn with { LearningRate = 0.3 }, () => new RegressionTask());
        Checkpoint best = new RunDirectory(folder["run"]).Checkpoints().OpenBest(Assert.Fail)!;
        Assert.That(best.Step, Is.EqualTo(result.BestStep));
        using var task = new RegressionTask();
        best.LoadWeights(task.Model);
        Assert.That(task.Validate()["val_loss"], Is.EqualTo(result.BestValidationLoss));
        FlipByte(Path.Combine(best.Path, Checkpoint.ModelFile), 200);
        var warnings = new List<string>();
        Assert.That(new RunDirectory(folder["run"]).Checkpoints().OpenBest(warnings.Add), Is.Null);
        Assert.That(warnings.Single(), Does.Contain("damaged"));
    }

    [Test]
    public void Nothing_is_renamed_into_place_after_the_claim_is_lost()
    {
        using var folder = new TemporaryFolder();
        var store = new CheckpointStore(folder["c"], DiskStorage.Shared);
        Assert.That(() => store.Save(1, [], [], [], () => throw new InvalidOperationException("lost")), Throws.InvalidOperationException);
        Assert.That(store.List(), Is.Empty);
        Assert.That(store.OpenNewest(Assert.Fail), Is.Null);
    }

    [Test]
    public void Weights_load_into_another_module_averaged_or_not()
    {
        using var folder = new TemporaryFolder();
        using var trained = nn.Linear(3, 2);
        using Tensor average = ones(2, 3);
        var store = new CheckpointStore(folder["c"], DiskStorage.Shared);
        store.Save(1, trained.state_dict(), [KeyValuePair.Create("average.weight", average)], [], () => { });
        using var loaded = nn.Linear(3, 2);
        store.OpenNewest(Assert.Fail)!.LoadWeights(loaded, averaged: false);
        Assert.That(loaded.weight!.bytes.ToArray(), Is.EqualTo(trained.weight!.bytes.ToArray()));
        store.OpenNewest(Assert.Fail)!.LoadWeights(loaded);
        Assert.That(loaded.weight!.data<float>().ToArray(), Is.All.EqualTo(1f));
        Assert.That(loaded.bias!.bytes.ToArray(), Is.EqualTo(trained.bias!.bytes.ToArray()));
        using var other = nn.Linear(4, 2);
        Assert.That(() => store.OpenNewest(Assert.Fail)!.LoadWeights(other),
            Throws.TypeOf<SafetensorsException>().With.Property("Fault").EqualTo(SafetensorsFault.Mismatch));
        using var fewer = nn.Linear(3, 2, hasBias: false);
        Assert.That(() => store.OpenNewest(Assert.Fail)!.LoadWeights(fewer), Throws.TypeOf<SafetensorsException>());
    }

    internal static void FlipByte(string file, int at)
    {
        byte[] bytes = File.ReadAllBytes(file);
        bytes[at] ^= 0x10;
        File.WriteAllBytes(file, bytes);
    }

    private static CheckpointStore Filled(string path, params long[] steps)
    {
        var store = new CheckpointStore(path, DiskStorage.Shared);
        foreach (long step in steps)
        {
            using Tensor weight = torch.rand(7, 5, generator: RunScope.Current.Random);
            using Tensor moment = torch.rand(3, generator: RunScope.Current.Random);
            var state = new JsonObject { ["note"] = "kept" };
            store.Save(step, [KeyValuePair.Create("w", weight)], [KeyValuePair.Create("m", moment)], state, () => { });
        }
        return store;
    }
}
