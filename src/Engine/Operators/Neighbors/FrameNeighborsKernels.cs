using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Neighbors;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>
/// Neighbours of frames from nearby bins, with kernels, where the positions are. What sorts and sums is the library's, stable and in whole
/// numbers, so nothing depends on the order of threads. The host waits once, for the number of edges.
/// </summary>
internal static class FrameNeighborsKernels
{
    /// <param name="positions">(atoms, 3) A, float64, contiguous</param>
    /// <param name="frames">Cells, periodicity, and what to name in a complaint; positions are not looked at.</param>
    /// <param name="cutoff">A, finite</param>
    public static FrameEdges Build(Tensor positions, IReadOnlyList<Frame> frames, double cutoff)
    {
        KernelDevice device = Device(positions);
        long atoms = positions.size(0);
        FrameBoxes boxes = FrameBoxes.Of(frames, cutoff, positions.device);
        BinnedAtoms binned = Sort(device, positions, boxes, cutoff * Reach.Margin);
        double squared = cutoff * cutoff, near = squared * Reach.Margin;

        Tensor counts = Long(atoms);
        BinLauncher.Count(device, binned, near, squared, Reach.SamePoint, Array<long>(counts));
        Tensor rowStarts = cat([zeros(1, dtype: ScalarType.Int64, device: positions.device), counts.cumsum(0)], 0);
        int[] sizes = [.. frames.Select(f => f.Atoms)];
        long edges = NeighborFindings.Edges(positions, counts, rowStarts, sizes, f => frames[f].Place);

        Tensor keys = Long(edges), sorted = Long(edges), receivers = Long(edges), senders = Long(edges), reverse = Long(edges);
        BinLauncher.Fill(device, binned, near, squared, Array<long>(rowStarts), Array<long>(keys), Array<long>(receivers));
        BinLauncher.Order(device, Array<long>(rowStarts), Array<long>(receivers), Array<long>(keys), Array<long>(sorted));
        bool periodic = frames.Any(f => f.IsPeriodic);
        Tensor? shifts = periodic ? empty(edges, 3, dtype: ScalarType.Int32, device: positions.device) : null;
        Tensor? vectors = periodic ? empty(edges, 3, dtype: ScalarType.Float64, device: positions.device) : null;
        BinLauncher.Edges(device, binned, Array<long>(rowStarts), Array<long>(receivers), Array<long>(sorted), Array<long>(senders),
            Array<long>(reverse), Array<int>(shifts), Array<double>(vectors));
        return new FrameEdges(new EdgeList(rowStarts, receivers, senders, reverse), shifts, vectors);

        Tensor Long(long count) => empty(count, dtype: ScalarType.Int64, device: positions.device);
    }

    /// <summary>The atoms by bin. The tensors belong to the caller's dispose scope.</summary>
    private static BinnedAtoms Sort(KernelDevice device, Tensor positions, FrameBoxes boxes, double reach)
    {
        long atoms = positions.size(0), frames = boxes.Frames;
        Tensor coordinates = Real(atoms, 3), cells = Whole(atoms, 3);
        BinLauncher.Coordinates(device, Array<double>(positions), Array<long>(boxes.FrameOfAtom), Array<double>(boxes.Boxes),
            Array<double>(coordinates), Array<int>(cells));

        long runs = boxes.RunStarts.numel() - 1;
        Tensor leastOfRun = Real(runs, 3), greatestOfRun = Real(runs, 3), least = Real(frames, 3), greatest = Real(frames, 3);
        BinLauncher.Extents(device, Array<double>(coordinates), Array<double>(coordinates), Array<int>(boxes.RunStarts),
            Array<double>(leastOfRun), Array<double>(greatestOfRun));
        BinLauncher.Extents(device, Array<double>(leastOfRun), Array<double>(greatestOfRun), Array<int>(boxes.FrameRuns),
            Array<double>(least), Array<double>(greatest));

        Tensor grids = Whole(frames, 6), widths = Real(frames, 3), numbers = Whole(atoms);
        BinLauncher.Grids(device, Array<double>(boxes.Boxes), Array<double>(least), Array<double>(greatest), Array<int>(boxes.FirstBins),
            reach, Array<int>(grids), Array<double>(widths));
        BinLauncher.Numbers(device, Array<double>(coordinates), Array<long>(boxes.FrameOfAtom), Array<double>(boxes.Boxes),
            Array<double>(least), Array<int>(boxes.FirstBins), Array<int>(grids), Array<double>(widths), Array<int>(numbers));

        (Tensor bins, Tensor order) = numbers.sort(0, descending: false, stable: true);
        Tensor starts = Whole(boxes.Bins + 1), wrapped = Real(atoms, 3);
        BinnedAtoms binned = new(Array<double>(positions), Array<long>(boxes.FrameOfAtom), Array<double>(boxes.Boxes),
            Array<int>(boxes.FirstBins), Array<int>(grids), Array<int>(cells), Array<int>(starts), Array<long>(order), Array<int>(bins),
            Array<double>(wrapped));
        BinLauncher.Arrange(device, binned);
        return binned;

        Tensor Real(params long[] shape) => empty(shape, dtype: ScalarType.Float64, device: positions.device);

        Tensor Whole(params long[] shape) => empty(shape, dtype: ScalarType.Int32, device: positions.device);
    }
}

