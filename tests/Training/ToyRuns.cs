using ChemScale.Engine.Models;
using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training;

/// <summary>Small experiments and what can be compared of their runs.</summary>
internal static class ToyRuns
{
    /// <summary>
    /// Everything that has state: cosine, accumulation that does not divide the epoch, clipping, averaging, validation amid epochs.
    /// </summary>
    public static TrainingSpec EverythingOn { get; } = new()
    {
        LearningRate = 0.01,
        Schedule = new ScheduleSpec { Kind = ScheduleKind.Cosine, WarmupSteps = 2, Floor = 0.1 },
        Accumulation = 4,
        ClipNorm = 0.5,
        EmaDecay = 0.9,
        KeepBest = true,
        Epochs = 6,
        ValidationInterval = Interval.Epochs(0.5),
        CheckpointInterval = Interval.Steps(3),
    };

    public static Experiment Of(TrainingSpec training) => new() { Model = ModelSpec.Of(new ChemGptConfig()), Training = training };

    /// <summary>Weights of the seed alone: modules draw theirs from torch's default generator, which fixtures side by side share.</summary>
    public static void Draw(nn.Module model, long seed)
    {
        using Generator generator = new((ulong)seed);
        using var mode = no_grad();
        foreach ((string _, TorchSharp.Modules.Parameter p) in model.named_parameters()) p.uniform_(-0.5, 0.5, generator);
    }

    public static TrainingResult Run(string path, TrainingSpec training, Func<ITrainingTask> task, TrainerOptions? options = null)
    {
        using ITrainingTask t = task();
        return Trainer.Run(Of(training), t, new RunDirectory(path), options);
    }

    /// <summary>Name and bytes (hexadecimal) of every tensor of a run's newest checkpoint.</summary>
    public static SortedDictionary<string, string> Tensors(string run)
    {
        string checkpoint = new RunDirectory(run).Checkpoints().List()[0];
        var tensors = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string file in Directory.GetFiles(checkpoint, "*.safetensors"))
        {
            using SafetensorsFile safetensors = SafetensorsFile.Open(file);
            foreach (string name in safetensors.Entries.Keys)
            {
                using Tensor tensor = safetensors.Read(name);
                tensors[Path.GetFileName(file) + ":" + name] = Convert.ToHexString(tensor.bytes);
            }
        }
        return tensors;
    }

    /// <summary>Name of the folder of a run's best weights.</summary>
    public static string? Best(string run) =>
        Directory.GetDirectories(new RunDirectory(run).CheckpointsPath, "best-*").Select(Path.GetFileName).SingleOrDefault();

    public static string Csv(string run) => File.ReadAllText(Path.Combine(run, "metrics.csv"));
}
