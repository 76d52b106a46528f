using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Studies.Evaluation;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Kernels.Device;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

/// <summary>Trainings on threads of one process: what befalls one is none of the other's business.</summary>
public class RunsSideBySideTests
{
    private const int Steps = 8, FailingStep = 3;

    private static readonly Frame[] Frames = [.. Enumerable.Range(0, 6).Select(Labelled)];

    /// <summary>Where a kernel fails.</summary>
    public enum Place
    {
        Forward,
        Backward,
        DoubleBackward,
        Validation,
        ValidationForward,
    }

    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void A_kernel_that_fails_ends_its_own_run_and_leaves_the_others_metrics_to_the_bit([Values] Place place)
    {
        using var folder = new TemporaryFolder();
        Assert.That(Train(folder["alone"], null, null), Is.Null);
        using var meeting = new Barrier(2);
        Exception? healthy = null, failing = null;
        Thread[] threads =
        [
            new(() => healthy = Train(folder["healthy"], null, meeting)),
            new(() => failing = Train(folder["failing"], place, meeting)),
        ];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();

        Assert.That(healthy, Is.Null);
        Assert.That(File.ReadAllText(new RunDirectory(folder["healthy"]).MetricsCsvPath),
            Is.EqualTo(File.ReadAllText(new RunDirectory(folder["alone"]).MetricsCsvPath)));
        Assert.That(failing!.Message, Does.EndWith("on purpose"));
        Assert.That(failing, place is Place.Forward or Place.ValidationForward ? Is.TypeOf<KernelException>() : Is.TypeOf<BackwardException>());
        var failed = new RunDirectory(folder["failing"]);
        Assert.That(failed.IsDone, Is.False);
        // Until then it was a run like any other, and what failed left no row.
        string[] rows = File.ReadAllLines(failed.MetricsCsvPath), all = File.ReadAllLines(new RunDirectory(folder["alone"]).MetricsCsvPath);
        Assert.That(rows, Is.EqualTo(all.Take(rows.Length)));
        Expect.AllBetween(rows.Skip(1).Select(row => int.Parse(row.Split(',')[1])), 0, FailingStep);
    }

    [Test]
    public void A_prediction_whose_kernel_fails_ends_with_its_reason_and_writes_nothing()
    {
        using var folder = new TemporaryFolder();
        Assert.That(Train(folder["run"], null, null), Is.Null);
        using (var file = new StreamWriter(folder["frames.xyz"]))
        {
            var writer = new ExtXyzWriter(file);
            foreach (Frame frame in Frames) writer.Write(frame);
        }
        var options = new PredictionOptions { Run = folder["run"], Files = [folder["frames.xyz"]], Output = folder["predicted.xyz"], Threads = 1 };
        Func<KernelDevice> failing = () => Gradients.InPass ? throw Purpose() : CpuDevice.Scalar;
        using (new RunScope(OperatorMode.Kernels) { CpuKernels = failing }.Enter())
            Assert.That(() => ForceFieldPrediction.Run(options, _ => { }), Throws.TypeOf<BackwardException>().With.Message.EndsWith("on purpose"));
        Assert.That(File.Exists(folder["predicted.xyz"]), Is.False);
        ForceFieldPrediction.Run(options, _ => { });
        Assert.That(File.Exists(folder["predicted.xyz"]));
    }

    [Test]
    public void Runs_draw_random_numbers_of_their_own()
    {
        using var folder = new TemporaryFolder();
        TrainingSpec training = ToyRuns.EverythingOn with { Threads = 1 };
        ToyRuns.Run(folder["alone"], training, () => new RegressionTask(dropout: 0.3));
        using var meeting = new Barrier(2);
        // Made one after the other: the toy's initial weights come from torch's own generator.
        RegressionTask[] tasks = [.. Enumerable.Range(0, 2).Select(_ => new RegressionTask(dropout: 0.3) { BeforeBatch = _ => meeting.SignalAndWait(TimeSpan.FromSeconds(20)) })];
        Parallel.Invoke([.. tasks.Select((task, n) => (Action)(() => ToyRuns.Run(folder[$"{n}"], training, () => task)))]);
        foreach (string other in (string[])["0", "1"])
        {
            Assert.That(File.ReadAllText(new RunDirectory(folder[other]).MetricsCsvPath), Is.EqualTo(File.ReadAllText(new RunDirectory(folder["alone"]).MetricsCsvPath)));
            Assert.That(ToyRuns.Tensors(folder[other]), Is.EqualTo(ToyRuns.Tensors(folder["alone"])));
        }
    }

    [Test, NonParallelizable]
    public void A_second_number_of_threads_is_refused_while_a_run_has_one()
    {
        using var folder = new TemporaryFolder();
        int before = get_num_threads();
        using (ThreadGrant.Take(before + 1))
        {
            Assert.That(get_num_threads(), Is.EqualTo(before + 1));
            Assert.That(() => ToyRuns.Run(folder["other"], ToyRuns.EverythingOn with { Threads = before + 2 }, () => new RegressionTask()),
                Throws.TypeOf<InputException>().With.Message.Contains("workers").And.Message.Contains($"training.threads: {before + 2}; expected {before + 1}"));
            Assert.That(ToyRuns.Run(folder["same"], ToyRuns.EverythingOn with { Threads = before + 1 }, () => new RegressionTask()).IsComplete);
            Assert.That(ToyRuns.Run(folder["any"], ToyRuns.EverythingOn, () => new RegressionTask()).IsComplete);
            Assert.That(get_num_threads(), Is.EqualTo(before + 1));
        }
        Assert.That(get_num_threads(), Is.EqualTo(before));
        Assert.That(() => ThreadGrant.Take(-1), Throws.TypeOf<InputException>());
    }

