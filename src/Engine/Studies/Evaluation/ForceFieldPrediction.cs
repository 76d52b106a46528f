using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Studies.Runs;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Energies, forces and, of periodic frames, stress of a trained force field, written beside the geometries.</summary>
public static class ForceFieldPrediction
{
    /// <summary>Labels that the frames bring along are replaced; charge, spin and kind stay.</summary>
    /// <param name="options">Output: an .extxyz, replaced whole.</param>
    /// <param name="warn">Gets lines about a damaged checkpoint and about elements the model was not trained on.</param>
    /// <param name="progress">Gets the number of frames done, now and then.</param>
    /// <param name="stop">Nothing is written then.</param>
    /// <exception cref="InputException">No run of a force field, or what is wrong with frames or output; nothing is written.</exception>
    public static PredictionReport Run(
        PredictionOptions options, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        if (Path.GetExtension(options.Output).ToLowerInvariant() is not (".xyz" or ".extxyz"))
            throw new InputException(options.Output, $"extension '{Path.GetExtension(options.Output)}'", ".extxyz or .xyz");
        using ThreadGrant threads = ThreadScope.Take(options.Threads, options.BatchAtoms);
        using var models = new TrainedModels(options.Run, warn, options.Precision);
        using var file = PendingFile.Beside(options.Output, options.Files);
        var writer = new ExtXyzWriter(file.Writer);
        long frames = 0, atoms = 0, periodic = 0;
        foreach ((Frame frame, FramePrediction prediction) in FramePass.Of(models.All, options, warn, progress, stop))
        {
            Frame predicted = frame with { Energy = prediction.Energy, Forces = prediction.Forces, Stress = prediction.Stress };
            if (prediction.ForceSpreads is { } spreads)
            {
                writer.Write(predicted, new Dictionary<string, double> { ["energy_spread"] = prediction.EnergySpread!.Value, ["max_force_spread"] = spreads.Max() },
                    new Dictionary<string, double[]> { ["force_spread"] = spreads });
            }
            else
            {
                writer.Write(predicted);
            }
            frames++;
            atoms += frame.Atoms;
            if (prediction.Stress is not null) periodic++;
        }
        file.Complete();
        return new PredictionReport(options.Run, options.Files, options.Output, frames, atoms, periodic);
    }
}

/// <summary>What was predicted.</summary>
/// <param name="Run">Run directory of the model.</param>
/// <param name="Files">Where the frames came from.</param>
/// <param name="Output">The file written.</param>
/// <param name="Frames">Frames in it.</param>
/// <param name="Atoms">Atoms of all of them.</param>
/// <param name="PeriodicFrames">Frames that have a stress.</param>
public sealed record PredictionReport(string Run, IReadOnlyList<string> Files, string Output, long Frames, long Atoms, long PeriodicFrames);
