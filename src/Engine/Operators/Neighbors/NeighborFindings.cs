using ChemScale.Engine.Atoms.Neighbors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>Reads what a count of neighbours found: the one time that the host waits.</summary>
internal static class NeighborFindings
{
    /// <summary>Of arrays with three numbers an edge, whose indices have 32 bits and must be able to step beyond the last.</summary>
    public const long MostEdges = (int.MaxValue - (1 << 20)) / 3;

    /// <param name="positions">(atoms, 3) A</param>
    /// <param name="counts">(atoms) int64 neighbours; -1 - j where atom j is at the same point</param>
    /// <param name="rowStarts">(atoms + 1) int64 their sums</param>
    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="place">What to name in a complaint about a frame.</param>
    /// <returns>The number of edges.</returns>
    /// <exception cref="InputException">Two atoms at one point, a position that is no number, or more edges than indices reach.</exception>
    public static long Edges(Tensor positions, Tensor counts, Tensor rowStarts, IReadOnlyList<int> atomsPerFrame, Func<int, string> place)
    {
        if (counts.numel() == 0) return 0;
        Tensor findings = stack([rowStarts[^1], counts.min(), positions.isfinite().all().to(ScalarType.Int64)]);
        long[] found = findings.cpu().data<long>().ToArray();
        if (found[2] == 0)
        {
            double[] all = positions.to(ScalarType.Float64).cpu().data<double>().ToArray();
            int bad = ((ReadOnlySpan<double>)all).IndexOfNonFinite();
            (int frame, int first) = FrameOf(bad / 3, atomsPerFrame);
            throw Reach.NoNumber(place(frame), bad - 3 * first, all[bad]);
        }
        if (found[1] < 0)
        {
            int i = (int)counts.argmin().item<long>();
            (int frame, int first) = FrameOf(i, atomsPerFrame);
            throw Reach.Collision(place(frame), i - first, (int)(-1 - found[1]) - first);
        }
        if (found[0] > MostEdges)
            throw new InputException(place(0), $"{found[0]:N0} edges", $"at most {MostEdges:N0} of a batch", "use fewer atoms or a smaller cutoff");
        return found[0];
    }

    private static (int Frame, int FirstAtom) FrameOf(int atom, IReadOnlyList<int> atomsPerFrame)
    {
        int frame = 0, first = 0;
        for (; atom >= first + atomsPerFrame[frame]; frame++) first += atomsPerFrame[frame];
        return (frame, first);
    }
}
