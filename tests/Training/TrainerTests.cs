using System.Text.Json.Nodes;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

public class TrainerTests
{
    private static readonly TrainingSpec Plain = new()
    {
        LearningRate = 0.01,
        Schedule = new ScheduleSpec { WarmupSteps = 0 },
        Epochs = 3,
        Dtype = Precision.Float64,
    };

    [Test]
    public void Training_lowers_the_loss()
    {
        using var folder = new TemporaryFolder();
        TrainingResult result = ToyRuns.Run(folder.Path, Plain with { Epochs = 60 }, Task64());
        Expect.Below(result.FinalValidationLoss, 0.1 * FirstValidation(folder.Path));
        Assert.That(result.ItemsSeen, Is.EqualTo(60 * 44));
        Assert.That(new RunDirectory(folder.Path).ReadResult(), Is.EqualTo(result));
        Assert.That(new RunDirectory(folder.Path).ReadExperiment(), Is.EqualTo(ToyRuns.Of(Plain with { Epochs = 60 }).Validated()));
    }

    [Test]
    public void Accumulated_part_batches_equal_the_whole_batch()
    {
        using var folder = new TemporaryFolder();
        TrainingSpec clipped = Plain with { ClipNorm = 0.3 };
        ToyRuns.Run(folder["whole"], clipped, Task64(batchSize: 22));
        ToyRuns.Run(folder["halves"], clipped with { Accumulation = 2 }, Task64(batchSize: 11));
        // 22 = 4 x 5 + 2: parts of unequal size; the shuffled order is the same.
        Expect.Close(Losses(folder["halves"]), Losses(folder["whole"]), absolute: 1e-12);
        ToyRuns.Run(folder["all"], clipped, Task64(batchSize: 44));
        ToyRuns.Run(folder["unequal"], clipped with { Accumulation = 9 }, Task64(batchSize: 5));
        Expect.Close(Losses(folder["unequal"]), Losses(folder["all"]), absolute: 1e-12);
    }

    [Test]
    public void Clipping_makes_long_gradients_as_long_as_the_limit_and_leaves_short_ones()
    {
        using var folder = new TemporaryFolder();
        // Without momentum or decay, and with an epsilon that swamps the second moment, a step is lr g / eps.
        var optimizer = new OptimizerSpec { Beta1 = 0, Beta2 = 0, WeightDecay = 0, Epsilon = 1 };
        TrainingSpec one = Plain with { Optimizer = optimizer, Epochs = null, Steps = 1, LearningRate = 1e-3 };
        string line = File.ReadLines(Path.Combine(Ran("free", one), "metrics.jsonl")).First();
        double norm = (double)JsonNode.Parse(line)!["gradient_norm"]!;
        string huge = Ran("huge", one with { ClipNorm = norm * 2 });
        Assert.That(ToyRuns.Tensors(huge), Is.EqualTo(ToyRuns.Tensors(folder["free"])));
        using Tensor clipped = Moment(Ran("clipped", one with { ClipNorm = norm / 5 }));
        using Tensor free = Moment(folder["free"]);
        using Tensor ratio = (clipped / free).mean();
        Expect.Close(ratio.item<double>(), 0.2, absolute: 1e-5);

        string Ran(string name, TrainingSpec spec)
        {
            ToyRuns.Run(folder[name], spec, Task64());
            return folder[name];
        }

        static Tensor Moment(string run)
        {
            using SafetensorsFile file =
                SafetensorsFile.Open(Path.Combine(new RunDirectory(run).Checkpoints().List()[0], "training.safetensors"));
            return file.Read("optimizer.m.first.weight");
        }
    }

    [Test]
    public void The_average_follows_the_weights_and_is_what_is_validated()
    {
        using var folder = new TemporaryFolder();
        TrainingSpec spec = Plain with { EmaDecay = 0.9, Epochs = null, Steps = 30, CheckpointInterval = Interval.Steps(1) };
        double[]? expected = null;
        using (var task = new RegressionTask(dtype: ScalarType.Float64))
        {
            double[] start = Flat(task.Model);
            expected = start;
            int step = 0;
            var progress = new Recorder(_ =>
            {
                step++;
                double d = Math.Min(0.9, (1.0 + step) / (10.0 + step));
                double[] weights = Flat(task.Model);
                expected = [.. expected!.Select((a, i) => d * a + (1 - d) * weights[i])];
            });
            Trainer.Run(ToyRuns.Of(spec), task, new RunDirectory(folder.Path), new TrainerOptions { Progress = progress });
        }
        using var loaded = new RegressionTask(seed: 9, dtype: ScalarType.Float64);
        Checkpoint checkpoint = new RunDirectory(folder.Path).Checkpoints().OpenNewest(Assert.Fail)!;
        checkpoint.LoadWeights(loaded.Model);
        Expect.Close(Flat(loaded.Model), expected, absolute: 1e-12);
        double loss = new RunDirectory(folder.Path).ReadResult().FinalValidationLoss!.Value;
        Assert.That(loaded.Validate()["val_loss"], Is.EqualTo(loss));
        checkpoint.LoadWeights(loaded.Model, averaged: false);
        Assert.That(loaded.Validate()["val_loss"], Is.Not.EqualTo(loss));
    }

