using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// A set of molecules, measured: keys, figures, counts, scaffolds, fingerprints, in the order of the lines. Lines that are no molecule, or have an atom
/// of more bonds than its element makes, are counted and left out.
/// </summary>
internal sealed class MoleculeSample
{
    private const int ChunkLines = 512;

    /// <summary>Lines read.</summary>
    public int Lines { get; private init; }

    /// <summary>The molecules among them.</summary>
    public required IReadOnlyList<MeasuredMolecule> Molecules { get; init; }

    /// <summary>Sixteen words a molecule.</summary>
    public required ulong[] Fingerprints { get; init; }

    /// <summary>The fingerprint of one.</summary>
    public ReadOnlySpan<ulong> Fingerprint(int molecule) => Fingerprints.AsSpan(molecule * CircularFingerprint.Words, CircularFingerprint.Words);

    /// <param name="lines">SMILES, or SELFIES.</param>
    /// <param name="selfies">Which.</param>
    /// <param name="codec">Makes each thread's codec, for SELFIES and for tokens.</param>
    /// <param name="threads">1 or more; the result does not depend on them.</param>
    /// <param name="stop">Ends it.</param>
    public static MoleculeSample Of(IReadOnlyList<string> lines, bool selfies, Func<SelfiesCodec> codec, int threads, CancellationToken stop)
    {
        int chunks = (lines.Count + ChunkLines - 1) / ChunkLines;
        var found = new List<MeasuredMolecule>[chunks];
        var prints = new List<ulong>[chunks];
        Parallel.For(0, chunks, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, () => new Measuring(codec()), (chunk, _, measuring) =>
        {
            found[chunk] = [];
            prints[chunk] = [];
            for (int i = chunk * ChunkLines; i < Math.Min(lines.Count, (chunk + 1) * ChunkLines); i++)
                if (measuring.TryMeasure(lines[i], selfies, prints[chunk]) is { } molecule) found[chunk].Add(molecule);
            return measuring;
        }, _ => { });
        return new MoleculeSample
        {
            Lines = lines.Count,
            Molecules = [.. found.SelectMany(part => part)],
            Fingerprints = [.. prints.SelectMany(part => part)],
        };
    }

    /// <summary>The keys alone, of the lines that are molecules.</summary>
    public static IEnumerable<MoleculeKey> Keys(IReadOnlyList<string> lines, bool selfies, Func<SelfiesCodec> codec, int threads, CancellationToken stop)
    {
        var keys = new MoleculeKey?[lines.Count];
        var options = new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop };
        Parallel.For(0, lines.Count, options, () => (Codec: codec(), Identity: new MoleculeIdentity()), (i, _, mine) =>
        {
            ReadOnlySpan<char> smiles = lines[i];
            if ((!selfies || mine.Codec.TryDecode(lines[i], out smiles)) && mine.Identity.TryKey(smiles, out MoleculeKey key)) keys[i] = key;
            return mine;
        }, _ => { });
        return keys.OfType<MoleculeKey>();
    }

    private sealed class Measuring(SelfiesCodec codec)
    {
        private readonly SmilesReader reader = new();
        private readonly Molecule molecule = new();
        private readonly MoleculeIdentity identity = new();
        private readonly MurckoScaffold scaffold = new();
        private readonly CircularFingerprint fingerprint = new();
        private readonly ulong[] bits = new ulong[CircularFingerprint.Words];

        public MeasuredMolecule? TryMeasure(string line, bool selfies, List<ulong> prints)
        {
            ReadOnlySpan<char> smiles = line;
            string? symbols = selfies ? line : null;
            if (selfies && !codec.TryDecode(line, out smiles)) return null;
            if (!reader.TryRead(smiles, molecule)) return null;
            MoleculeKey key = identity.Key(molecule);
            MolecularGraph graph = identity.Graph;
            if (!ValenceRules.Allow(graph)) return null;
            fingerprint.Of(graph, bits);
            prints.AddRange(bits);
            if (symbols is null && codec.TryEncode(smiles, out ReadOnlySpan<char> encoded)) symbols = encoded.ToString();
            var measured = new MeasuredMolecule
            {
                Smiles = selfies ? smiles.ToString() : line,
                Key = key,
                Figures = MoleculeFigures.Of(graph, identity.Rings),
                RingSizes = [.. Enumerable.Range(0, identity.Rings.Count).Select(r => (byte)Math.Min(identity.Rings.BondsOf(r).Length, byte.MaxValue))],
                Elements = [.. Enumerable.Range(0, graph.AtomCount).Where(a => graph.Atoms[a].Element > 1).Select(a => graph.Atoms[a].Element)],
                AtomCharges = [.. Enumerable.Range(0, graph.AtomCount).Select(a => graph.Atoms[a].Charge)],
                Selfies = symbols,
            };
            if (identity.Rings.Count == 0) return measured;
            scaffold.Cut(graph, keepStereo: true);
            return measured with { Scaffold = identity.KeyOfGraph() };
        }
    }
}

/// <summary>One molecule of a <see cref="MoleculeSample"/>.</summary>
internal sealed record MeasuredMolecule
{
    public required string Smiles { get; init; }

    public required MoleculeKey Key { get; init; }

    public required MoleculeFigures Figures { get; init; }

    /// <summary>Atoms of each ring.</summary>
    public required byte[] RingSizes { get; init; }

    /// <summary>Atomic number of each heavy atom.</summary>
    public required byte[] Elements { get; init; }

    public required sbyte[] AtomCharges { get; init; }

    /// <summary>Null where the grammar cannot write it.</summary>
    public required string? Selfies { get; init; }

    /// <summary>Null where it has no ring.</summary>
    public MoleculeKey? Scaffold { get; init; }
}

/// <summary>RDKit's limits of valence: as many bonds as the element makes that has its electrons.</summary>
internal static class ValenceRules
{
    public static bool Allow(MolecularGraph graph)
    {
        for (int a = 0; a < graph.AtomCount; a++)
        {
            ref GraphAtom atom = ref graph.Atoms[a];
            if (Most(atom.Element) < int.MaxValue && atom.OrderSum + atom.Hydrogens > Most(atom.Element - atom.Charge)) return false;
        }
        return true;
    }

    private static int Most(int element) => element switch
    {
        2 or 10 or 18 => 0,
        1 or 3 or 9 or 11 or 17 or 19 or 35 => 1,
        4 or 8 or 12 or 20 => 2,
        5 or 7 => 3,
        6 or 32 => 4,
        53 => 5,
        13 or 14 or 16 or 34 or 52 => 6,
        15 or 33 => 7,
        _ => int.MaxValue,
    };
}
