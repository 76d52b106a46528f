using System.Numerics;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// Circular fingerprints (Rogers and Hahn 2010, doi 10.1021/ci100050t; RDKit's Morgan): one bit for each distinct neighbourhood of radius 0 to 2, by atoms
/// (element, bonds, hydrogens, charge, isotope, ring) and bonds. The bits are this engine's own, the neighbourhoods those of RDKit.
/// </summary>
internal sealed class CircularFingerprint
{
    /// <summary>Bits of a fingerprint.</summary>
    public const int Bits = 1024;

    /// <summary>Words of 64 bits.</summary>
    public const int Words = Bits / 64;

    private const int Radius = 2;

    private ulong[] code = new ulong[64], next = new ulong[64];
    private ulong[][] covered = [], wider = [];
    private bool[] dead = new bool[64];
    private readonly List<ulong[]> seen = [];
    private readonly List<(ulong Code, int Atom)> layer = [];
    private readonly List<ulong> around = [];

    /// <param name="graph">Perceived.</param>
    /// <param name="bits">Sixteen words, cleared first.</param>
    public void Of(MolecularGraph graph, Span<ulong> bits)
    {
        bits.Clear();
        int n = graph.AtomCount, words = (graph.BondCount + 63) / 64;
        if (code.Length < n) (code, next, dead) = (new ulong[2 * n], new ulong[2 * n], new bool[2 * n]);
        if (covered.Length < n || (n > 0 && covered[0].Length < words))
        {
            covered = [.. Enumerable.Range(0, n + 32).Select(_ => new ulong[words + 1])];
            wider = [.. Enumerable.Range(0, n + 32).Select(_ => new ulong[words + 1])];
        }
        seen.Clear();
        for (int a = 0; a < n; a++)
        {
            ref GraphAtom atom = ref graph.Atoms[a];
            code[a] = Mixed((ulong)atom.Element << 48 | (ulong)(atom.Degree + atom.Hydrogens) << 40 | (ulong)atom.Hydrogens << 32
                | (ulong)(byte)atom.Charge << 24 | (ulong)atom.Isotope << 8 | (atom.InRing ? 1u : 0u));
            Set(bits, code[a]);
            Array.Clear(covered[a]);
            dead[a] = false;
        }
        for (int radius = 1; radius <= Radius; radius++) Widen(graph, bits, radius);
    }

    /// <summary>Common bits over all bits of both; 1 for two empty ones.</summary>
    public static double Tanimoto(ReadOnlySpan<ulong> one, ReadOnlySpan<ulong> other)
    {
        int common = 0, either = 0;
        for (int i = 0; i < one.Length; i++)
        {
            common += BitOperations.PopCount(one[i] & other[i]);
            either += BitOperations.PopCount(one[i] | other[i]);
        }
        return either == 0 ? 1 : (double)common / either;
    }

    // A neighbourhood of the same bonds as an earlier one says nothing new, and grows no more.
    private void Widen(MolecularGraph graph, Span<ulong> bits, int radius)
    {
        layer.Clear();
        for (int a = 0; a < graph.AtomCount; a++)
        {
            ref GraphAtom atom = ref graph.Atoms[a];
            next[a] = code[a];
            covered[a].CopyTo(wider[a], 0);
            if (dead[a] || atom.Degree == 0) continue;
            around.Clear();
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                GraphLink link = graph.Links[i];
                ref GraphBond bond = ref graph.Bonds[link.Bond];
                around.Add(Mixed(code[link.Atom] ^ Mixed(bond.Aromatic ? 5u : bond.Order)));
                wider[a][link.Bond / 64] |= 1UL << link.Bond % 64;
                for (int w = 0; w < wider[a].Length; w++) wider[a][w] |= covered[link.Atom][w];
            }
            around.Sort();
            ulong sum = Mixed((ulong)radius) ^ code[a];
            foreach (ulong neighbor in around) sum = Mixed(sum + neighbor);
            next[a] = sum;
            layer.Add((sum, a));
        }
        layer.Sort();
        foreach ((ulong sum, int a) in layer)
        {
            bool known = false;
            foreach (ulong[] before in seen) known |= before.AsSpan().SequenceEqual(wider[a]);
            if (known)
            {
                dead[a] = true;
                continue;
            }
            Set(bits, sum);
            seen.Add([.. wider[a]]);
        }
        (code, next) = (next, code);
        (covered, wider) = (wider, covered);
    }

    private static void Set(Span<ulong> bits, ulong value) => bits[(int)(value >> 58) % Words] |= 1UL << (int)(value >> 32 & 63);

    private static ulong Mixed(ulong x)
    {
        x = (x ^ x >> 31) * 0x9E3779B97F4A7C15;
        x = (x ^ x >> 29) * 0xBF58476D1CE4E5B9;
        return x ^ x >> 32;
    }
}
