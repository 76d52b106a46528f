namespace ChemScale.Engine.Chemistry.Smiles;

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
