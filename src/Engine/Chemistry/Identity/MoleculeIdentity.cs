using System.Globalization;
using System.Runtime.InteropServices;
using ChemScale.Engine.Chemistry.Smiles;
using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// What makes two molecules one: the same atoms (element, isotope, charge, hydrogens), bonds and stereo in any order of writing, Kekule or aromatic, with
/// hydrogens counted or written. Neutral five-bonded nitrogen (nitro, azide) and its like equal their charge-separated form. Tautomers, other
/// resonance forms and salts differ; atom maps say nothing. An instance keeps its buffers: use one per thread; a returned span is valid until the
/// next call.
/// </summary>
public sealed class MoleculeIdentity
{
    private readonly MolecularGraph graph = new();
    private readonly RingSearch rings = new();
    private readonly Aromaticity aromaticity = new();
    private readonly CanonicalOrder order = new();
    private readonly Certificate certificate = new();
    private readonly CanonicalMolecule canonical = new();
    private readonly SmilesWriter writer = new();
    private readonly SmilesReader reader = new();
    private readonly Molecule read = new();

    /// <summary>Why the last SMILES was refused; empty after a success.</summary>
    public string Reason => reader.Reason;

    /// <summary>The graph of the last molecule, aromaticity perceived and spurious stereo gone.</summary>
    internal MolecularGraph Graph => graph;

    /// <summary>Its rings.</summary>
    internal RingSearch Rings => rings;

    /// <summary>The key of a molecule: equal molecules have equal ones, others differ but for a chance of 2^-128.</summary>
    public MoleculeKey Key(Molecule molecule)
    {
        Number(molecule);
        return NumberedKey();
    }

    /// <summary>The key of a SMILES; false, with <see cref="Reason"/>, if it is none.</summary>
    public bool TryKey(ReadOnlySpan<char> smiles, out MoleculeKey key)
    {
        key = default;
        if (!reader.TryRead(smiles, read)) return false;
        key = Key(read);
        return true;
    }

    /// <summary>The molecule as SMILES that depends on nothing but the molecule.</summary>
    /// <exception cref="InputException">More than 1,000 rings are open at one place.</exception>
    public ReadOnlySpan<char> CanonicalSmiles(Molecule molecule)
    {
        Number(molecule);
        return WriteNumbered();
    }

    /// <summary>The canonical SMILES of a SMILES; false, with <see cref="Reason"/>, if it is none.</summary>
    public bool TryCanonicalSmiles(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> canonical)
    {
        canonical = default;
        if (!reader.TryRead(smiles, read)) return false;
        canonical = CanonicalSmiles(read);
        return true;
    }

    /// <summary>Normalises, finds rings and aromaticity, and what may be stereo; numbers nothing.</summary>
    internal void Perceive(Molecule molecule)
    {
        graph.Load(molecule);
        rings.Find(graph);
        aromaticity.Perceive(graph, rings);
        if (graph.HasStereo) StereoRules.Apply(graph, rings);
    }

    /// <summary>The key of what the graph holds now, perceived and perhaps cut down since.</summary>
    internal MoleculeKey KeyOfGraph()
    {
        order.Find(graph);
        return NumberedKey();
    }

    private void Number(Molecule molecule)
    {
        Perceive(molecule);
        order.Find(graph);
    }

    private MoleculeKey NumberedKey()
    {
        order.Describe(certificate);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(certificate.Words);
        return new MoleculeKey(StableHash.Of(bytes, 0), StableHash.Of(bytes, 0x9E3779B97F4A7C15));
    }

    private ReadOnlySpan<char> WriteNumbered() => writer.Write(canonical.Of(graph, order));
}

/// <summary>A molecule's identity in 128 bits, the same on every machine.</summary>
/// <param name="High">The upper half; by itself the place of the molecule in a store.</param>
/// <param name="Low">The lower half.</param>
public readonly record struct MoleculeKey(ulong High, ulong Low)
{
    /// <summary>32 hexadecimal digits.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{High:x16}{Low:x16}");
}

/// <summary>
/// Molecules met so far, by <see cref="MoleculeKey"/>: counts the distinct ones of a generation and those that another set lacks. Sixteen bytes a
/// molecule and a hash table's room. One thread.
/// </summary>
public sealed class MoleculeSet
{
    private readonly HashSet<MoleculeKey> keys = [];
    private readonly MoleculeIdentity identity = new();

    /// <summary>Distinct molecules.</summary>
    public long Count => keys.Count;

    /// <summary>Adds a molecule; false where it was there already.</summary>
    public bool Add(MoleculeKey key) => keys.Add(key);

    /// <summary>Adds the molecule of a SMILES; null where it is none, false where the molecule was there already.</summary>
    public bool? Add(ReadOnlySpan<char> smiles) => identity.TryKey(smiles, out MoleculeKey key) ? keys.Add(key) : null;

    public bool Contains(MoleculeKey key) => keys.Contains(key);
}