    [Test]
    public void Nothing_is_kept_from_step_to_step()
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask(dropout: 0.1);
        // What earlier tests left to the finalizer must not be counted.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var counts = new List<long>();
        var progress = new Recorder(r => { if (r.Step % 20 == 0) counts.Add(TensorCount.Now); });
        Trainer.Run(ToyRuns.Of(ToyRuns.EverythingOn with { Epochs = 100 }), task, new RunDirectory(folder.Path),
            new TrainerOptions { Progress = progress });
        Assert.That(counts, Has.Count.EqualTo(10));
        // What others left to the finalizer may go meanwhile; nothing may come.
        for (int i = 2; i < counts.Count; i++) Expect.AtMost(counts[i], counts[1]);
    }

    [TestCase(double.NaN, "training loss NaN")]
    [TestCase(double.PositiveInfinity, "training loss Infinity")]
    public void A_loss_that_is_no_number_stops_the_run_and_names_step_and_checkpoint(double factor, string what)
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask { LossFactor = b => b == 7 ? factor : 1 };
        TrainingSpec spec = Plain with { Dtype = Precision.Float32, CheckpointInterval = Interval.Steps(5) };
        TrainingDivergedException e =
            Assert.Throws<TrainingDivergedException>(() => Trainer.Run(ToyRuns.Of(spec), task, new RunDirectory(folder.Path)))!;
        Assert.That(e.Step, Is.EqualTo(7));
        Assert.That(e.Message, Does.Contain(what).And.Contain("step-000000005").And.Contain("HINT"));
        Assert.That(e.LastCheckpoint, Does.Exist);
        Assert.That(File.Exists(folder["DONE"]), Is.False);
        Assert.That(File.ReadLines(folder["metrics.csv"]).Last(), Does.StartWith("1,7,"));
    }

    [Test]
    public void A_gradient_that_overflows_stops_the_run_before_the_update()
    {
        using var folder = new TemporaryFolder();
        using var task = new RegressionTask { LossFactor = _ => 3e38 };
        double[] before = Flat(task.Model);
        TrainingDivergedException e = Assert.Throws<TrainingDivergedException>(
            () => Trainer.Run(ToyRuns.Of(Plain with { Dtype = Precision.Float32 }), task, new RunDirectory(folder.Path)))!;
        Assert.That(e.LastCheckpoint, Is.Null);
        Assert.That(Flat(task.Model), Is.EqualTo(before));
    }

    [Test]
    public void Patience_ends_the_run_and_the_best_is_remembered()
    {
        using var folder = new TemporaryFolder();
        double[] losses = [5, 3, 4, 2, 2.5, 2, 3, 1];
        using var task = new RegressionTask { ValidationLoss = v => losses[v] };
        Experiment experiment = ToyRuns.Of(Plain with { Dtype = Precision.Float32, Epochs = 50, Patience = 3 });
        TrainingResult result = Trainer.Run(experiment, task, new RunDirectory(folder.Path));
        Assert.That(result.Reason, Is.EqualTo(StopReason.Patience));
        Assert.That((result.BestValidationLoss, result.BestStep, result.FinalValidationLoss), Is.EqualTo((2.0, (long?)(4 * 6), 3.0)));
        Assert.That(result.Steps, Is.EqualTo(7 * 6));
        Assert.That(File.Exists(folder["DONE"]), Is.True);
    }

    [Test]
    public void Steps_and_epochs_end_the_run_whichever_is_first_with_a_last_validation()
    {
        using var folder = new TemporaryFolder();
        TrainingResult steps = ToyRuns.Run(folder["steps"], Plain with { Steps = 4, ValidationInterval = Interval.Never }, Task64());
        Assert.That((steps.Steps, steps.FinalValidationLoss is not null), Is.EqualTo((4, true)));
        TrainingResult epochs = ToyRuns.Run(folder["epochs"], Plain with { Steps = 1000 }, Task64());
        Assert.That(epochs.Steps, Is.EqualTo(18));
        Assert.That(Directory.Exists(Path.Combine(folder["none"], "checkpoints")), Is.False);
        ToyRuns.Run(folder["none"], Plain with { CheckpointInterval = Interval.Never }, Task64());
        Assert.That(Directory.Exists(Path.Combine(folder["none"], "checkpoints")), Is.False);
    }

    private static Func<ITrainingTask> Task64(int batchSize = 8) =>
        () => new RegressionTask(batchSize: batchSize, dtype: ScalarType.Float64);

    private static double FirstValidation(string run) =>
        double.Parse(File.ReadLines(Path.Combine(run, "metrics.csv")).Skip(1).Select(l => l.Split(',')[4]).First(c => c.Length > 0));

    private static double[] Losses(string run) =>
        [.. File.ReadLines(Path.Combine(run, "metrics.csv")).Skip(1).SelectMany(l => l.Split(',').Skip(2)).Where(c => c.Length > 0)
            .Select(double.Parse)];

    private static double[] Flat(nn.Module module)
    {
        using DisposeScope scope = NewDisposeScope();
        return [.. module.parameters().SelectMany(p => p.detach().to(ScalarType.Float64).data<double>().ToArray())];
    }

    private sealed class Recorder(Action<StepReport> action) : IProgress<StepReport>
    {
        public void Report(StepReport value) => action(value);
    }
}
