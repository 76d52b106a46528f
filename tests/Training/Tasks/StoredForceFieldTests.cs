using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Tests.Atoms.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Training.Tasks;

/// <summary>Force fields trained from frame stores, through the same door as the command line.</summary>
public sealed class StoredForceFieldTests
{
    private TemporaryFolder folder = null!;
    private string store = "";

    [SetUp]
    public void Make()
    {
        folder = new TemporaryFolder();
        FramePreparation options = SmallFrames.Options(folder, SmallFrames.Save(folder["frames.xyz"], SmallFrames.Make(40))) with { ValidationFrames = 8 };
        FramePreparer.Run(options);
        store = options.Output;
    }

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_run_from_a_store_records_frames_and_resumes_bit_for_bit()
    {
        Experiment experiment = Experiment(new TrainingSpec
        {
            Steps = 9,
            BatchAtoms = 12,
            Schedule = new ScheduleSpec { Kind = ScheduleKind.Plateau, Patience = 0, WarmupSteps = 1 },
            Threads = 1,
            LearningRate = 1e-3,
            ValidationInterval = Interval.Steps(2)
        });
        double[] whole = Losses(experiment, folder["whole"], null), broken = [.. Losses(experiment, folder["broken"], 5)];
        Expect.Below(broken.Length, whole.Length);
        Assert.That(Losses(experiment, folder["broken"], null), Is.EqualTo(whole));

        RunFacts facts = RunFacts.Read(folder["whole"]);
        Assert.That(facts, Is.EqualTo(new RunFacts(((ForceFieldConfig)experiment.Model.Config).NonEmbeddingParameters, 20, "frames", "auto")));
        Assert.That(TrainingTasks.StepsPerEpoch(experiment), Is.EqualTo(Batches(experiment)));
        Expect.Above(TrainingTasks.StepsPerEpoch(experiment), 1);
    }

    [Test]
    public void Reference_energies_come_from_the_frames_trained_on_alone()
    {
        using FrameStore frames = FrameStore.Open(store);
        using var task = (ForceFieldTask)TrainingTasks.Create(Experiment(new TrainingSpec { Steps = 1 }));
        double[] energies = task.ForceField.ReferenceEnergies.data<double>().ToArray();
        Frame[] used = [.. frames.Train.Subset(20).Frames()];
        // Each composition's mean is met exactly: two compositions, three elements.
        foreach (IGrouping<int, Frame> composition in used.GroupBy(f => f.Atoms))
            Expect.Close(composition.First().AtomicNumbers.Sum(z => energies[z]), composition.Average(f => f.Energy!.Value), absolute: 1e-9);
    }

    [Test]
    public void A_frame_larger_than_the_budget_is_named() =>
        Assert.That(() => TrainingTasks.Create(Experiment(new TrainingSpec { Steps = 1, BatchAtoms = 2 })),
            Throws.TypeOf<InputException>().With.Message.Contains("3 atoms").And.Message.Contains("at most 2"));

    [Test]
    public void The_wrong_kind_of_store_is_named()
    {
        var experiment = new Experiment { Model = ModelSpec.Of(new ChemGptConfig()), Data = new DataSpec { Store = store }, Training = new TrainingSpec { Steps = 1 } };
        Assert.That(() => TrainingTasks.Create(experiment), Throws.TypeOf<InputException>().With.Message.Contains("frame store"));
    }

    [Test]
    public void A_trained_model_opens_with_its_weights_in_either_precision()
    {
        Experiment experiment = Experiment(new TrainingSpec { Steps = 3, LearningRate = 1e-3 });
        Losses(experiment, folder["run"], null);
        Frame frame = SmallFrames.Make(1)[0];
        using ForceField narrow = TrainedForceField.Open(folder["run"], _ => { }), wide = TrainedForceField.Open(folder["run"], _ => { }, Precision.Float64);
        FramePrediction a = FramePrediction.Of(narrow, frame), b = FramePrediction.Of(wide, frame);
        Expect.Close(a.Energy, b.Energy, absolute: 1e-4);
        Expect.Close(a.Forces, b.Forces, absolute: 1e-4);
        Assert.That(b.Energy, Is.Not.EqualTo(a.Energy));
        Assert.That(() => TrainedForceField.Open(folder["nothing"], _ => { }), Throws.TypeOf<InputException>());
    }

    private static long Batches(Experiment experiment)
    {
        using ITrainingTask task = TrainingTasks.Create(experiment);
        return task.BatchesPerEpoch;
    }

    private static double[] Losses(Experiment experiment, string run, long? stopAt)
    {
        using ITrainingTask task = TrainingTasks.Create(experiment);
        Trainer.Run(experiment, task, new RunDirectory(run), new TrainerOptions { Resume = true, StopAtStep = stopAt });
        RunFacts.Keep(task, experiment, new RunDirectory(run));
        return [.. File.ReadLines(new RunDirectory(run).MetricsCsvPath).Skip(1).Select(line => line.Split(',')).Where(c => c[2].Length > 0)
            .Select(c => double.Parse(c[2], System.Globalization.CultureInfo.InvariantCulture))];
    }

    private Experiment Experiment(TrainingSpec training) => new()
    {
        Model = ModelSpec.Of(new PaiNNConfig { Features = 8, Interactions = 1, Cutoff = 3, RadialFunctions = 6 }),
        Data = new DataSpec { Store = store, Subset = 20, Validation = 8 },
        Training = training,
    };
}
