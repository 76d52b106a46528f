namespace ChemScale.Kernels.Ptx;

/// <summary>Which registers hold what is still read, by the usual iteration over straight pieces. Instruction i reads at 2 i and writes at 2 i + 1.</summary>
internal sealed class PtxLiveness
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly int[][] read;
    private readonly int[][] written;
    private readonly bool[] guarded;
    private readonly int[] pieceOf;

    // A bit a register, of each piece: wanted at its start, and at its end.
    private readonly ulong[][] before;
    private readonly ulong[][] after;

    private readonly List<(int First, int Last)> pieces;

    /// <param name="lines">The program.</param>
    /// <param name="successors">Of each instruction; their count is the end.</param>
    public PtxLiveness(IReadOnlyList<PtxLine> lines, int[][] successors)
    {
        read = [.. lines.Select(l => Numbers(l.Read))];
        written = [.. lines.Select(l => Numbers(l.Written))];
        pieces = PtxFlow.Pieces(successors);
        guarded = [.. lines.Select(l => l.Guard is not null)];
        pieceOf = [.. pieces.SelectMany((p, k) => Enumerable.Repeat(k, p.Last - p.First + 1))];
        int words = (numbers.Count + 63) / 64;
        (before, after) = (Sets(), Sets());
        ulong[][] wanted = Sets(), made = Sets();
        for (int p = 0; p < pieces.Count; p++)
        {
            for (int i = pieces[p].Last; i >= pieces[p].First; i--)
            {
                foreach (int r in written[i])
                {
                    // Behind a guard some lanes keep what they had.
                    if (guarded[i]) wanted[p][r / 64] |= 1ul << r;
                    else (wanted[p][r / 64], made[p][r / 64]) = (wanted[p][r / 64] & ~(1ul << r), made[p][r / 64] | 1ul << r);
                }
                foreach (int r in read[i]) wanted[p][r / 64] |= 1ul << r;
            }
        }
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int p = pieces.Count - 1; p >= 0; p--)
            {
                foreach (int next in successors[pieces[p].Last])
                    if (next < pieceOf.Length)
                        for (int w = 0; w < words; w++) after[p][w] |= before[pieceOf[next]][w];
                for (int w = 0; w < words; w++)
                {
                    ulong now = wanted[p][w] | (after[p][w] & ~made[p][w]);
                    changed |= now != before[p][w];
                    before[p][w] = now;
                }
            }
        }

        int[] Numbers(IEnumerable<string> registers) => [.. registers.Select(r => numbers.TryGetValue(r, out int known) ? known : numbers[r] = numbers.Count)];

        ulong[][] Sets() => [.. pieces.Select(_ => new ulong[words])];
    }

    /// <summary>Stretches that are entered at their first instruction only and left at their last: all of the program, in order.</summary>
    public IReadOnlyList<(int First, int Last)> Pieces => pieces;

    /// <summary>What a register holds after an instruction is still read.</summary>
    public bool IsWantedAfter(int instruction, string register)
    {
        int r = numbers[register], p = pieceOf[instruction];
        for (int i = instruction + 1; i <= pieces[p].Last; i++)
        {
            if (read[i].Contains(r)) return true;
            if (written[i].Contains(r)) return guarded[i];
        }
        return Holds(after[p], r);
    }

    /// <summary>From where to where each register is wanted; between these ends it counts as wanted throughout.</summary>
    public IReadOnlyList<(string Register, int First, int Last)> Stretches()
    {
        int[] first = [.. numbers.Select(_ => int.MaxValue)], last = [.. numbers.Select(_ => -1)];
        for (int p = 0; p < pieces.Count; p++)
        {
            for (int r = 0; r < numbers.Count; r++)
            {
                if (Holds(before[p], r)) Extend(r, 2 * pieces[p].First);
                if (Holds(after[p], r)) Extend(r, 2 * pieces[p].Last + 1);
            }
            for (int i = pieces[p].First; i <= pieces[p].Last; i++)
            {
                foreach (int r in read[i]) Extend(r, 2 * i);
                foreach (int r in written[i]) Extend(r, 2 * i + 1);
            }
        }
        return [.. numbers.Select(n => (n.Key, first[n.Value], last[n.Value]))];

        void Extend(int register, int to) => (first[register], last[register]) = (Math.Min(first[register], to), Math.Max(last[register], to));
    }

    /// <summary>The most that are wanted at a time, by what each takes.</summary>
    /// <param name="weight">Of a register.</param>
    public int Most(Func<string, int> weight)
    {
        int[] weights = new int[numbers.Count];
        foreach ((string register, int n) in numbers) weights[n] = weight(register);
        int most = 0;
        for (int p = 0; p < pieces.Count; p++)
        {
            HashSet<int> wanted = [.. Enumerable.Range(0, numbers.Count).Where(r => Holds(after[p], r))];
            int sum = wanted.Sum(r => weights[r]);
            for (int i = pieces[p].Last; i >= pieces[p].First; i--)
            {
                foreach (int r in written[i]) if (wanted.Remove(r)) sum -= weights[r];
                foreach (int r in read[i]) if (wanted.Add(r)) sum += weights[r];
                most = Math.Max(most, sum);
            }
        }
        return most;
    }

    private static bool Holds(ulong[] set, int register) => (set[register / 64] >> register & 1) != 0;
}
