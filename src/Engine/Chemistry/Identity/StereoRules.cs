namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// Which tags may be stereo at all, as RDKit and InChI have it: atoms of four neighbours, hydrogens included; three-bonded nitrogen only in three-rings
/// and at bridgeheads, phosphorus, arsenic and sulfur with a lone pair; double bonds outside rings of seven or fewer that are not aromatic.
/// </summary>
internal static class StereoRules
{
    private const int SmallestRing = 8;

    public static void Apply(MolecularGraph graph, RingSearch rings)
    {
        bool any = false;
        for (int a = 0; a < graph.AtomCount; a++)
        {
            ref GraphAtom atom = ref graph.Atoms[a];
            if (atom.Chirality == Chirality.None) continue;
            if (!MayBeCenter(graph, rings, a)) atom.Chirality = Chirality.None;
            any |= atom.Chirality != Chirality.None;
        }
        for (int b = 0; b < graph.BondCount; b++)
        {
            ref GraphBond bond = ref graph.Bonds[b];
            if (bond.Stereo == BondStereo.None) continue;
            if (bond.Aromatic || bond.Order != 2 || (bond.InRing && InSmallRing(rings, b))) bond.Stereo = BondStereo.None;
            any |= bond.Stereo != BondStereo.None;
        }
        graph.HasStereo = any;
    }

    private static bool MayBeCenter(MolecularGraph graph, RingSearch rings, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        if (atom.Degree == 4) return atom.Hydrogens == 0 && !HasDoubleOfCarbon(graph, index);
        if (atom.Degree != 3) return false;
        if (atom.Hydrogens == 1) return atom.OrderSum == 3 || atom.Element is not (6 or 7);
        if (atom.Hydrogens > 1) return false;
        return atom.Element switch
        {
            7 => atom.OrderSum == 3 && (InRingOf(rings, index, 3) || IsBridgehead(graph, rings, index)),
            15 or 33 => true,
            16 or 34 => atom.OrderSum == 4 || (atom.OrderSum == 3 && atom.Charge == 1),
            _ => false,
        };
    }

    // Planar: no handedness.
    private static bool HasDoubleOfCarbon(MolecularGraph graph, int index) => graph.Atoms[index] is { Element: 6 or 7, OrderSum: > 4 };

    private static bool InSmallRing(RingSearch rings, int bond)
    {
        for (int r = 0; r < rings.Count; r++)
            if (rings.BondsOf(r).Length < SmallestRing && rings.BondsOf(r).Contains(bond)) return true;
        return false;
    }

    private static bool InRingOf(RingSearch rings, int atom, int size)
    {
        for (int r = 0; r < rings.Count; r++)
            if (rings.AtomsOf(r).Length == size && rings.AtomsOf(r).Contains(atom)) return true;
        return false;
    }

    // All of its bonds are in rings, two of which share two bonds or more.
    private static bool IsBridgehead(MolecularGraph graph, RingSearch rings, int atom)
    {
        ref GraphAtom center = ref graph.Atoms[atom];
        for (int i = center.First; i < center.First + center.Degree; i++)
            if (!graph.Bonds[graph.Links[i].Bond].InRing) return false;
        for (int r = 0; r < rings.Count; r++)
        {
            if (!rings.AtomsOf(r).Contains(atom)) continue;
            for (int s = 0; s < r; s++)
            {
                if (!rings.AtomsOf(s).Contains(atom)) continue;
                int shared = 0;
                foreach (int b in rings.BondsOf(r))
                    if (rings.BondsOf(s).Contains(b)) shared++;
                if (shared > 1) return true;
            }
        }
        return false;
    }
}