/// <summary>What the kernels of neighbours by bins must know of each frame before they look at its atoms.</summary>
/// <param name="Boxes">(frames, 21) float64, see <see cref="BoxLayout"/></param>
/// <param name="FrameOfAtom">(atoms) int64</param>
/// <param name="FirstBins">(frames + 1) int32: room for each frame's bins</param>
/// <param name="Bins">The room of all.</param>
/// <param name="RunStarts">(runs + 1) int32: atoms, in runs that do not cross frames</param>
/// <param name="FrameRuns">(frames + 1) int32: runs of each frame</param>
internal sealed record FrameBoxes(Tensor Boxes, Tensor FrameOfAtom, Tensor FirstBins, int Bins, Tensor RunStarts, Tensor FrameRuns)
{
    /// <summary>More bins than this for each atom cost more than they save; few atoms are given a few anyway.</summary>
    private const int BinsPerAtom = 4, FewestBins = 8;

    /// <summary>Atoms that one warp looks over for the extent of a frame.</summary>
    private const int RunAtoms = 1024;

    /// <summary>Kernels' 32-bit indices must be able to step beyond the last bin.</summary>
    private const long MostBins = int.MaxValue - (1 << 20);

    public long Frames => FirstBins.numel() - 1;

    /// <exception cref="InputException">Repeating lattice vectors that span no volume, or planes too near for a cutoff, or too many atoms.</exception>
    public static FrameBoxes Of(IReadOnlyList<Frame> frames, double cutoff, Device device)
    {
        double[] boxes = new double[frames.Count * BoxLayout.Length];
        long[] frameOfAtom = new long[frames.Sum(f => f.Atoms)];
        int[] firstBins = new int[frames.Count + 1], frameRuns = new int[frames.Count + 1];
        List<int> runStarts = [0];
        int atom = 0;
        for (int f = 0; f < frames.Count; f++)
        {
            Frame frame = frames[f];
            Fill(boxes.AsSpan(f * BoxLayout.Length, BoxLayout.Length), frame, cutoff);
            long bins = firstBins[f] + Math.Max(FewestBins, (long)BinsPerAtom * frame.Atoms);
            if (bins > MostBins)
                throw new InputException(frame.Place, $"{atom + frame.Atoms:N0} atoms of a batch", $"at most {MostBins / BinsPerAtom:N0}");
            firstBins[f + 1] = (int)bins;
            frameOfAtom.AsSpan(atom, frame.Atoms).Fill(f);
            for (int run = 0; run < frame.Atoms; run += RunAtoms) runStarts.Add(atom + Math.Min(run + RunAtoms, frame.Atoms));
            frameRuns[f + 1] = runStarts.Count - 1;
            atom += frame.Atoms;
        }
        return new FrameBoxes(tensor(boxes, device: device), tensor(frameOfAtom, device: device), tensor(firstBins, device: device),
            firstBins[^1], tensor(runStarts.ToArray(), device: device), tensor(frameRuns, device: device));
    }

    private static void Fill(Span<double> box, Frame frame, double cutoff)
    {
        PeriodicBox geometry = PeriodicBox.Of([], frame.Cell, frame.Periodic, frame.Place);
        geometry.Basis.CopyTo(box[BoxLayout.Basis..]);
        geometry.Inverse.CopyTo(box[BoxLayout.Inverse..]);
        for (int k = 0; k < 3; k++)
        {
            if (!frame.Periodic[k]) continue;
            box[BoxLayout.Heights + k] = CellGeometry.Height(geometry.Basis, k);
            Reach.Slabs(cutoff, box[BoxLayout.Heights + k], frame.Place);
        }
    }
}
