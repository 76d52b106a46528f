using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>
/// All directed pairs of one frame's atoms and images that are closer than a cutoff, for a batch of frames, periodic or not: with kernels,
/// all pairs of small molecules and bins for everything else, or the host's lists. Same result, same order.
/// </summary>
public static class FrameNeighbors
{
    /// <summary>Up to here all pairs of a molecule are about as many as those that bins leave.</summary>
    internal const int FewAtoms = 512;

    /// <param name="frames">Cells, periodicity, and what to name in a complaint.</param>
    /// <param name="positions">(atoms, 3) A: those of the frames, one after the other, where the edges shall be.</param>
    /// <param name="cutoff">A; pairs at this distance are absent. Infinite: every pair of each frame, none of which may repeat.</param>
    /// <exception cref="InputException">
    /// Two atoms at one point, a position that is no number, repeating lattice vectors that span no volume, or more edges than indices reach.
    /// </exception>
    /// <exception cref="ArgumentException">Another number of positions than of atoms, or every pair of a frame that repeats.</exception>
    public static FrameEdges Apply(IReadOnlyList<Frame> frames, Tensor positions, double cutoff) => Apply(frames, positions, cutoff, null);

    /// <param name="frames">As above.</param>
    /// <param name="positions">As above.</param>
    /// <param name="cutoff">As above.</param>
    /// <param name="lists">The list of a frame where the host needs it, by its number; null: they are made.</param>
    internal static FrameEdges Apply(IReadOnlyList<Frame> frames, Tensor positions, double cutoff, Func<int, NeighborList>? lists)
    {
        if (!(cutoff > 0)) throw new InputException("cutoff", $"{cutoff}", "a positive length in Angstrom");
        int[] sizes = [.. frames.Select(f => f.Atoms)];
        if (positions.size(0) != sizes.Sum()) throw new ArgumentException($"{positions.size(0)} positions of {sizes.Sum()} atoms");
        bool periodic = frames.Any(f => f.IsPeriodic), everyPair = double.IsInfinity(cutoff);
        if (periodic && everyPair) throw new ArgumentException("every pair of a frame that repeats", nameof(cutoff));
        using DisposeScope scope = NewDisposeScope();
        if (!OperatorModes.UseKernels(positions)) return OnHost(frames, cutoff, positions.device, lists);
        // Lists are the host's to the bit: float64, whatever the model's type.
        Tensor exact = positions.detach().to(ScalarType.Float64).contiguous();
        return !periodic && (everyPair || sizes.All(n => n <= FewAtoms))
            ? new FrameEdges(MoleculeNeighborsKernels.Build(exact, sizes, cutoff, f => frames[f].Place), null, null)
            : FrameNeighborsKernels.Build(exact, frames, cutoff);
    }

    private static FrameEdges OnHost(IReadOnlyList<Frame> frames, double cutoff, Device device, Func<int, NeighborList>? lists)
    {
        NeighborList[] found = [.. Enumerable.Range(0, frames.Count).Select(f => lists?.Invoke(f) ?? Of(frames[f], cutoff))];
        FrameEdges joined = JoinedLists.Of(found, [.. frames.Select(f => f.IsPeriodic ? f.Cell : null)], device);
        // The others may be kept.
        if (lists is null) foreach (NeighborList list in found) list.Dispose();
        return joined;
    }

    /// <summary>Of one frame, on the host.</summary>
    /// <param name="frame">Its atoms and cell.</param>
    /// <param name="cutoff">A; infinite: every pair.</param>
    internal static NeighborList Of(Frame frame, double cutoff) => NeighborLists.Build(frame, double.IsFinite(cutoff) ? cutoff : Span(frame));

    /// <summary>A: beyond the distance of any two atoms.</summary>
    private static double Span(Frame frame)
    {
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
}

/// <summary>Neighbours of a batch of frames. The tensors live until disposal.</summary>
public sealed class FrameEdges : IDisposable
{
    /// <param name="edges">Becomes this one's own.</param>
    /// <param name="shifts">(edges, 3) int32; null: nothing repeats.</param>
    /// <param name="shiftVectors">(edges, 3) A, float64; null: nothing repeats.</param>
    internal FrameEdges(EdgeList edges, Tensor? shifts, Tensor? shiftVectors)
    {
        Edges = edges;
        Shifts = shifts?.DetachFromDisposeScope();
        ShiftVectors = shiftVectors?.DetachFromDisposeScope();
    }

    /// <summary>Rows by receiver, each sorted by sender and then by shift, reverse edges known.</summary>
    public EdgeList Edges { get; }

    /// <summary>(edges, 3) int32: whole lattice vectors by which the sender is moved; null where no frame repeats.</summary>
    public Tensor? Shifts { get; }

    /// <summary>(edges, 3) A, float64: their sum; null where no frame repeats.</summary>
    public Tensor? ShiftVectors { get; }

    public void Dispose()
    {
        Edges.Dispose();
        Shifts?.Dispose();
        ShiftVectors?.Dispose();
    }
}
