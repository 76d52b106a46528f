using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Forces;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>What a force field says of one frame; sums in float64.</summary>
/// <param name="Energy">eV, reference energies included</param>
/// <param name="Forces">(atoms, 3) eV/A, row by row</param>
/// <param name="Stress">(3, 3) eV/A^3; null where not asked for or where the frame is not periodic</param>
public sealed record FramePrediction(double Energy, double[] Forces, double[]? Stress)
{
    /// <summary>eV: standard deviation over the members of a committee, of whose predictions this is the mean; null: one model's.</summary>
    public double? EnergySpread { get; init; }

    /// <summary>(atoms) eV/A: root of the mean squared distance of the members' forces from their mean; null: one model's.</summary>
    public double[]? ForceSpreads { get; init; }

    /// <summary>What a committee says: the mean of its members, and how far they are apart.</summary>
    /// <param name="members">Two or more, of one frame.</param>
    internal static FramePrediction Mean(IReadOnlyList<FramePrediction> members)
    {
        int n = members.Count, numbers = members[0].Forces.Length;
        double energy = members.Average(m => m.Energy);
        double[] forces = new double[numbers], spreads = new double[numbers / 3];
        for (int k = 0; k < numbers; k++)
        {
            double sum = 0, squares = 0;
            foreach (FramePrediction m in members) sum += m.Forces[k];
            forces[k] = sum / n;
            foreach (FramePrediction m in members) squares += (m.Forces[k] - forces[k]) * (m.Forces[k] - forces[k]);
            spreads[k / 3] += squares / n;
        }
        for (int i = 0; i < spreads.Length; i++) spreads[i] = Math.Sqrt(spreads[i]);
        double[]? stress = members[0].Stress is null ? null : [.. Enumerable.Range(0, 9).Select(k => members.Average(m => m.Stress![k]))];
        return new FramePrediction(energy, forces, stress)
        {
            EnergySpread = Math.Sqrt(members.Average(m => (m.Energy - energy) * (m.Energy - energy))),
            ForceSpreads = spreads,
        };
    }

    /// <summary>Atoms of a batch: bounds memory; larger frames go one at a time.</summary>
    public const int BatchAtoms = 2000;

    /// <param name="model">Its weights are only read.</param>
    /// <param name="frame">Labels are not looked at.</param>
    /// <param name="stress">Whether to differentiate by strain too.</param>
    /// <exception cref="InputException">An element the model does not know, or atoms or a cell that allow no neighbour list.</exception>
    public static FramePrediction Of(ForceField model, Frame frame, bool stress = false)
    {
        using var predictor = new FramePredictor(model);
        return predictor.Predict([frame], stress)[0];
    }

    /// <summary>Many frames, batched; in their order, read as they are consumed.</summary>
    /// <param name="model">Its weights are only read.</param>
    /// <param name="frames">Labels are not looked at.</param>
    /// <param name="stress">Whether to differentiate by strain too.</param>
    /// <param name="batchAtoms">Frames are evaluated together up to this many atoms.</param>
    /// <inheritdoc cref="Of"/>
    public static IEnumerable<(Frame Frame, FramePrediction Prediction)> OfAll(
        ForceField model, IEnumerable<Frame> frames, bool stress = false, int batchAtoms = BatchAtoms)
    {
        using var predictor = new FramePredictor(model);
        var waiting = new List<Frame>();
        int atoms = 0;
        foreach (Frame frame in frames)
        {
            if (waiting.Count > 0 && atoms + frame.Atoms > batchAtoms)
            {
                foreach (var pair in waiting.Zip(predictor.Predict(waiting, stress))) yield return pair;
                waiting.Clear();
                atoms = 0;
            }
            waiting.Add(frame);
            atoms += frame.Atoms;
        }
        if (waiting.Count == 0) yield break;
        foreach (var pair in waiting.Zip(predictor.Predict(waiting, stress))) yield return pair;
    }
}

/// <summary>Predicts frames, with the weights that the model has when this is made, where it has passes without a graph. In a run's mode then.</summary>
/// <param name="model">Stays the caller's; its weights stay as they are.</param>
internal sealed class FramePredictor(ForceField model) : IDisposable
{
    private readonly IForcePasses? passes = model.Passes();

    /// <param name="frames">Labels are not looked at.</param>
    /// <param name="stress">Whether to differentiate by strain too.</param>
    /// <param name="lists">(frames) Lists of the model's reach that follow each frame; null: they are made.</param>
    /// <exception cref="InputException">An element the model does not know, or atoms or a cell that allow no neighbour list.</exception>
    public FramePrediction[] Predict(IReadOnlyList<Frame> frames, bool stress = false, IReadOnlyList<VerletList>? lists = null)
    {
        foreach (Frame frame in frames) model.Config.RequireElements(frame.AtomicNumbers, frame.Place);
        bool cells = stress && frames.Any(f => f.IsPeriodic);
        if (passes is null) return ByGraph(frames, cells, lists);
        GraphBatches.RequireFinite(frames, model.Config.NeighborCutoff);
        using FramePairs pairs = FramePairs.Of(frames, model.Config.NeighborCutoff, lists);
        var sums = new ForceSums(new double[frames.Count], new double[3 * pairs.Atoms], cells ? new double[9 * frames.Count] : null);
        passes.Evaluate(pairs, sums);
        return Split(frames, sums.Energies, sums.Forces!, f => Stress(sums.StrainGradients.AsSpan(9 * f, 9), frames[f].Volume), cells);
    }

    public void Dispose() => passes?.Dispose();

    private FramePrediction[] ByGraph(IReadOnlyList<Frame> frames, bool cells, IReadOnlyList<VerletList>? lists)
    {
        using DisposeScope scope = NewDisposeScope();
        using GraphBatch batch = GraphBatches.Build(frames, model.Config.NeighborCutoff, model.ReferenceEnergies.device,
            lists is null ? null : f => lists[f].Of(frames[f]));
        ForceFieldOutput output = model.Evaluate(batch, forces: true, stress: cells);
        double[] stresses = cells ? Numbers(output.Stress!) : [];
        return Split(frames, Numbers(output.Energies), Numbers(output.Forces!), f => stresses[(9 * f)..(9 * f + 9)], cells);
    }

    // A slab or a wire whose other lattice vectors are zero spans no volume that a stress would be of.
    private static FramePrediction[] Split(IReadOnlyList<Frame> frames, double[] energies, double[] forces, Func<int, double[]> stress, bool cells)
    {
        var predictions = new FramePrediction[frames.Count];
        for (int f = 0, atom = 0; f < predictions.Length; atom += frames[f++].Atoms)
        {
            double[] ofFrame = predictions.Length == 1 ? forces : forces[(3 * atom)..(3 * (atom + frames[f].Atoms))];
            predictions[f] = new FramePrediction(energies[f], ofFrame, cells && frames[f].IsPeriodic && frames[f].Volume > 0 ? stress(f) : null);
        }
        return predictions;
    }

    private static double[] Stress(ReadOnlySpan<double> strainGradients, double volume)
    {
        double[] stress = new double[9];
        for (int k = 0; k < 9; k++) stress[k] = volume > 0 ? strainGradients[k] / volume : 0;
        return stress;
    }

    private static double[] Numbers(Tensor values)
    {
        using var memory = new TensorMemory(values.cpu().contiguous());
        return MemoryMarshal.Cast<byte, double>(memory.Bytes).ToArray();
    }
}
