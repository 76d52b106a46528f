using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>Where paths go, where they meet again, and what is still wanted on them.</summary>
internal static class PtxFlow
{
    /// <summary>Of each instruction those that may come next; their count is the end.</summary>
    /// <exception cref="KernelException">A branch goes to no label.</exception>
    public static int[][] Successors(PtxText text, IReadOnlyList<PtxLine> lines)
    {
        return [.. lines.Select(Of)];

        int[] Of(PtxLine line, int at) => line.Opcode switch
        {
            "ret" => line.Guard is null ? [lines.Count] : [lines.Count, at + 1],
            "bra" or "bra.uni" => line.Guard is null ? [text.Target(line)] : [text.Target(line), at + 1],
            _ => [at + 1],
        };
    }

    /// <summary>Stretches that are entered at their first instruction only and left at their last.</summary>
    public static List<(int First, int Last)> Pieces(int[][] successors)
    {
        var starts = new SortedSet<int> { 0 };
        for (int i = 0; i < successors.Length; i++)
            if (successors[i] is not [var next] || next != i + 1) starts.UnionWith([.. successors[i], i + 1]);
        starts.RemoveWhere(s => s >= successors.Length);
        int[] ordered = [.. starts];
        return [.. ordered.Select((s, k) => (s, (k + 1 < ordered.Length ? ordered[k + 1] : successors.Length) - 1))];
    }

    /// <summary>Where paths meet again: immediate post-dominators, by Cooper, Harvey and Kennedy's iteration on the reversed graph.</summary>
    /// <param name="successors">Of each instruction; their count is the end.</param>
    /// <returns>Of each instruction; the end where there is no other.</returns>
    public static int[] Joins(IReadOnlyList<int[]> successors)
    {
        int end = successors.Count;
        int[] order = FromEnd(successors, end), rank = new int[end + 1], joins = new int[end + 1];
        Array.Fill(rank, -1);
        Array.Fill(joins, -1);
        for (int i = 0; i < order.Length; i++) rank[order[i]] = i;
        joins[end] = end;
        for (bool changed = true; changed;)
        {
            changed = false;
            // The end is last.
            for (int i = order.Length - 2; i >= 0; i--)
            {
                int join = -1;
                foreach (int next in successors[order[i]])
                    if (rank[next] >= 0 && joins[next] >= 0) join = join < 0 ? next : Meet(join, next);
                changed |= join != joins[order[i]];
                joins[order[i]] = join;
            }
        }
        return [.. joins.Take(end).Select(join => join < 0 ? end : join)];

        int Meet(int a, int b)
        {
            while (a != b)
            {
                while (rank[a] < rank[b]) a = joins[a];
                while (rank[b] < rank[a]) b = joins[b];
            }
            return a;
        }
    }

    /// <summary>What reaches the end, each after what comes before it on the way back: the end last.</summary>
    private static int[] FromEnd(IReadOnlyList<int[]> successors, int end)
    {
        var before = new List<int>[end + 1];
        for (int i = 0; i <= end; i++) before[i] = [];
        for (int i = 0; i < end; i++)
            foreach (int next in successors[i]) before[next].Add(i);
        var order = new List<int>(end + 1);
        var seen = new bool[end + 1];
        var path = new Stack<(int Node, int Tried)>();
        path.Push((end, 0));
        seen[end] = true;
        while (path.TryPop(out (int Node, int Tried) at))
        {
            if (at.Tried == before[at.Node].Count)
            {
                order.Add(at.Node);
                continue;
            }
            path.Push((at.Node, at.Tried + 1));
            int previous = before[at.Node][at.Tried];
            if (seen[previous]) continue;
            seen[previous] = true;
            path.Push((previous, 0));
        }
        return [.. order];
    }
}
