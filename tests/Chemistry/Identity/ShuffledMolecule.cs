using ChemScale.Engine.Chemistry;

namespace ChemScale.Tests.Chemistry.Identity;

/// <summary>The same molecule with its atoms in another order, and each atom's bonds in its own: handedness stays right.</summary>
internal static class ShuffledMolecule
{
    public static Molecule Of(Molecule molecule, Random random)
    {
        int[] order = [.. Enumerable.Range(0, molecule.AtomCount)];
        random.Shuffle(order);
        int[] place = new int[order.Length];
        for (int i = 0; i < order.Length; i++) place[order[i]] = i;
        var shuffled = new Molecule();
        foreach (int a in order) shuffled.AddAtom(molecule.Atoms[a]);
        foreach (Bond bond in molecule.Bonds.ToArray())
        {
            shuffled.AddBond(bond with { Begin = place[bond.Begin], End = place[bond.End] });
        }
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            int[] before = [.. Neighbors(molecule, a).Select(n => place[n])], after = [.. Neighbors(shuffled, place[a])];
            int inversions = 0;
            for (int i = 0; i < before.Length; i++)
                for (int k = i + 1; k < before.Length; k++)
                    if (Array.IndexOf(after, before[i]) > Array.IndexOf(after, before[k])) inversions++;
            if (inversions % 2 != 0) shuffled.Atoms[place[a]].InvertChirality();
        }
        return shuffled;
    }

    private static List<int> Neighbors(Molecule molecule, int atom)
    {
        List<int> found = [];
        foreach (Molecule.Neighbor n in molecule.Neighbors(atom)) found.Add(n.Atom);
        return found;
    }
}
