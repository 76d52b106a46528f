using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training.Tasks;

public class ForceFieldTaskTests
{
    private const double Offset = -10_000;

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        TestScope.Reset();
    }

    [TestCase(ErrorMeasure.Mse)]
    [TestCase(ErrorMeasure.L1)]
    [TestCase(ErrorMeasure.Huber)]
    public void The_loss_is_the_weighted_mean_over_labels_that_are_there(ErrorMeasure measure)
    {
        Frame[] frames = Frames(3);
        frames[0] = frames[0] with { Forces = null };
        frames[1] = frames[1] with { Energy = double.NaN };
        frames[2].Forces![4] = double.NaN;
        var spec = new LabelLossSpec { Error = measure, EnergyWeight = 0.3, ForceWeight = 2, HuberDelta = 0.5 };
        using ForceFieldTask task = Task(frames, frames, new TrainingSpec { BatchSize = 3, LabelLoss = spec, Dtype = Precision.Float64 });

        List<double> energies = [], forces = [];
        foreach (Frame frame in frames)
        {
            ForceFieldOutput output = task.ForceField.Evaluate(GraphBatches.Build([frame], 4));
            if (frame.HasEnergy) energies.Add(output.Energies.item<double>() - frame.Energy!.Value);
            if (frame.Forces is { } labels)
                forces.AddRange(output.Forces!.data<double>().ToArray().Zip(labels, (a, b) => a - b).Where(d => !double.IsNaN(d)));
        }
        double expected = 0.3 * energies.Average(Measure) + 2 * forces.Average(Measure);
        Expect.Close(task.NextLoss().Loss.item<double>(), expected, relative: 1e-9);
        IReadOnlyDictionary<string, double> validation = task.Validate();
        Expect.Close(validation["val_loss"], expected, relative: 1e-9);
        Expect.Close(validation["val_energy_mae"], energies.Average(Math.Abs), absolute: 1e-9);
        Expect.Close(validation["val_energy_mae_mev_per_atom"], 1000 * (Math.Abs(energies[0]) / frames[0].Atoms + Math.Abs(energies[1]) / frames[2].Atoms) / 2, absolute: 1e-6);
        Expect.Close(validation["val_force_mae"], forces.Average(Math.Abs), absolute: 1e-9);

        double Measure(double x) => measure switch
        {
            ErrorMeasure.Mse => x * x,
            ErrorMeasure.L1 => Math.Abs(x),
            _ => Math.Abs(x) <= 0.5 ? x * x / 2 : 0.5 * (Math.Abs(x) - 0.25),
        };
    }

    [Test]
    public void Stress_is_learnt_where_it_is_weighed()
    {
        TestFrame crystal = TestFrame.Crystal(3, 2);
        Frame frame = Labelled(crystal) with { Cell = [.. crystal.Cell!.SelectMany(v => v)], Periodic = [true, true, true], Stress = [.. new double[9].Select((_, i) => 0.1 * i)] };
        var spec = new LabelLossSpec { EnergyWeight = 0, ForceWeight = 0, StressWeight = 3 };
        using ForceFieldTask task = Task([frame], [frame], new TrainingSpec { LabelLoss = spec, Dtype = Precision.Float64 });
        double[] stress = task.ForceField.Evaluate(TestFrame.Batch(4, crystal), stress: true).Stress!.data<double>().ToArray();
        double expected = 3 * stress.Select((s, i) => Math.Pow(s - 0.1 * i, 2)).Average();
        Expect.Close(task.NextLoss().Loss.item<double>(), expected, relative: 1e-9);
        Expect.Close(task.Validate()["val_stress_mae"], stress.Select((s, i) => Math.Abs(s - 0.1 * i)).Average(), absolute: 1e-10);
    }

    [Test]
    public void Training_lowers_the_validation_loss_at_a_large_reference_energy()
    {
        Frame[] frames = Frames(40);
        string run = Directory.CreateTempSubdirectory("chemscale-ff-").FullName;
        try
        {
            var training = new TrainingSpec { Epochs = 12, BatchSize = 4, LearningRate = 5e-3, Schedule = new ScheduleSpec { WarmupSteps = 5 } };
            using ForceFieldTask task = Task(frames[..32], frames[32..], training);
            double before = task.Validate()["val_loss"];
            TrainingResult result = Trainer.Run(Experiment(training), task, new RunDirectory(Path.Combine(run, "run")));
            Expect.Below(result.BestValidationLoss, 0.2 * before);
            Assert.That(result.ItemsSeen, Is.EqualTo(12 * 32));
        }
        finally
        {
            Directory.Delete(run, recursive: true);
        }
    }

    [Test]
    public void A_restored_place_gives_the_same_next_batches()
    {
        Frame[] frames = Frames(7);
        var training = new TrainingSpec { BatchSize = 2 };
        using ForceFieldTask first = Task(frames, frames, training), second = Task(frames, frames, training);
        for (int i = 0; i < 5; i++) first.NextLoss();
        second.LoadState(first.SaveState());
        for (int i = 0; i < 6; i++) Assert.That(second.NextLoss().Loss.item<double>(), Is.EqualTo(first.NextLoss().Loss.item<double>()));
        using ForceFieldTask other = Task(frames[1..], frames, training);
        Assert.That(() => other.LoadState(first.SaveState()), Throws.TypeOf<InputException>());
    }

    [Test]
    public void An_epoch_sees_every_frame_once_and_steps_leave_no_tensors_behind()
    {
        Frame[] frames = Frames(6);
        using ForceFieldTask task = Task(frames, frames[..1], new TrainingSpec { BatchSize = 4 });
        Assert.That(task.BatchesPerEpoch, Is.EqualTo(2));
        Assert.That(new[] { Step(), Step(), Step(), Step() }, Is.EqualTo(new long[] { 4, 2, 4, 2 }));
        // What earlier tests left to the finalizer must not go meanwhile.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long live = TensorCount.Now;
        for (int i = 0; i < 20; i++) Step();
        Assert.That(TensorCount.Now, Is.EqualTo(live));

        long Step()
        {
            using DisposeScope step = NewDisposeScope();
            TrainingLoss loss = task.NextLoss();
            Gradients.Backward(loss.Loss);
            task.Validate();
            return loss.Items;
        }
    }

    [Test]
    public void Neighbour_lists_are_made_in_the_first_epoch_alone_and_change_no_loss([Values] bool periodic, [Values] bool byEdges)
    {
        Frame[] frames = Frames(6);
        if (periodic) frames = [.. frames.Select(f => f with { Cell = [5, 0, 0, 0, 5, 0, 1, 0, 5], Periodic = [true, true, true] })];
        var training = new TrainingSpec { BatchSize = 4, BatchEdges = byEdges ? 2000 : null, Dtype = Precision.Float64 };
        TestScope.Mode(OperatorMode.Host);
        using ForceFieldTask task = Task(frames, frames[..2], training), none = Task(frames, frames[..2], training, mostListBytes: 0);
        List<long> built = [], builtByNone = [];
        for (int epoch = 0; epoch < 3; epoch++)
        {
            for (int batch = 0; batch < task.BatchesPerEpoch; batch++)
                Assert.That(task.NextLoss().Loss.item<double>(), Is.EqualTo(none.NextLoss().Loss.item<double>()));
            Assert.That(task.Validate()["val_loss"], Is.EqualTo(none.Validate()["val_loss"]));
            built.Add(task.ListsBuilt);
            builtByNone.Add(none.ListsBuilt);
        }
        Assert.That(built, Is.EqualTo(new long[] { 8, 8, 8 }));
        int counted = byEdges ? 6 : 0;
        Assert.That(builtByNone, Is.EqualTo(new long[] { counted + 8, counted + 16, counted + 24 }));
    }

    [Test]
    public void Lists_are_kept_up_to_a_bound_and_are_those_that_are_made_anew()
    {
        Frame[] frames = Frames(10);
        long bytes = Bytes(frames[0]) + Bytes(frames[1]) + Bytes(frames[2]);
        var lists = new KeptLists(10, 4, bytes);
        NeighborList[] first = [.. frames.Select((f, i) => lists.Of(i, f))];
        NeighborList[] second = new NeighborList[10];
        Parallel.For(0, 10, i => second[i] = lists.Of(i, frames[i]));
        Assert.That(second.Zip(first, ReferenceEquals), Is.EqualTo(Enumerable.Range(0, 10).Select(i => i < 3)));
        Assert.That(lists.Built, Is.EqualTo(17));
        Assert.That(second.Zip(first).All(p => p.First.Senders.SequenceEqual(p.Second.Senders) && p.First.RowStarts.SequenceEqual(p.Second.RowStarts)));

        static long Bytes(Frame frame) => 4 * (frame.Atoms + 1 + 2 * NeighborLists.Build(frame, 4).Edges);
    }

    [Test]
    public void Frames_that_cannot_be_used_are_named()
    {
        Frame[] frames = Frames(2);
        var training = new TrainingSpec();
        Assert.That(() => Task([], frames, training), Throws.TypeOf<InputException>());
        Assert.That(() => Task(frames, [], training), Throws.TypeOf<InputException>());
        Assert.That(() => Task([frames[0] with { Energy = null, Forces = null, Place = "a.xyz:7" }], frames, training),
            Throws.TypeOf<InputException>().With.Message.Contains("a.xyz:7"));
        Assert.That(() => Task([frames[0] with { AtomicNumbers = [118, 1, 1, 1], Place = "a.xyz:9" }], frames, training),
            Throws.TypeOf<InputException>().With.Message.Contains("118"));
    }

    [Test]
    public void Force_fields_can_be_named_in_experiment_files()
    {
        Experiment read = ChemScale.Engine.Training.Experiments.Experiment.Parse(
            "model: {family: painn, features: 64, cutoff: 4.5, radialBasis: bessel}\ntraining: {steps: 3, labelLoss: {forceWeight: 0.5, error: l1}}\n", "e.yaml");
        Assert.That(read.Model.Config, Is.EqualTo(new PaiNNConfig { Features = 64, Cutoff = 4.5, RadialBasis = RadialBasisKind.Bessel }));
        Assert.That(read.Training.LabelLoss, Is.EqualTo(new LabelLossSpec { ForceWeight = 0.5, Error = ErrorMeasure.L1 }));
        Assert.That(ChemScale.Engine.Training.Experiments.Experiment.Parse(read.ToYaml(), "again").Id, Is.EqualTo(read.Id));
        Assert.That(() => ChemScale.Engine.Training.Experiments.Experiment.Parse("model: {family: schnet, features: 1}\ntraining: {steps: 3}\n", "e.yaml"),
            Throws.TypeOf<InputException>().With.Message.Contains("features"));
    }

    private static Experiment Experiment(TrainingSpec training) => new()
    {
        Model = ModelSpec.Of(new PaiNNConfig { Features = 12, Interactions = 2, Cutoff = 4, RadialFunctions = 8, MaxAtomicNumber = 10 }),
        Training = training,
    };

    private static ForceFieldTask Task(Frame[] train, Frame[] validation, TrainingSpec training, long? mostListBytes = null) =>
        new(Experiment(training), train, validation, new[] { 1, 6, 7, 8 }.ToDictionary(z => z, _ => Offset), mostListBytes);

    /// <summary>Molecules held together by springs, far below zero on the scale of energies.</summary>
    private static Frame[] Frames(int count) => [.. Enumerable.Range(0, count).Select(i => Labelled(TestFrame.Molecule(4 + i % 2, 100 + i, radius: 1.4)))];

    private static Frame Labelled(TestFrame frame)
    {
        int atoms = frame.Positions.Length;
        double energy = atoms * Offset;
        double[] forces = new double[3 * atoms];
        for (int i = 0; i < atoms; i++)
        {
            for (int j = 0; j < atoms; j++)
            {
                if (i == j) continue;
                double[] r = [.. frame.Positions[j].Zip(frame.Positions[i], (a, b) => a - b)];
                double d = Math.Sqrt(r.Sum(x => x * x));
                energy += 0.25 * Math.Pow(d - 1.6, 2);
                for (int k = 0; k < 3; k++) forces[3 * i + k] += (d - 1.6) * r[k] / d;
            }
        }
        return new Frame { AtomicNumbers = frame.AtomicNumbers, Positions = [.. frame.Positions.SelectMany(p => p)], Energy = energy, Forces = forces };
    }
}