    [Test]
    public void Runs_side_by_side_with_different_numbers_of_threads_are_refused_before_any_begins()
    {
        using var folder = new TemporaryFolder();
        PlannedRun[] runs = [.. Enumerable.Range(1, 2).Select(n => new PlannedRun($"{n}", Of(null) with { Training = Of(null).Training with { Threads = n } }, folder[$"{n}"]))];
        Assert.That(() => new LocalRunner { Parallel = 2 }.Run(runs),
            Throws.TypeOf<InputException>().With.Message.Contains("1, 2 in runs side by side").And.Message.Contains("workers"));
        Assert.That(Directory.GetFileSystemEntries(folder.Path), Is.Empty);
    }

    [Test]
    public void Another_form_of_operations_is_told_of_when_a_run_goes_on([Values] bool told)
    {
        using var folder = new TemporaryFolder();
        TrainingSpec training = ToyRuns.EverythingOn with { Operators = OperatorMode.Composed };
        ToyRuns.Run(folder["run"], training, () => new RegressionTask(), new TrainerOptions { StopAtStep = 5 });
        Assert.That(File.ReadAllText(new RunDirectory(folder["run"]).ExperimentPath), Does.Contain("operators: composed"));
        List<string> warnings = [];
        ToyRuns.Run(folder["run"], training with { Operators = told ? OperatorMode.Host : OperatorMode.Composed }, () => new RegressionTask(),
            new TrainerOptions { Resume = true, Warn = warnings.Add });
        string[] expected = told ? ["resuming with operators host instead of composed: results will agree only to rounding"] : [];
        Assert.That(warnings, Is.EqualTo(expected));
    }

    [Test]
    public void The_form_of_operations_is_no_part_of_an_experiments_identity()
    {
        Experiment experiment = Of(OperatorMode.Composed), other = Of(OperatorMode.Auto);
        Assert.That(experiment.Id, Is.EqualTo(other.Id));
        Assert.That(Experiment.Parse(experiment.ToYaml(), "file").Training.Operators, Is.EqualTo(OperatorMode.Composed));
        string before = string.Join('\n', experiment.ToYaml().Split('\n').Where(line => !line.Contains("operators", StringComparison.Ordinal)));
        Assert.That(Experiment.Parse(before, "file").Training, Is.EqualTo(other.Training));
    }

    private static KernelException Purpose() => new(KernelFault.BadArgument, "on purpose");

    private static Experiment Of(OperatorMode? mode) => new()
    {
        Model = ModelSpec.Of(new PaiNNConfig { Features = 4, Interactions = 1, Cutoff = 4, RadialFunctions = 3, MaxAtomicNumber = 10 }),
        Training = new TrainingSpec
        {
            BatchSize = 2,
            Steps = Steps,
            Threads = 1,
            LearningRate = 1e-3,
            ValidationInterval = Interval.Steps(2),
            LabelLoss = new LabelLossSpec { EnergyWeight = 0.05, ForceWeight = 0.95 },
            Operators = mode ?? OperatorMode.Kernels,
        },
    };

    /// <returns>What ended it; null: it is complete.</returns>
    private static Exception? Train(string folder, Place? failing, Barrier? meeting)
    {
        Experiment experiment = Of(null);
        using var task = new WatchedTask(new ForceFieldTask(experiment, Frames, Frames)) { Meeting = meeting };
        using RunScope.Entry scope = new RunScope { CpuKernels = () => task.Taken > FailingStep && task.Place == failing ? throw Purpose() : CpuDevice.Scalar }.Enter();
        try
        {
            Trainer.Run(experiment, task, new RunDirectory(folder));
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
        finally
        {
            meeting?.RemoveParticipant();
        }
    }

    private static Frame Labelled(int seed)
    {
        TestFrame molecule = TestFrame.Molecule(4, seed, 1.5);
        var random = new Random(seed);
        return new Frame
        {
            AtomicNumbers = molecule.AtomicNumbers,
            Positions = [.. molecule.Positions.SelectMany(p => p)],
            Energy = random.NextDouble(),
            Forces = [.. Enumerable.Range(0, 12).Select(_ => random.NextDouble() - 0.5)],
        };
    }

    /// <summary>A task that says where in a step it is, and begins its batches when another does.</summary>
    private sealed class WatchedTask(ITrainingTask task) : ITrainingTask
    {
        private bool forward, validation;

        public Barrier? Meeting { get; init; }

        public int Taken { get; private set; }

        public Place Place => (validation, forward, Gradients.InPass) switch
        {
            (true, _, true) => Place.Validation,
            (true, _, false) => Place.ValidationForward,
            (_, true, false) => Place.Forward,
            (_, true, true) => Place.Backward,
            _ => Place.DoubleBackward,
        };

        public nn.Module Model => task.Model;

        public long BatchesPerEpoch => task.BatchesPerEpoch;

        public string ItemName => task.ItemName;

        public long UniqueItems => task.UniqueItems;

        public TrainingLoss NextLoss()
        {
            Meeting?.SignalAndWait();
            Taken++;
            forward = true;
            try
            {
                return task.NextLoss();
            }
            finally
            {
                forward = false;
            }
        }

        public IReadOnlyDictionary<string, double> Validate()
        {
            validation = true;
            try
            {
                return task.Validate();
            }
            finally
            {
                validation = false;
            }
        }

        public System.Text.Json.Nodes.JsonNode SaveState() => task.SaveState();

        public void LoadState(System.Text.Json.Nodes.JsonNode state) => task.LoadState(state);

        public void Dispose() => task.Dispose();
    }
}
