namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>
/// What a corpus goes through before it is tokenized: stereochemistry off, salts off. Everything else stays as written. A
/// SMILES with neither passes unread. An instance keeps its buffers: use one per thread; a returned span is valid until the next call,
/// or is the input itself.
/// </summary>
/// <param name="stripStereo">
/// Drop @, / and \; brackets that only said so go too, so that [C@@H] becomes C, and [13C@@H] becomes [13CH].
/// </param>
/// <param name="largestFragment">
/// Of fragments that dots divide, keep the one with the most atoms that are not hydrogen, the first of equals.
/// </param>
internal sealed class SmilesFilter(bool stripStereo = true, bool largestFragment = true)
{
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();
    private readonly FragmentChoice fragments = new();
    private readonly TextBuffer text = new();
    private int[] branches = new int[32];

    /// <summary>Why the last SMILES was refused; empty after a success.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Where, as an index into the SMILES; -1 after a success.</summary>
    public int Position { get; private set; } = -1;

    /// <summary>False, with reason and position, where something had to be done to a SMILES that cannot be read.</summary>
    public bool TryClean(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> cleaned)
    {
        Reason = "";
        Position = -1;
        cleaned = smiles;
        bool stereo = stripStereo && smiles.IndexOfAny("@/\\") >= 0;
        bool salts = largestFragment && smiles.Contains('.');
        if (!stereo && !salts) return true;
        cleaned = default;
        if (!reader.TryRead(smiles, molecule))
        {
            (Reason, Position) = (reader.Reason, reader.Position);
            return false;
        }
        if (salts && !fragments.TryChoose(smiles, molecule, reader.Places, out int dot))
        {
            (Reason, Position) = ("dot inside a branch", dot);
            return false;
        }
        text.Clear();
        Write(smiles, stereo, salts);
        cleaned = text.Text;
        return true;
    }

    private void Write(ReadOnlySpan<char> smiles, bool stereo, bool salts)
    {
        int atom = 0; // the next one in the text
        int current = -1; // the one that a bond would start from
        int depth = 0;
        int fragment = 0;
        bool keep = !salts || fragments.IsChosen(0);
        for (int i = 0; i < smiles.Length;)
        {
            if (atom < molecule.AtomCount && reader.Places[atom].Start == i)
            {
                if (keep) WriteAtom(smiles, atom, stereo);
                i = reader.Places[atom].End;
                current = atom++;
                continue;
            }
            char c = smiles[i++];
            if (c == '.' && salts)
            {
                keep = fragments.IsChosen(++fragment);
                if (keep && text.Length > 0) text.Append('.');
                continue;
            }
            if (c == '(')
            {
                if (depth == branches.Length) Array.Resize(ref branches, 2 * depth);
                branches[depth++] = current;
            }
            else if (c == ')')
            {
                current = branches[--depth];
            }
            else if (stereo && c is '/' or '\\')
            {
                // Between small atoms, no sign at all would be an aromatic bond.
                if (!molecule.Atoms[current].Aromatic) continue;
                bool label = atom == molecule.AtomCount || reader.Places[atom].Start != i;
                if (!label && !molecule.Atoms[atom].Aromatic) continue;
                c = '-';
            }
            if (keep) text.Append(c);
        }
    }

    private void WriteAtom(ReadOnlySpan<char> smiles, int index, bool stereo)
    {
        AtomPlace place = reader.Places[index];
        if (!stereo || place.ChiralityStart < 0)
        {
            text.Append(smiles[place.Start..place.End]);
            return;
        }
        ref Atom atom = ref molecule.Atoms[index];
        bool bare = atom.Isotope == 0 && atom.Charge == 0 && atom.Map == 0 && BareAtom.Says(molecule, index, atom.Aromatic);
        if (bare)
        {
            text.Append(smiles[(place.Start + 1)..place.ChiralityStart].TrimStart('0'));
            return;
        }
        text.Append(smiles[place.Start..place.ChiralityStart]);
        text.Append(smiles[place.ChiralityEnd..place.End]);
    }
}

/// <summary>Picks, among the fragments of a SMILES that dots divide, the one with the most heavy atoms.</summary>
internal sealed class FragmentChoice
{
    private int[] group = new int[16]; // per fragment, the first fragment it is bonded with: ring labels may cross dots
    private int[] heavyAtoms = new int[16];
    private int[] fragmentOf = new int[64]; // per atom
    private int chosen;

    public bool IsChosen(int fragment) => Group(fragment) == chosen;

    /// <summary>False where a dot stands in a branch, so that fragments are no stretches of the text.</summary>
    public bool TryChoose(ReadOnlySpan<char> smiles, Molecule molecule, ReadOnlySpan<AtomPlace> places, out int dot)
    {
        dot = -1;
        if (fragmentOf.Length < molecule.AtomCount) fragmentOf = new int[2 * molecule.AtomCount];
        int count = 0;
        int depth = 0;
        int atom = 0;
        Begin(count++);
        for (int i = 0; i < smiles.Length;)
        {
            if (atom < molecule.AtomCount && places[atom].Start == i)
            {
                fragmentOf[atom] = count - 1;
                if (molecule.Atoms[atom].Element != 1) heavyAtoms[count - 1]++;
                i = places[atom++].End;
                continue;
            }
            char c = smiles[i++];
            if (c == '(') depth++;
            else if (c == ')') depth--;
            else if (c == '.' && depth == 0) Begin(count++);
            else if (c == '.')
            {
                dot = i - 1;
                return false;
            }
        }
        foreach (ref Bond bond in molecule.Bonds)
        {
            if (bond.RingClosure) Join(fragmentOf[bond.Begin], fragmentOf[bond.End]);
        }
        chosen = 0;
        for (int f = 0; f < count; f++)
        {
            if (group[f] == f && heavyAtoms[f] > heavyAtoms[chosen]) chosen = f;
        }
        return true;
    }

    private void Begin(int fragment)
    {
        if (fragment == group.Length)
        {
            Array.Resize(ref group, 2 * fragment);
            Array.Resize(ref heavyAtoms, 2 * fragment);
        }
        group[fragment] = fragment;
        heavyAtoms[fragment] = 0;
    }

    private void Join(int a, int b)
    {
        a = Group(a);
        b = Group(b);
        if (a == b) return;
        if (a > b) (a, b) = (b, a);
        group[b] = a;
        heavyAtoms[a] += heavyAtoms[b];
    }

    private int Group(int fragment)
    {
        while (group[fragment] != fragment) fragment = group[fragment];
        return fragment;
    }
}
