using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Kernels.Neighbors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
