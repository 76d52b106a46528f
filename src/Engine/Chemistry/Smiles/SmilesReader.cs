namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>
/// Reads SMILES (OpenSMILES 1.0): organic subset and bracket atoms, all bond symbols, ring labels to %99 and %(999), dots, aromatic
/// atoms, which are given a Kekule structure, and stereochemistry. Hydrogens that are implied are counted. An instance
/// keeps its buffers: use one per thread; reading allocates only while molecules grow.
/// </summary>
public sealed class SmilesReader
{
    private readonly OpenRings rings = new();
    private readonly RingBonds ringBonds = new();
    private readonly KekuleStructure kekule = new();
    private (int Atom, int Position)[] branches = new (int, int)[32];
    private bool[] bracket = new bool[64];
    private AtomPlace[] places = new AtomPlace[64];

    /// <summary>What was wrong with the last SMILES, one line, stable enough to count by; empty after a success.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Where it was wrong, as an index into the SMILES; -1 after a success.</summary>
    public int Position { get; private set; }

    /// <summary>Where each atom of the last SMILES stands in it.</summary>
    internal ReadOnlySpan<AtomPlace> Places => places;

    /// <summary>One SMILES to a new molecule.</summary>
    /// <exception cref="InputException">It is not one; the message says why and where.</exception>
    public static Molecule Parse(string smiles)
    {
        var reader = new SmilesReader();
        var molecule = new Molecule();
        if (reader.TryRead(smiles, molecule)) return molecule;
        throw new InputException($"SMILES, character {reader.Position + 1}", reader.Reason);
    }

    /// <summary>Replaces the content of <paramref name="molecule"/>; false, with reason and position, if this is no SMILES.</summary>
    public bool TryRead(ReadOnlySpan<char> smiles, Molecule molecule)
    {
        rings.Clear();
        Reason = "";
        Position = -1;
        molecule.Clear();
        return TryReadAtoms(smiles, molecule) && TryClose(molecule);
    }

    private bool TryReadAtoms(ReadOnlySpan<char> smiles, Molecule molecule)
    {
        int depth = 0;
        int previous = -1;
        bool needsAtom = true; // at the start of a chain
        int i = 0;
        while (i < smiles.Length)
        {
            char c = smiles[i];
            if (c == '.')
            {
                if (needsAtom && (previous < 0 || smiles[i - 1] != '(')) return Fail(i, "empty fragment");
                previous = -1;
                needsAtom = true;
                i++;
                continue;
            }

            char bond = '\0';
            int bondPosition = i;
            if (c is '-' or '=' or '#' or '$' or ':' or '/' or '\\')
            {
                if (previous < 0) return Fail(i, "bond without atom");
                bond = c;
                if (++i == smiles.Length) return Fail(bondPosition, "bond without atom");
                c = smiles[i];
            }

            int start = i;
            if (c == '[' || c == '*' || char.IsAsciiLetter(c))
            {
                if (!TryReadAtom(smiles, ref i, molecule)) return false;
                int atom = molecule.AtomCount - 1;
                if (previous >= 0 && !TryBond(molecule, previous, atom, bond, bondPosition)) return false;
                previous = atom;
                needsAtom = false;
            }
            else if (c is '(' or ')')
            {
                if (bond != '\0') return Fail(bondPosition, "bond without atom");
                if (c == ')' && depth == 0) return Fail(i, "branch closed but not opened");
                if (needsAtom) return Fail(i, c == '(' ? "branch without atom before it" : "empty branch");
                if (c == '(')
                {
                    if (depth == branches.Length) Array.Resize(ref branches, 2 * depth);
                    branches[depth++] = (previous, i);
                    needsAtom = true;
                }
                else
                {
                    previous = branches[--depth].Atom;
                }
                i++;
            }
            else if (char.IsAsciiDigit(c) || c == '%')
            {
                if (!OpenRings.TryReadLabel(smiles, ref i, out int label)) return Fail(start, "ring label without number");
                if (needsAtom) return Fail(start, "ring label without atom before it");
                if (rings.Meet(molecule, label, previous, bond, start) is { } reason) return Fail(start, reason);
            }
            else
            {
                return Fail(i, "unexpected character");
            }
        }
        if (depth > 0) return Fail(branches[depth - 1].Position, "unclosed branch");
        if (needsAtom) return Fail(Math.Max(0, smiles.Length - 1), molecule.AtomCount == 0 ? "no atoms" : "empty fragment");
        return rings.Count == 0 || FailOpenRing();
    }

