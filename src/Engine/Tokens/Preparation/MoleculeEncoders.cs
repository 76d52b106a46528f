using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>What one worker does with a block: every molecule to ids and a key, or refused with a reason.</summary>
internal sealed class BlockEncoder(IBlockReader reader, IMoleculeEncoder encoder, IIdAssigner assigner, MoleculePlacer placer, int maximumTokens)
{
    // Beyond any molecule of so few tokens, and a bound to what the chemistry is given.
    private const int MaximumCharacters = 10_000;

    public void Encode(MoleculeBlock block) => reader.ForEach(block, Encode);

    private void Encode(MoleculeBlock block, long line, ReadOnlySpan<char> molecule)
    {
        string? reason = null;
        ReadOnlySpan<char> written = default;
        if (molecule.Length > MaximumCharacters) reason = $"more than {MaximumCharacters} characters";
        else if (!encoder.TryEncode(molecule, out written)) reason = encoder.Reason;
        reason ??= written.Length == 0 ? "an empty molecule" : Assign(block, line, written);
        if (reason is not null)
        {
            block.Refuse(line, reason, molecule);
            return;
        }
        if (encoder.IsChanged) block.Change(line, "decodes to another molecule: the grammar knows fewer bonds", molecule);
        if (encoder.IsCut) block.Change(line, "several fragments, of which the largest is taken", molecule);
        if (assigner.Unknown is { } unknown) NoteUnknown(block, line, written, unknown);
    }

    // The separator of fragments is the symbol that vocabularies lack most often, and says something else than an element that they lack.
    private void NoteUnknown(MoleculeBlock block, long line, ReadOnlySpan<char> written, ushort unknown)
    {
        MoleculeRecord record = block.Molecules[^1];
        int count = block.Ids(record).Count(unknown);
        int dots = assigner.HasSeparator ? 0 : written.Count('.');
        if (dots > 0) block.Change(line, "fragments are separated by a dot, which the tokenizer has not: unknown", written);
        if (count > dots) block.Change(line, "symbols that the tokenizer has not: unknown", written);
    }

    private string? Assign(MoleculeBlock block, long line, ReadOnlySpan<char> written)
    {
        Span<ushort> ids = block.Room(written.Length + 2);
        int count = assigner.Assign(written, ids);
        if (count < 0) return "more tokens than the truncation.max_length of the tokenizer file";
        if (count > maximumTokens) return $"more than {maximumTokens} tokens";
        foreach (ushort id in ids[1..(count - 1)])
            if (assigner.IsForbidden(id)) return "a special token inside the molecule";
        block.Take(line, placer.Place(written), count);
        return null;
    }
}

/// <summary>Whether a vocabulary can say stereo.</summary>
internal static class StereoSymbols
{
    public static bool Has(Vocabulary vocabulary)
    {
        for (int id = 0; id < vocabulary.Size; id++)
            if (!vocabulary.IsSpecial(id) && vocabulary.Text(id).AsSpan().IndexOfAny("@/\\") >= 0) return true;
        return false;
    }
}

/// <summary>Makes encoders.</summary>
internal static class MoleculeEncoders
{
    /// <param name="options">What the input holds and how it is cleaned.</param>
    /// <param name="notation">What comes of it. Input that is SELFIES is of its grammar and constraints, whatever comes of it.</param>
    public static IMoleculeEncoder Create(PreparationOptions options, Notation notation) => options.Kind switch
    {
        MoleculeKind.Smiles => new SmilesEncoder(options, notation),
        _ when notation.IsSmiles || notation.Canonical => new DecodingEncoder(options, notation),
        _ => new SelfiesEncoder(),
    };
}

/// <summary>Input that is SELFIES, written in another way.</summary>
internal sealed class DecodingEncoder(PreparationOptions options, Notation notation) : IMoleculeEncoder
{
    private readonly SelfiesCodec codec = SelfiesCodec.Create(notation.Grammar, notation.Constraints);
    private readonly SmilesEncoder encoder = new(options with { KeepStereo = true, Fragments = FragmentRule.All }, notation);

    public string Reason { get; private set; } = "";

