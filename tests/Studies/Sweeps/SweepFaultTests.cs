using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Tests.Files;
using ChemScale.Tests.Tokens;
using ChemScale.Tests.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Sweeps;

/// <summary>A disk that fails amid a sweep: nothing is done that is not, nothing failed for good, and the next start ends as if nothing had been.</summary>
public class SweepFaultTests
{
    private TemporaryFolder folder = null!;
    private string[] expected = [];

    [OneTimeSetUp]
    public void Run_without_fault()
    {
        folder = new TemporaryFolder();
        SmallStore.Write(folder["store"], 60);
        SweepPlan plan = Plan("whole");
        plan.Write();
        Assert.That(new SweepWorker { Plan = plan, Threads = 1 }.Run(SweepStage.All), Is.Empty);
        expected = Curves(plan);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [TestCase(23)]
    [TestCase(1, Category = "Slow")]
    public void A_worker_leaves_a_run_for_now_and_the_next_start_takes_it_up(int stride)
    {
        int left = 0;
        for (int n = 3; ; n += stride)
        {
            SweepPlan plan = Plan($"worker-{n}");
            plan.Write();
            var storage = new FaultyStorage(n, Fault.Once) { Error = 28 };
            IReadOnlyList<RunState> failed = new SweepWorker { Plan = plan, Threads = 1, Storage = storage }.Run(SweepStage.All);
            if (!storage.Failed) break;
            // A claim that could not be taken away is that of this process, which lives.
            foreach (string claim in Directory.GetFiles(plan.Directory, "claim.*", SearchOption.AllDirectories)) File.Delete(claim);
            if (!storage.FailedOperation.Contains("DeleteFile of claim", StringComparison.Ordinal))
            {
                left++;
                Assert.That(failed, Has.Count.EqualTo(1), storage.FailedOperation);
                Assert.That(failed[0].Failure!.Reason, Does.Contain("failed"));
                foreach (string mark in (string[])["DONE", "FAILED"])
                    Assert.That(File.Exists(Path.Combine(failed[0].Run.Directory, mark)), Is.False, storage.FailedOperation);
            }
            Assert.That(new SweepWorker { Plan = plan, Threads = 1 }.Run(SweepStage.All), Is.Empty);
            Assert.That(Curves(plan), Is.EqualTo(expected), storage.FailedOperation);
            Directory.Delete(plan.Directory, recursive: true);
        }
        Expect.Above(left, 80 / stride);
    }

    [TestCase(29)]
    [TestCase(1, Category = "Slow")]
    public void A_sweep_in_one_process_ends_with_the_reason_and_goes_on_to_the_same_end(int stride)
    {
        int failures = 0;
        for (int n = 2; ; n += stride)
        {
            SweepPlan plan = Plan($"sweep-{n}");
            var storage = new FaultyStorage(n, Fault.Once);
            try
            {
                Sweep(plan, storage);
            }
            catch (FaultyStorage.InjectedFault)
            {
                failures++;
                Assert.That(File.Exists(Path.Combine(plan.Directory, "sweep.csv")),
                    Is.False.Or.EqualTo(storage.FailedOperation.Contains("SyncDirectory", StringComparison.Ordinal)));
                Assert.That(plan.Runs.Count(run => File.Exists(Path.Combine(run.Directory, "FAILED"))), Is.Zero);
            }
            foreach (string claim in Directory.Exists(plan.Directory) ? Directory.GetFiles(plan.Directory, "claim.*", SearchOption.AllDirectories) : []) File.Delete(claim);
            if (!storage.Failed) break;
            Sweep(plan, DiskStorage.Shared);
            Assert.That(Curves(plan), Is.EqualTo(expected), storage.FailedOperation);
            Directory.Delete(plan.Directory, recursive: true);
        }
        Expect.Above(failures, 80 / stride);
    }

    private static void Sweep(SweepPlan plan, IStorage storage)
    {
        plan.Write(storage);
        IReadOnlyList<RunOutcome> outcomes = new LocalRunner { ThreadsPerRun = 1, Storage = storage }.Run(plan.Runs);
        Engine.Studies.Sweeps.Sweep.WriteTable(plan.Directory, outcomes, null, storage);
    }

    private SweepPlan Plan(string name)
    {
        var basis = new Experiment
        {
            Model = ModelSpec.Of(new ChemGptConfig { Width = 16, Layers = 1, Heads = 2, VocabularySize = SmallTokenizer.Create().Vocabulary.Size }),
            Data = new DataSpec { Store = folder["store"], Subset = 20, Validation = 5 },
            Training = new TrainingSpec { Epochs = null, Steps = 2, BatchSize = 4, CheckpointInterval = Interval.Steps(1), ValidationInterval = Interval.Steps(2), Threads = 1 },
        };
        return new SweepPlan(folder[name], Engine.Studies.Sweeps.Sweep.Plan(basis, [Variation.Parse("training.learningRate=1e-4,1e-3")], folder[name]));
    }

    private static string[] Curves(SweepPlan plan) => [.. plan.Runs.Select(run => File.ReadAllText(new RunDirectory(run.Directory).MetricsCsvPath))];
}