    private bool TryReadAtom(ReadOnlySpan<char> smiles, ref int i, Molecule molecule)
    {
        int index = molecule.AtomCount;
        if (index == bracket.Length)
        {
            Array.Resize(ref bracket, 2 * index);
            Array.Resize(ref places, 2 * index);
        }
        ref AtomPlace place = ref places[index];
        place = new AtomPlace { Start = i, ChiralityStart = -1, ChiralityEnd = -1 };
        var atom = default(Atom);
        char c = smiles[i];
        bracket[index] = c is '[' or '*';
        if (c == '[')
        {
            var reader = new BracketAtom(smiles, i);
            string? reason = reader.Read(out atom);
            if (reason == "unclosed bracket") return Fail(i, reason);
            if (reason is not null) return Fail(reader.Position, reason);
            place.ChiralityStart = reader.ChiralityStart;
            place.ChiralityEnd = reader.ChiralityEnd;
            i = reader.Position;
        }
        else if (c != '*')
        {
            int element = AtomLetters.Organic(c);
            if (element < 0)
            {
                element = AtomLetters.Aromatic(c);
                if (element < 0) return Fail(i, "unknown element");
                atom.Aromatic = true;
            }
            else if (i + 1 < smiles.Length)
            {
                if (c == 'C' && smiles[i + 1] == 'l') (element, i) = (17, i + 1);
                else if (c == 'B' && smiles[i + 1] == 'r') (element, i) = (35, i + 1);
            }
            atom.Element = (byte)element;
            i++;
        }
        else
        {
            i++;
        }
        place.End = i;
        molecule.AddAtom(atom);
        return true;
    }

    private bool TryBond(Molecule molecule, int begin, int end, char symbol, int position)
    {
        if (!BondSymbol.TryRead(molecule, begin, end, symbol, out Bond bond)) return Fail(position, BondSymbol.NotAromatic);
        molecule.AddBond(bond);
        return true;
    }

    // What can only be said when all bonds are there: which aromatic bonds are, double bonds, hydrogens, handedness.
    private bool TryClose(Molecule molecule)
    {
        Span<Atom> atoms = molecule.Atoms;
        bool aromatic = false;
        foreach (ref Atom atom in atoms) aromatic |= atom.Aromatic;
        if (aromatic && !TryKekulize(molecule)) return false;
        for (int a = 0; a < atoms.Length; a++)
        {
            ref Atom atom = ref atoms[a];
            if (!bracket[a]) atom.Hydrogens = (byte)Valence.ImpliedHydrogens(atom.Element, molecule.OrderSum(a));
            if (atom.Chirality != Chirality.None && molecule.Degree(a) == 3 && UnwrittenNeighbor.IsSecond(molecule, a, HasParent(molecule, a), Rings(molecule, a)))
                atom.InvertChirality();
        }
        return true;
    }

    private bool TryKekulize(Molecule molecule)
    {
        ringBonds.Find(molecule);
        for (int b = 0; b < molecule.BondCount; b++) molecule.Bonds[b].Aromatic &= ringBonds.Contains(b);
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            if (!molecule.Atoms[a].Aromatic) continue;
            bool onRing = false;
            foreach (Molecule.Neighbor n in molecule.Neighbors(a)) onRing |= ringBonds.Contains(n.Bond);
            if (!onRing) return Fail(places[a].Start, "aromatic atom outside a ring");
        }
        int stuck = kekule.Place(molecule, bracket);
        return stuck < 0 || Fail(places[stuck].Start, "no Kekule structure");
    }

    private static bool HasParent(Molecule molecule, int atom)
    {
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom)) return n.Atom < atom && !molecule.Bonds[n.Bond].RingClosure;
        return false;
    }

    private static int Rings(Molecule molecule, int atom)
    {
        int rings = 0;
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom)) rings += molecule.Bonds[n.Bond].RingClosure ? 1 : 0;
        return rings;
    }

    private bool FailOpenRing()
    {
        (int label, int position) = rings.First();
        return Fail(position, UnclosedRing.Reason(label));
    }

    private bool Fail(int position, string reason)
    {
        Position = position;
        Reason = reason;
        return false;
    }
}
