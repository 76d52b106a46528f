using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>
/// Frames as one graph: atoms one after another, edges sorted by receiver, never across frames. An edge's vector is
/// positions[sender] + shift - positions[receiver]. Geometry is float64 whatever the model's type, so that a large cell costs no
/// precision. The tensors live until disposal.
/// </summary>
public sealed class GraphBatch : IDisposable
{
    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="atomicNumbers">(atoms)</param>
    /// <param name="positions">(atoms, 3) A, row by row</param>
    /// <param name="edges">Becomes the batch's own.</param>
    /// <param name="shiftVectors">(edges, 3) A: the lattice vector from the sender to the image meant; empty: none.</param>
    /// <param name="cells">(frames, 3, 3) A, rows are lattice vectors, zero for a frame without; empty: none.</param>
    /// <param name="charges">(frames) e; empty: none given.</param>
    /// <param name="spins">(frames) unpaired electrons; empty: none given.</param>
    /// <param name="device">null: the CPU. The edges are there already.</param>
    /// <exception cref="ArgumentException">Lengths that do not fit together.</exception>
    public GraphBatch(ReadOnlySpan<int> atomsPerFrame, ReadOnlySpan<int> atomicNumbers, ReadOnlySpan<double> positions, EdgeList edges,
        ReadOnlySpan<double> shiftVectors = default, ReadOnlySpan<double> cells = default, ReadOnlySpan<double> charges = default,
        ReadOnlySpan<double> spins = default, Device? device = null)
        : this(atomsPerFrame, atomicNumbers, Rows(positions, "coordinates", device, atomicNumbers.Length, 3), edges,
            shiftVectors.Length == 0 ? null : Rows(shiftVectors, "shift components", device, edges.Count, 3), cells, charges, spins, device)
    {
    }

    /// <summary>Takes over tensors that are on the device already.</summary>
    internal GraphBatch(ReadOnlySpan<int> atomsPerFrame, ReadOnlySpan<int> atomicNumbers, Tensor positions, EdgeList edges,
        Tensor? shiftVectors, ReadOnlySpan<double> cells, ReadOnlySpan<double> charges, ReadOnlySpan<double> spins, Device? device)
    {
        int atoms = atomicNumbers.Length, frames = atomsPerFrame.Length;
        Require(edges.Atoms == atoms, $"edges are of {edges.Atoms} atoms, not {atoms}");
        var frameOfAtom = new long[atoms];
        var numbers = new long[atoms];
        int first = 0;
        for (int frame = 0; frame < frames; frame++)
        {
            Require(atomsPerFrame[frame] >= 0 && first + atomsPerFrame[frame] <= atoms, "more atoms in frames than in all");
            frameOfAtom.AsSpan(first, atomsPerFrame[frame]).Fill(frame);
            first += atomsPerFrame[frame];
        }
        Require(first == atoms, $"{first} atoms in frames, {atoms} in all");
        for (int i = 0; i < atoms; i++)
        {
            Require(atomicNumbers[i] >= 0, $"atomic number {atomicNumbers[i]}");
            numbers[i] = atomicNumbers[i];
        }
        AtomsPerFrame = atomsPerFrame.ToArray();
        Elements = [.. atomicNumbers.ToArray().Distinct().Order()];
        Edges = edges;
        AtomicNumbers = Keep(tensor(numbers, device: device));
        FrameOfAtom = Keep(tensor(frameOfAtom, device: device));
        Positions = Keep(positions);
        if (shiftVectors is not null) ShiftVectors = Keep(shiftVectors);
        if (charges.Length > 0) Charges = Keep(Rows(charges, "charges", device, frames));
        if (spins.Length > 0) Spins = Keep(Rows(spins, "spins", device, frames));
        if (cells.Length > 0)
        {
            Cells = Keep(Rows(cells, "cell components", device, frames, 3, 3));
            Volumes = Keep(Rows(VolumesOf(cells), "volumes", device, frames));
        }
    }

    public int Frames => AtomsPerFrame.Count;

    /// <summary>(frames)</summary>
    public IReadOnlyList<int> AtomsPerFrame { get; }

    public int Atoms => Edges.Atoms;

    /// <summary>The greatest atomic number present; 0 without atoms.</summary>
    public int MaxAtomicNumber => Elements.Count > 0 ? Elements[^1] : 0;

    /// <summary>The atomic numbers present, ascending.</summary>
    public IReadOnlyList<int> Elements { get; }

    public EdgeList Edges { get; }

