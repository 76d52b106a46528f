using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>Makes graphs of frames.</summary>
public static class GraphBatches
{
    /// <summary>Finds the neighbours of each frame and joins the frames to one graph, in their order.</summary>
    /// <param name="frames">Stay the caller's.</param>
    /// <param name="cutoff">A: the model's; infinite: every pair of a frame.</param>
    /// <param name="device">null: the CPU.</param>
    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public static GraphBatch Build(IReadOnlyList<Frame> frames, double cutoff, Device? device = null)
    {
        NeighborList[] lists = [.. frames.Select(frame => NeighborLists.Build(frame, double.IsFinite(cutoff) ? cutoff : Span(frame)))];
        int atoms = frames.Sum(f => f.Atoms), edges = lists.Sum(l => l.Edges);
        bool periodic = frames.Any(f => f.IsPeriodic);
        int[] numbers = new int[atoms], rowStarts = new int[atoms + 1], senders = new int[edges], reverse = new int[edges];
        double[] positions = new double[3 * atoms], shifts = new double[periodic ? 3 * edges : 0], cells = new double[periodic ? 9 * frames.Count : 0];
        int atom = 0, edge = 0;
        for (int f = 0; f < frames.Count; f++)
        {
            Frame frame = frames[f];
            NeighborList list = lists[f];
            frame.AtomicNumbers.CopyTo(numbers, atom);
            frame.Positions.CopyTo(positions, 3 * atom);
            for (int i = 0; i < frame.Atoms; i++) rowStarts[atom + i + 1] = edge + list.RowStarts[i + 1];
            int[] reverses = list.ReverseEdges;
            for (int e = 0; e < list.Edges; e++) (senders[edge + e], reverse[edge + e]) = (atom + list.Senders[e], edge + reverses[e]);
            if (frame.IsPeriodic)
            {
                frame.Cell!.CopyTo(cells, 9 * f);
                ShiftVectors(list, frame.Cell!, shifts.AsSpan(3 * edge));
            }
            atom += frame.Atoms;
            edge += list.Edges;
        }
        return new GraphBatch(
            [.. frames.Select(f => f.Atoms)], numbers, positions, new EdgeList(rowStarts, senders, reverse, device), shifts, cells,
            [.. frames.Select(f => f.Charge)], [.. frames.Select(f => f.Spin)], device);
    }

    /// <summary>A: beyond the distance of any two atoms.</summary>
    private static double Span(Frame frame)
    {
        if (frame.IsPeriodic)
            throw new InputException(frame.Place, "a periodic frame, where every pair interacts", "no periodicity", "set model.electrostaticCutoff");
        double squares = 0;
        for (int k = 0; k < 3; k++)
        {
            double least = double.PositiveInfinity, greatest = double.NegativeInfinity;
            for (int i = k; i < frame.Positions.Length; i += 3)
            {
                least = Math.Min(least, frame.Positions[i]);
                greatest = Math.Max(greatest, frame.Positions[i]);
            }
            squares += (greatest - least) * (greatest - least);
        }
        return Math.Sqrt(squares) + 1;
    }

    private static void ShiftVectors(NeighborList list, double[] cell, Span<double> vectors)
    {
        for (int e = 0; e < list.Edges; e++)
        {
            ReadOnlySpan<int> s = list.Shifts.AsSpan(3 * e, 3);
            for (int k = 0; k < 3; k++) vectors[3 * e + k] = s[0] * cell[k] + s[1] * cell[3 + k] + s[2] * cell[6 + k];
        }
    }
}
