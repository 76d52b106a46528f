using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Tests.Models.ForceFields;

namespace ChemScale.Tests.Studies.Evaluation;

/// <summary>A run of a tiny force field for H, C, N and O, and frames to try it on.</summary>
internal static class SmallForceField
{
    /// <summary>Trains two steps in a new run directory.</summary>
    public static string Train(string folder)
    {
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(new PaiNNConfig { Features = 8, Interactions = 1, Cutoff = 4, RadialFunctions = 6, MaxAtomicNumber = 20 }),
            Training = new TrainingSpec { Steps = 2, BatchSize = 4, Dtype = Precision.Float64 },
        };
        Frame[] frames = Molecules(8);
        Dictionary<int, double> references = new[] { 1, 6, 7, 8 }.ToDictionary(z => z, z => -10.0 * z);
        using var task = new ForceFieldTask(experiment, frames[..6], frames[6..], references);
        Trainer.Run(experiment, task, new RunDirectory(folder));
        return folder;
    }

    /// <summary>Molecules of four and five atoms with made-up labels, two kinds of them.</summary>
    public static Frame[] Molecules(int count) =>
        [.. Enumerable.Range(0, count).Select(i => Labelled(TestFrame.Molecule(4 + i % 2, 300 + i, 1.6), i))];

    public static Frame Crystal(int seed)
    {
        TestFrame crystal = TestFrame.Crystal(3, seed);
        return Labelled(crystal, seed) with
        {
            Cell = [.. crystal.Cell!.SelectMany(v => v)],
            Periodic = [true, true, true],
            Stress = [0.1, 0.2, 0.3, 0.2, 0.4, 0.5, 0.3, 0.5, 0.6],
        };
    }

    private static Frame Labelled(TestFrame frame, int seed)
    {
        var random = new Random(seed);
        return new Frame
        {
            AtomicNumbers = frame.AtomicNumbers,
            Positions = [.. frame.Positions.SelectMany(p => p)],
            Energy = -10 * frame.AtomicNumbers.Sum() + random.NextDouble(),
            Forces = [.. frame.Positions.SelectMany(p => p).Select(_ => random.NextDouble() - 0.5)],
            ConfigType = seed % 2 == 0 ? "even" : "odd",
        };
    }
}