    public bool IsChanged => encoder.IsChanged;

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> written)
    {
        written = default;
        bool done = codec.TryDecode(molecule, out ReadOnlySpan<char> smiles) && encoder.TryEncode(smiles, out written);
        Reason = done ? "" : codec.Reason.Length > 0 ? codec.Reason : encoder.Reason;
        return done;
    }
}

/// <summary>Input that is SELFIES already: checked for its form only.</summary>
internal sealed class SelfiesEncoder : IMoleculeEncoder
{
    public string Reason { get; private set; } = "";

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies)
    {
        selfies = molecule;
        for (ReadOnlySpan<char> rest = molecule; rest.Length > 0;)
        {
            int length = rest[0] == '.' ? 1 : BracketSplit.SymbolLength(rest);
            if (length == 0 || length == 2)
            {
                Reason = "not SELFIES: a symbol in brackets expected";
                return false;
            }
            rest = rest[length..];
        }
        return true;
    }
}

/// <summary>SMILES, checked, cleaned as the options say and written one way where that is asked for, to SELFIES or as they are.</summary>
internal sealed class SmilesEncoder(PreparationOptions options, Notation notation) : IMoleculeEncoder
{
    // The package selfies 1.0.4 makes symbols of anything in brackets and overlooks stray parentheses: a corpus should not.
    private readonly SmilesReader? reader = notation.IsSmiles || notation.Grammar == SelfiesGrammar.V1 ? new SmilesReader() : null;
    private readonly Molecule molecule = new();
    private readonly SmilesFilter filter = new(!options.KeepStereo, options.Fragments == FragmentRule.Largest);
    private readonly MoleculeIdentity? identity = notation.Canonical ? new MoleculeIdentity() : null;
    private readonly SelfiesCodec? codec = notation.CreateCodec();
    private readonly bool oneFragment = options.Fragments == FragmentRule.Refuse;
    private readonly bool largest = options.Fragments == FragmentRule.Largest;
    private readonly GraphCheck? check =
        !notation.IsSmiles && notation.Grammar == SelfiesGrammar.V1 ? new GraphCheck(options.KeepStereo, notation.Constraints) : null;

    public string Reason { get; private set; } = "";

    public bool IsChanged { get; private set; }

    public bool IsCut { get; private set; }

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> written)
    {
        written = default;
        IsChanged = false;
        IsCut = largest && molecule.Contains('.');
        if (oneFragment && molecule.Contains('.')) return Refuse("more than one fragment");
        if (reader is not null && !reader.TryRead(molecule, this.molecule)) return Refuse(reader.Reason);
        if (!filter.TryClean(molecule, out ReadOnlySpan<char> cleaned)) return Refuse(filter.Reason);
        if (identity is not null && !TryOrder(ref cleaned)) return false;
        if (codec is null) written = cleaned;
        else if (!codec.TryEncode(cleaned, out written)) return Refuse(codec.Reason);
        IsChanged = check?.IsChanged(this.molecule, cleaned, written) == true;
        return true;
    }

    private bool TryOrder(ref ReadOnlySpan<char> smiles)
    {
        try
        {
            if (!identity!.TryCanonicalSmiles(smiles, out ReadOnlySpan<char> canonical)) return Refuse(identity.Reason);
            smiles = canonical;
            return true;
        }
        catch (InputException e)
        {
            return Refuse(e.Message);
        }
    }

    private bool Refuse(string reason)
    {
        Reason = reason;
        return false;
    }
}

