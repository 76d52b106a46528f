namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>Whether a symbol without brackets says all there is to say of an atom's hydrogens and double bonds.</summary>
internal static class BareAtom
{
    /// <param name="molecule">Its bonds decide.</param>
    /// <param name="index">An atom without isotope, charge, map number or handedness.</param>
    /// <param name="small">Whether it is to be written small.</param>
    public static bool Says(Molecule molecule, int index, bool small)
    {
        ref Atom atom = ref molecule.Atoms[index];
        if (atom.Element == 0) return !small && atom.Hydrogens == 0;
        if (!Valence.IsOrganic(atom.Element)) return false;
        if (Valence.ImpliedHydrogens(atom.Element, molecule.OrderSum(index)) != atom.Hydrogens) return false;
        if (!small) return true;
        if (AtomLetters.Aromatic(char.ToLowerInvariant(PeriodicTable.Symbol(atom.Element)[0])) != atom.Element) return false;

        // A small bare atom takes a double bond wherever its valence has room for one: [nH] must keep its brackets.
        int used = 0;
        bool hasAromatic = false;
        bool hasDouble = false;
        foreach (Molecule.Neighbor n in molecule.Neighbors(index))
        {
            ref Bond bond = ref molecule.Bonds[n.Bond];
            used += bond.Aromatic ? 1 : (int)bond.Order;
            hasAromatic |= bond.Aromatic;
            hasDouble |= bond.Aromatic && bond.Order == BondOrder.Double;
        }
        return !hasAromatic || hasDouble == Valence.NeedsDoubleBond(atom.Element, used);
    }
}
