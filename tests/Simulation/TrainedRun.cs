using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Models;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using ChemScale.Tests.Models.ForceFields;

namespace ChemScale.Tests.Simulation;

/// <summary>A small PaiNN, trained for a moment on molecules held together by springs, in a run directory of its own.</summary>
internal sealed class TrainedRun : IDisposable
{
    /// <summary>eV: of the size of real ones, which a float32 sum would not survive.</summary>
    private static readonly Dictionary<int, double> Elements = new() { [1] = -13.6, [6] = -1029, [7] = -1484, [8] = -2041 };

    private readonly string root = Directory.CreateTempSubdirectory("chemscale-simulation-").FullName;

    public TrainedRun()
    {
        Frame[] frames = [.. Enumerable.Range(0, 24).Select(i => Labelled(TestFrame.Molecule(5, 300 + i, radius: 1.4)))];
        var experiment = new Experiment
        {
            Model = ModelSpec.Of(
                new PaiNNConfig { Features = 12, Interactions = 2, Cutoff = 4, RadialFunctions = 8, MaxAtomicNumber = 10 }),
            Training = new TrainingSpec
            {
                Steps = 40,
                BatchSize = 4,
                LearningRate = 5e-3,
                Threads = 1,
                Schedule = new ScheduleSpec { WarmupSteps = 5 },
            },
        };
        using var task = new ForceFieldTask(experiment, frames[..20], frames[20..], Elements);
        Trainer.Run(experiment, task, new RunDirectory(Run));
        Molecule = Write("molecule.xyz", new Frame { AtomicNumbers = [8, 1, 1], Positions = [0, 0, 0, 1.6, 0, 0, 0.3, 1.5, 0.1] });
        TestFrame crystal = TestFrame.Crystal(4, 2);
        Crystal = Write("crystal.extxyz", new Frame
        {
            AtomicNumbers = crystal.AtomicNumbers,
            Positions = [.. crystal.Positions.SelectMany(p => p)],
            Cell = [.. crystal.Cell!.SelectMany(v => v)],
            Periodic = [true, true, true],
        });
    }

    public string Run => this["run"];

    /// <summary>A file of one free molecule.</summary>
    public string Molecule { get; }

    /// <summary>A file of one skew cell shorter than the cutoff.</summary>
    public string Crystal { get; }

    public string this[string name] => Path.Combine(root, name);

    public string Write(string name, Frame frame)
    {
        using var writer = new StreamWriter(this[name]);
        new ExtXyzWriter(writer).Write(frame);
        return this[name];
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private static Frame Labelled(TestFrame frame)
    {
        double[] positions = [.. frame.Positions.SelectMany(p => p)], forces = new double[positions.Length];
        double energy = frame.AtomicNumbers.Sum(z => Elements[z]);
        for (int i = 0; i < forces.Length / 3; i++)
        {
            for (int j = 0; j < forces.Length / 3; j++)
            {
                if (i == j) continue;
                double[] r = [.. Enumerable.Range(0, 3).Select(k => positions[3 * j + k] - positions[3 * i + k])];
                double d = Math.Sqrt(r.Sum(x => x * x));
                energy += 0.25 * Math.Pow(d - 1.6, 2);
                for (int k = 0; k < 3; k++) forces[3 * i + k] += (d - 1.6) * r[k] / d;
            }
        }
        return new Frame { AtomicNumbers = frame.AtomicNumbers, Positions = positions, Energy = energy, Forces = forces };
    }
}
