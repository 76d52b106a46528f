using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;

namespace ChemScale.Tests.Training.Tasks;

/// <summary>Training differentiates derivatives: whatever such a graph keeps alive grows with the steps.</summary>
public class ForceFieldMemoryTests
{
    private const int Steps = 2000;

    // Of the whole test process, whose other threads and collector go on meanwhile.
    private const double GrowthMegabytes = 8;

    private static readonly ForceFieldConfig[] Configs =
    [
        new PaiNNConfig { Features = 8, Interactions = 2, Cutoff = 4, RadialFunctions = 5, MaxAtomicNumber = 10 },
        new SchNetConfig { Features = 8, Interactions = 2, Cutoff = 4, RadialFunctions = 5, MaxAtomicNumber = 10 },
    ];

    [Test, Category("Slow")]
    public void Two_thousand_steps_keep_tensors_and_memory_flat([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        Frame[] frames = [.. Enumerable.Range(0, 6).Select(Labelled)];
        var training = new TrainingSpec { BatchSize = 2, LabelLoss = new LabelLossSpec { EnergyWeight = 0.05, ForceWeight = 0.95 } };
        using var task = new ForceFieldTask(new Experiment { Model = ModelSpec.Of(config), Training = training }, frames, frames);
        using var optimizer = new AdamW(task.ForceField.named_parameters().Select(p => (p.name, p.parameter)), training.Optimizer);
        var step = new GradientStep(task, optimizer, training);
        Take(Steps / 2);
        (long tensors, int nodes, double resident) = (TensorCount.Now, AutogradFunction.LiveNodes, ResidentMegabytes());
        Take(Steps);
        Assert.That(TensorCount.Now, Is.EqualTo(tensors));
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(nodes));
        Expect.Below(ResidentMegabytes() - resident, GrowthMegabytes);

        void Take(int count)
        {
            for (int i = 0; i < count; i++) Assert.That(step.Take(1, 1e-3).IsFinite);
        }
    }

    private static Frame Labelled(int seed)
    {
        TestFrame molecule = TestFrame.Molecule(5, seed, 1.5);
        var random = new Random(seed);
        return new Frame
        {
            AtomicNumbers = molecule.AtomicNumbers,
            Positions = [.. molecule.Positions.SelectMany(p => p)],
            Energy = random.NextDouble(),
            Forces = [.. Enumerable.Range(0, 15).Select(_ => random.NextDouble() - 0.5)],
        };
    }

    private static double ResidentMegabytes()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Environment.WorkingSet / 1e6;
    }
}
