using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>What a force field says of one frame; sums in float64.</summary>
/// <param name="Energy">eV, reference energies included</param>
/// <param name="Forces">(atoms, 3) eV/A, row by row</param>
/// <param name="Stress">(3, 3) eV/A^3; null where not asked for or where the frame is not periodic</param>
public sealed record FramePrediction(double Energy, double[] Forces, double[]? Stress)
{
    /// <summary>Atoms of a batch: bounds memory; larger frames go one at a time.</summary>
    public const int BatchAtoms = 2000;

    /// <param name="model">Its weights are only read.</param>
    /// <param name="frame">Labels are not looked at.</param>
    /// <param name="stress">Whether to differentiate by strain too.</param>
    /// <exception cref="InputException">An element the model does not know, or atoms or a cell that allow no neighbour list.</exception>
    public static FramePrediction Of(ForceField model, Frame frame, bool stress = false) => OfBatch(model, [frame], stress)[0];

    /// <summary>Many frames, batched; in their order, read as they are consumed.</summary>
    /// <param name="model">Its weights are only read.</param>
    /// <param name="frames">Labels are not looked at.</param>
    /// <param name="stress">Whether to differentiate by strain too.</param>
    /// <param name="batchAtoms">Frames are evaluated together up to this many atoms.</param>
    /// <inheritdoc cref="Of"/>
    public static IEnumerable<(Frame Frame, FramePrediction Prediction)> OfAll(
        ForceField model, IEnumerable<Frame> frames, bool stress = false, int batchAtoms = BatchAtoms)
    {
        var waiting = new List<Frame>();
        int atoms = 0;
        foreach (Frame frame in frames)
        {
            if (waiting.Count > 0 && atoms + frame.Atoms > batchAtoms)
            {
                foreach (var pair in waiting.Zip(OfBatch(model, waiting, stress))) yield return pair;
                waiting.Clear();
                atoms = 0;
            }
            waiting.Add(frame);
            atoms += frame.Atoms;
        }
        if (waiting.Count == 0) yield break;
        foreach (var pair in waiting.Zip(OfBatch(model, waiting, stress))) yield return pair;
    }

    private static FramePrediction[] OfBatch(ForceField model, List<Frame> frames, bool stress)
    {
        foreach (Frame frame in frames) model.Config.RequireElements(frame.AtomicNumbers, frame.Place);
        bool cells = stress && frames.Any(f => f.IsPeriodic);
        using DisposeScope scope = NewDisposeScope();
        using GraphBatch batch = GraphBatches.Build(frames, model.Config.NeighborCutoff, model.ReferenceEnergies.device);
        ForceFieldOutput output = model.Evaluate(batch, forces: true, stress: cells);
        double[] energies = Numbers(output.Energies), forces = Numbers(output.Forces!);
        double[]? stresses = cells ? Numbers(output.Stress!) : null;
        var predictions = new FramePrediction[frames.Count];
        for (int f = 0, atom = 0; f < predictions.Length; atom += frames[f++].Atoms)
        {
            double[]? ofFrame = stresses is not null && frames[f].IsPeriodic ? stresses[(9 * f)..(9 * f + 9)] : null;
            predictions[f] = new FramePrediction(energies[f], forces[(3 * atom)..(3 * (atom + frames[f].Atoms))], ofFrame);
        }
        return predictions;
    }

    private static double[] Numbers(Tensor values)
    {
        using var memory = new TensorMemory(values.cpu().contiguous());
        return MemoryMarshal.Cast<byte, double>(memory.Bytes).ToArray();
    }
}
