using ChemScale.Kernels.Ptx;

namespace ChemScale.Perf.Counting;

/// <summary>
/// What the assembler takes out of a kernel's text: values that are there already, and values that every round of a loop would make alike, which it makes
/// once, before it. Seen in machine code: divisions, clamped indices and products of sizes, all of which the PTX holds in its inner loops.
/// </summary>
internal sealed class Redundancy
{
    private readonly List<PtxLine> lines;
    private readonly int[][] read;
    private readonly int[][] written;
    private readonly Dictionary<string, int> registers = new(StringComparer.Ordinal);
    private readonly int[] definitions;
    private readonly List<(int First, int Last)> pieces;
    private readonly List<int>[] before;
    private readonly List<int>[] next;
    private readonly int[] dominators;

    public Redundancy(PtxText text)
    {
        lines = text.Lines;
        int[][] successors = PtxFlow.Successors(text, lines);
        read = [.. lines.Select(l => Numbers(l.Read))];
        written = [.. lines.Select(l => Numbers(l.Written))];
        definitions = new int[registers.Count];
        foreach (int r in written.SelectMany(w => w)) definitions[r]++;
        pieces = PtxFlow.Pieces(successors);
        Dictionary<int, int> pieceOf = pieces.Select((p, k) => (p.First, k)).ToDictionary();
        next = [.. pieces.Select(p => successors[p.Last].Where(pieceOf.ContainsKey).Select(s => pieceOf[s]).ToList())];
        before = [.. pieces.Select(_ => new List<int>())];
        for (int p = 0; p < pieces.Count; p++)
            foreach (int to in next[p]) before[to].Add(p);
        // The flow backwards: where all ways meet is what all ways come through.
        dominators = PtxFlow.Joins([.. before.Select((b, k) => k == 0 ? [.. b, pieces.Count] : b.ToArray())]);
        Again = new bool[lines.Count];
        Outside = new int[]?[lines.Count];
        Repeated();
        Invariant();

        int[] Numbers(IEnumerable<string> names) =>
            [.. names.Where(n => !IsSpecial(n)).Select(n => registers.TryGetValue(n, out int known) ? known : registers[n] = registers.Count)];
    }

    /// <summary>Instructions whose value was made on every way to them.</summary>
    public bool[] Again { get; }

    /// <summary>Of instructions that make the same in every round: those from which the outermost such loop is entered. null: others.</summary>
    public int[]?[] Outside { get; }

    private static bool IsSpecial(string register) => register.Contains('.') || register == "%dynamic_smem_size";

    private bool IsPure(int i) => lines[i].Guard is null && lines[i].Operands.Length > 1 && lines[i].Opcode.Split('.')[0] is not ("ld" or "st" or "shfl" or "mma" or "bar");

    private bool Dominates(int first, int piece)
    {
        for (; piece != pieces.Count; piece = dominators[piece])
            if (piece == first) return true;
        return false;
    }

    /// <summary>Values by number, along the tree of dominators.</summary>
    private void Repeated()
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        var only = new Dictionary<string, int>(StringComparer.Ordinal);
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var below = Enumerable.Range(0, pieces.Count).Skip(1).ToLookup(p => dominators[p]);
        var path = new Stack<(int Piece, List<string>? Made)>();
        path.Push((0, null));
        int fresh = 0;
        while (path.TryPop(out (int Piece, List<string>? Made) at))
        {
            if (at.Made is { } gone)
            {
                foreach (string key in gone) known.Remove(key);
                continue;
            }
            var local = new Dictionary<string, int>(StringComparer.Ordinal);
            var made = new List<string>();
            for (int i = pieces[at.Piece].First; i <= pieces[at.Piece].Last; i++)
            {
                PtxLine line = lines[i];
                int value;
                if (IsPure(i))
                {
                    int[] of = [.. line.Operands.Skip(1).Select(Value)];
                    string verb = line.Opcode.Split('.')[0];
                    bool copy = verb == "mov" && !IsSpecial(line.Operands[1]);
                    if (verb is "add" or "mul" or "and" or "or") Array.Sort(of);
                    string key = $"{line.Opcode} {string.Join(' ', of)}";
                    Again[i] = !copy && known.ContainsKey(key);
                    value = copy ? of[0] : known.TryGetValue(key, out int old) ? old : known[key] = --fresh;
                    if (!copy && !Again[i]) made.Add(key);
                }
                else
                {
                    value = line.Opcode.StartsWith("ld.param", StringComparison.Ordinal) ? Number(line.Operands[1]) : --fresh;
                }
                foreach (string register in line.Written)
                {
                    local[register] = value;
                    if (definitions[registers[register]] == 1) only[register] = value;
                    // Each member of a group has its own.
                    value = --fresh;
                }
            }
            path.Push((at.Piece, made));
            foreach (int piece in below[at.Piece]) path.Push((piece, null));

            int Value(string operand) =>
                local.TryGetValue(operand, out int here) ? here
                : only.TryGetValue(operand, out int once) ? once
                : Number(operand.StartsWith('%') && !IsSpecial(operand) && definitions[registers[operand]] != 1 ? $"{operand} in {at.Piece}" : operand);
        }

        int Number(string name) => numbers.TryGetValue(name, out int n) ? n : numbers[name] = numbers.Count;
    }

    private void Invariant()
    {
        var loops = new Dictionary<int, HashSet<int>>();
        for (int p = 0; p < pieces.Count; p++)
            foreach (int head in next[p].Where(to => Dominates(to, p)))
            {
                if (!loops.TryGetValue(head, out HashSet<int>? body)) loops[head] = body = [head];
                var reached = new Stack<int>([p]);
                while (reached.TryPop(out int piece))
                    if (body.Add(piece)) foreach (int b in before[piece]) reached.Push(b);
            }
        foreach ((int head, HashSet<int> body) in loops.OrderByDescending(l => l.Value.Count))
        {
            int[] entries = [.. before[head].Where(p => !body.Contains(p)).Select(p => pieces[p].Last)];
            foreach (int i in Invariant(body)) Outside[i] ??= entries;
        }
    }

    private HashSet<int> Invariant(HashSet<int> body)
    {
        int[] ordered = [.. body.Order()];
        HashSet<int> varying = [.. ordered.SelectMany(p => Enumerable.Range(pieces[p].First, pieces[p].Last - pieces[p].First + 1)).SelectMany(i => written[i])], found = [];
        for (bool changed = true; changed;)
        {
            changed = false;
            foreach (int p in ordered)
            {
                // Registers that are written again and again: what they hold here.
                var here = new Dictionary<int, bool>();
                for (int i = pieces[p].First; i <= pieces[p].Last; i++)
                {
                    bool same = IsPure(i) && read[i].All(r => here.TryGetValue(r, out bool known) ? known : !varying.Contains(r));
                    bool alike = same || lines[i].Opcode.StartsWith("ld.param", StringComparison.Ordinal);
                    foreach (int r in written[i])
                    {
                        here[r] = alike;
                        changed |= alike && definitions[r] == 1 && varying.Remove(r);
                    }
                    changed |= same && found.Add(i);
                }
            }
        }
        return found;
    }
}