    /// <summary>(atoms) int64</summary>
    public Tensor AtomicNumbers { get; }

    /// <summary>(atoms) int64, ascending</summary>
    public Tensor FrameOfAtom { get; }

    /// <summary>(atoms, 3) A, float64</summary>
    public Tensor Positions { get; }

    /// <summary>(edges, 3) A, float64; null: no edge crosses a boundary.</summary>
    public Tensor? ShiftVectors { get; }

    /// <summary>(frames, 3, 3) A, float64, rows are lattice vectors</summary>
    public Tensor? Cells { get; }

    /// <summary>(frames) A^3, float64; infinite for a frame without a cell, whose stress is zero.</summary>
    public Tensor? Volumes { get; }

    /// <summary>(frames) e, float64</summary>
    public Tensor? Charges { get; }

    /// <summary>(frames) unpaired electrons, float64</summary>
    public Tensor? Spins { get; }

    public void Dispose()
    {
        Edges.Dispose();
        foreach (Tensor? t in (Tensor?[])[AtomicNumbers, FrameOfAtom, Positions, ShiftVectors, Cells, Volumes, Charges, Spins]) t?.Dispose();
    }

    private static Tensor Keep(Tensor tensor) => tensor.DetachFromDisposeScope();

    private static Tensor Rows(ReadOnlySpan<double> values, string what, Device? device, params long[] shape)
    {
        Require(values.Length == shape.Aggregate(1L, (product, size) => product * size), $"{values.Length} {what} of {shape[0]} rows");
        using Tensor flat = tensor(values.ToArray(), device: device);
        return flat.reshape(shape);
    }

    private static double[] VolumesOf(ReadOnlySpan<double> cells)
    {
        var volumes = new double[cells.Length / 9];
        for (int frame = 0; frame < volumes.Length; frame++)
        {
            ReadOnlySpan<double> c = cells.Slice(9 * frame, 9);
            double volume = Math.Abs(c[0] * (c[4] * c[8] - c[5] * c[7]) - c[1] * (c[3] * c[8] - c[5] * c[6]) + c[2] * (c[3] * c[7] - c[4] * c[6]));
            volumes[frame] = volume > 0 ? volume : double.PositiveInfinity;
        }
        return volumes;
    }

    private static void Require(bool holds, string found)
    {
        if (!holds) throw new ArgumentException(found);
    }
}

/// <summary>Makes graphs of frames.</summary>
internal static class GraphBatches
{
    /// <summary>
    /// Joins frames to one graph, in their order, and finds the neighbours of each: where the positions are, if kernels run there.
    /// </summary>
    /// <param name="frames">Stay the caller's.</param>
    /// <param name="cutoff">A: the model's; infinite: every pair of a frame.</param>
    /// <param name="device">null: the CPU.</param>
    /// <param name="lists">The neighbours of a frame, by its number, should the host need them; null: they are looked for.</param>
    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public static GraphBatch Build(IReadOnlyList<Frame> frames, double cutoff, Device? device = null, Func<int, NeighborList>? lists = null)
    {
        RequireFinite(frames, cutoff);
        using DisposeScope scope = NewDisposeScope();
        int[] numbers = [.. frames.SelectMany(f => f.AtomicNumbers)];
        Tensor positions = tensor(frames.SelectMany(f => f.Positions).ToArray(), device: device).reshape(numbers.Length, 3);
        FrameEdges neighbors = FrameNeighbors.Apply(frames, positions, cutoff, lists);
        neighbors.Shifts?.Dispose();
        double[] cells = new double[frames.Any(f => f.IsPeriodic) ? 9 * frames.Count : 0];
        for (int f = 0; f < frames.Count; f++)
            if (frames[f].IsPeriodic) frames[f].Cell!.CopyTo(cells, 9 * f);
        return new GraphBatch(
            [.. frames.Select(f => f.Atoms)], numbers, positions, neighbors.Edges, neighbors.ShiftVectors, cells,
            [.. frames.Select(f => f.Charge)], [.. frames.Select(f => f.Spin)], device);
    }

    /// <exception cref="InputException">Every pair interacts, and a frame has them without end.</exception>
    public static void RequireFinite(IReadOnlyList<Frame> frames, double cutoff)
    {
        if (double.IsInfinity(cutoff) && frames.FirstOrDefault(f => f.IsPeriodic) is { } repeating)
        {
            throw new InputException(
                repeating.Place, "a periodic frame, where every pair interacts", "no periodicity", "set model.electrostaticCutoff");
        }
    }
}