/// <summary>
/// Whether SELFIES 1.0.4 decode to the molecule that they were made of. Looked at where an atom has more bonds than that grammar gives it,
/// as nitrogen of N(=O)=O, or where atoms or double bonds have a handedness that is kept: nothing else is changed, and decoding takes as long
/// as encoding.
/// </summary>
internal sealed class GraphCheck(bool keepStereo, BondConstraints? constraints)
{
    private readonly SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V1, constraints);
    private readonly SmilesReader reader = new();
    private readonly Molecule before = new(), after = new();

    /// <param name="molecule">As it was read, all its fragments.</param>
    /// <param name="smiles">What was encoded.</param>
    /// <param name="selfies">What became of it.</param>
    public bool IsChanged(Molecule molecule, ReadOnlySpan<char> smiles, ReadOnlySpan<char> selfies)
    {
        if (!MayChange(molecule) || !reader.TryRead(smiles, before)) return false;
        return !codec.TryDecode(selfies, out ReadOnlySpan<char> decoded) || !reader.TryRead(decoded, after) || !Same();
    }

    private bool MayChange(Molecule molecule)
    {
        foreach (ref readonly Bond bond in molecule.Bonds)
            if (keepStereo && bond.Direction != BondDirection.None) return true;
        for (int i = 0; i < molecule.AtomCount; i++)
        {
            ref Atom atom = ref molecule.Atoms[i];
            if (keepStereo && atom.Chirality != Chirality.None) return true;
            if (molecule.OrderSum(i) + atom.Hydrogens > codec.Constraints.Of(atom.Element, atom.Charge)) return true;
        }
        return false;
    }

    // Both grammars write atoms in the order of the SMILES; a bond's order depends on the Kekule structure chosen, the sum at an atom does not.
    private bool Same()
    {
        if (before.AtomCount != after.AtomCount || before.BondCount != after.BondCount) return false;
        for (int i = 0; i < before.AtomCount; i++)
        {
            Atom a = before.Atoms[i], b = after.Atoms[i];
            if ((a.Element, a.Charge, a.Isotope, a.Hydrogens) != (b.Element, b.Charge, b.Isotope, b.Hydrogens)) return false;
            if (before.OrderSum(i) != after.OrderSum(i) || before.Degree(i) != after.Degree(i)) return false;
            if (keepStereo && !SameHand(i, a.Chirality, b.Chirality)) return false;
            foreach (Molecule.Neighbor neighbor in before.Neighbors(i))
                if (!AreBonded(after, i, neighbor.Atom)) return false;
        }
        return !keepStereo || SameSides();
    }

    /// <summary>Seen along neighbours in one order: a hand is said of the order in which they stand.</summary>
    private bool SameHand(int atom, Chirality a, Chirality b)
    {
        if (a == Chirality.None || b == Chirality.None) return a == b;
        List<int> order = [];
        foreach (Molecule.Neighbor neighbor in before.Neighbors(atom)) order.Add(neighbor.Atom);
        bool odd = false;
        int at = 0;
        foreach (Molecule.Neighbor neighbor in after.Neighbors(atom))
        {
            int place = order.IndexOf(neighbor.Atom, at);
            if (place < 0) return false;
            if (place != at) (order[at], order[place], odd) = (order[place], order[at], !odd);
            at++;
        }
        return (a == b) != odd;
    }

    /// <summary>What lies on one side of a double bond lies there still.</summary>
    private bool SameSides()
    {
        foreach (ref readonly Bond bond in before.Bonds)
        {
            if (bond.Order != Chemistry.BondOrder.Double || bond.Aromatic) continue;
            (int Atom, bool Up)? a = Marked(before, bond.Begin, bond.End), b = Marked(before, bond.End, bond.Begin);
            (int Atom, bool Up)? c = Marked(after, bond.Begin, bond.End), d = Marked(after, bond.End, bond.Begin);
            bool said = a is not null && b is not null, saidAfter = c is not null && d is not null;
            if (said != saidAfter) return false;
            if (!said) continue;
            // The other substituent of an end lies on the other side.
            bool together = (a!.Value.Up == b!.Value.Up) ^ (a.Value.Atom != c!.Value.Atom) ^ (b.Value.Atom != d!.Value.Atom);
            if (together != (c.Value.Up == d.Value.Up)) return false;
        }
        return true;
    }

    /// <summary>A neighbour of an end of a double bond whose bond says where it points, seen from that end.</summary>
    private static (int Atom, bool Up)? Marked(Molecule molecule, int end, int other)
    {
        foreach (Molecule.Neighbor neighbor in molecule.Neighbors(end))
        {
            Bond bond = molecule.Bonds[neighbor.Bond];
            if (neighbor.Atom != other && bond.Direction != BondDirection.None)
                return (neighbor.Atom, (bond.Direction == BondDirection.Up) == (bond.Begin == end));
        }
        return null;
    }

    private static bool AreBonded(Molecule molecule, int atom, int other)
    {
        foreach (Molecule.Neighbor neighbor in molecule.Neighbors(atom))
            if (neighbor.Atom == other) return true;
        return false;
    }
}
