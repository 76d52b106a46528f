using ChemScale.Engine.Atoms;
using ChemScale.Engine.Operators.Neighbors;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>Makes graphs of frames.</summary>
public static class GraphBatches
{
    /// <summary>
    /// Joins frames to one graph, in their order, and finds the neighbours of each: where the positions are, if kernels run there.
    /// </summary>
    /// <param name="frames">Stay the caller's.</param>
    /// <param name="cutoff">A: the model's; infinite: every pair of a frame.</param>
    /// <param name="device">null: the CPU.</param>
    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public static GraphBatch Build(IReadOnlyList<Frame> frames, double cutoff, Device? device = null)
    {
        if (double.IsInfinity(cutoff) && frames.FirstOrDefault(f => f.IsPeriodic) is { } repeating)
        {
            throw new InputException(
                repeating.Place, "a periodic frame, where every pair interacts", "no periodicity", "set model.electrostaticCutoff");
        }
        using DisposeScope scope = NewDisposeScope();
        int[] numbers = [.. frames.SelectMany(f => f.AtomicNumbers)];
        Tensor positions = tensor(frames.SelectMany(f => f.Positions).ToArray(), device: device).reshape(numbers.Length, 3);
        FrameEdges neighbors = FrameNeighbors.Apply(frames, positions, cutoff);
        neighbors.Shifts?.Dispose();
        double[] cells = new double[frames.Any(f => f.IsPeriodic) ? 9 * frames.Count : 0];
        for (int f = 0; f < frames.Count; f++)
            if (frames[f].IsPeriodic) frames[f].Cell!.CopyTo(cells, 9 * f);
        return new GraphBatch(
            [.. frames.Select(f => f.Atoms)], numbers, positions, neighbors.Edges, neighbors.ShiftVectors, cells,
            [.. frames.Select(f => f.Charge)], [.. frames.Select(f => f.Spin)], device);
    }
}
