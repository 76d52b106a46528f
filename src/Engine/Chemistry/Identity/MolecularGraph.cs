namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// A molecule as identity sees it: hydrogens that say nothing of their own are counts, charge-separated groups have one form, neighbours lie
/// side by side. Double-bond stereo is kept as relations of neighbours, not as slashes. One instance holds one molecule after another.
/// </summary>
internal sealed class MolecularGraph
{
    private int[] place = new int[64]; // per atom of the molecule: its atom here, or -1 where it is a count

    public int AtomCount { get; private set; }

    public int BondCount { get; private set; }

    public GraphAtom[] Atoms { get; private set; } = new GraphAtom[64];

    public GraphBond[] Bonds { get; private set; } = new GraphBond[64];

    /// <summary>Neighbours of atom a: from its First on, Degree of them, in the order that handedness refers to.</summary>
    public GraphLink[] Links { get; private set; } = new GraphLink[128];

    /// <summary>True where any handedness or double-bond stereo was given.</summary>
    public bool HasStereo { get; set; }

    public void Load(Molecule molecule)
    {
        Reserve(molecule.AtomCount, molecule.BondCount);
        Span<Atom> atoms = molecule.Atoms;
        AtomCount = 0;
        HasStereo = false;
        for (int a = 0; a < atoms.Length; a++)
        {
            ref Atom atom = ref atoms[a];
            if (atom.Element == 1 && IsCount(molecule, a))
            {
                place[a] = -1;
                continue;
            }
            place[a] = AtomCount;
            HasStereo |= atom.Chirality != Chirality.None;
            Atoms[AtomCount++] = new GraphAtom
            {
                Element = atom.Element,
                Hydrogens = atom.Hydrogens,
                Charge = atom.Charge,
                Isotope = atom.Isotope,
                Chirality = atom.Chirality,
            };
        }
        bool directions = LoadBonds(molecule);
        if (AtomCount < atoms.Length) CountHydrogens(molecule);
        if (directions) LoadDoubleBondStereo(molecule);
        for (int a = 0; a < AtomCount; a++)
            if (Atoms[a].OrderSum > 2 && Atoms[a].Element != 6) GroupForms.Normalize(this, a);
    }

    public void DropStereo()
    {
        if (!HasStereo) return;
        HasStereo = false;
        for (int a = 0; a < AtomCount; a++) Atoms[a].Chirality = Chirality.None;
        for (int b = 0; b < BondCount; b++) Bonds[b].Stereo = BondStereo.None;
    }

    /// <summary>The first bond between two atoms; -1 where there is none.</summary>
    public int Between(int a, int b)
    {
        ref GraphAtom atom = ref Atoms[a];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (Links[i].Atom == b) return Links[i].Bond;
        return -1;
    }

    /// <summary>
    /// Drops atoms, as RDKit does: an atom that loses a bond has as many hydrogens as its element implies beside those left (an aromatic one, one for the bond),
    /// no handedness, and no stereo of its double bond where the neighbour goes by which it was written. Rings and aromaticity are not looked at again.
    /// </summary>
    /// <param name="keep">Per atom.</param>
    public void Keep(ReadOnlySpan<bool> keep)
    {
        int[] atomAt = new int[AtomCount], bondAt = new int[BondCount];
        int atoms = 0, bonds = 0, links = 0;
        for (int a = 0; a < AtomCount; a++) atomAt[a] = keep[a] ? atoms++ : -1;
        for (int b = 0; b < BondCount; b++)
        {
            GraphBond bond = Bonds[b];
            bondAt[b] = keep[bond.Begin] && keep[bond.End] ? bonds : -1;
            if (bondAt[b] < 0) continue;
            if (bond.Stereo != BondStereo.None)
            {
                KeepReference(bond.Begin, bond.End, keep, bond.BeginDirected, ref bond.BeginReference, ref bond.Stereo);
                KeepReference(bond.End, bond.Begin, keep, bond.EndDirected, ref bond.EndReference, ref bond.Stereo);
                bond.BeginReference = bond.BeginReference < 0 ? -1 : atomAt[bond.BeginReference];
                bond.EndReference = bond.EndReference < 0 ? -1 : atomAt[bond.EndReference];
                bond.BeginDirected = bond.BeginDirected < 0 ? -1 : atomAt[bond.BeginDirected];
                bond.EndDirected = bond.EndDirected < 0 ? -1 : atomAt[bond.EndDirected];
            }
            (bond.Begin, bond.End) = (atomAt[bond.Begin], atomAt[bond.End]);
            Bonds[bonds++] = bond;
        }
        for (int a = 0; a < AtomCount; a++)
        {
            if (!keep[a]) continue;
            GraphAtom atom = Atoms[a];
            int first = links;
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                GraphLink link = Links[i];
                if (keep[link.Atom])
                {
                    Links[links++] = new GraphLink { Atom = atomAt[link.Atom], Bond = bondAt[link.Bond] };
                    continue;
                }
                atom.Chirality = Chirality.None;
            }
            int left = 0;
            for (int i = first; i < links; i++) left += Bonds[Links[i].Bond].Order;
            // An ion that hangs on a double bond is left as it is.
            if (left < atom.OrderSum && (atom.Charge == 0 || links - first > 1))
                atom.Hydrogens = (byte)(atom.Aromatic ? atom.Hydrogens + atom.OrderSum - left : ImplicitValence.Hydrogens(atom.Element, atom.Charge, left));
            atom.OrderSum = (byte)left;
            atom.First = first;
            atom.Degree = (byte)(links - first);
            Atoms[atomAt[a]] = atom;
        }
        (AtomCount, BondCount) = (atoms, bonds);
    }

    // Another neighbour stands for one that goes, on the other side; stereo is gone with the neighbour by which it was written.
    private void KeepReference(int end, int across, ReadOnlySpan<bool> keep, int directed, ref int reference, ref BondStereo stereo)
    {
        if (directed >= 0 && !keep[directed]) stereo = BondStereo.None;
        if (stereo == BondStereo.None || reference < 0 || keep[reference]) return;
        ref GraphAtom atom = ref Atoms[end];
        int other = -1;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (Links[i].Atom != across && Links[i].Atom != reference) other = Links[i].Atom;
        stereo = other < 0 || !keep[other] ? BondStereo.None : stereo == BondStereo.Cis ? BondStereo.Trans : BondStereo.Cis;
        reference = other;
    }

    // [H] with nothing to say, singly bonded to an atom that can have hydrogens.
    private static bool IsCount(Molecule molecule, int index)
    {
        ref Atom atom = ref molecule.Atoms[index];
        if (atom.Isotope != 0 || atom.Charge != 0 || atom.Hydrogens != 0 || molecule.Degree(index) != 1) return false;
        foreach (Molecule.Neighbor n in molecule.Neighbors(index))
            return molecule.Bonds[n.Bond].Order == BondOrder.Single && molecule.Atoms[n.Atom].Element > 1 && molecule.Atoms[n.Atom].Hydrogens < byte.MaxValue;
        return false;
    }

    private void Reserve(int atoms, int bonds)
    {
        if (Atoms.Length < atoms) Atoms = new GraphAtom[2 * atoms];
        if (place.Length < atoms) place = new int[2 * atoms];
        if (Bonds.Length >= bonds) return;
        Bonds = new GraphBond[2 * bonds];
        Links = new GraphLink[4 * bonds];
    }

    private bool LoadBonds(Molecule molecule)
    {
        bool directions = false;
        BondCount = 0;
        foreach (ref Bond bond in molecule.Bonds)
        {
            directions |= bond.Direction != BondDirection.None;
            int begin = place[bond.Begin], end = place[bond.End];
            if ((begin | end) < 0) continue;
            Bonds[BondCount++] = new GraphBond { Begin = begin, End = end, Order = (byte)bond.Order };
        }

        int link = 0;
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            int at = place[a];
            if (at < 0) continue;
            ref GraphAtom atom = ref Atoms[at];
            atom.First = link;
            foreach (Molecule.Neighbor n in molecule.Neighbors(a))
            {
                if (place[n.Atom] < 0) continue;
                atom.OrderSum += (byte)molecule.Bonds[n.Bond].Order;
                Links[link++] = new GraphLink { Atom = place[n.Atom], Bond = n.Bond };
            }
            atom.Degree = (byte)Math.Min(link - atom.First, byte.MaxValue);
        }
        if (BondCount < molecule.BondCount) RenumberBonds(molecule, link);
        return directions;
    }

    // Bonds of counted hydrogens are gone: the numbers of the others move up.
    private void RenumberBonds(Molecule molecule, int links)
    {
        int[] moved = new int[molecule.BondCount];
        int next = 0;
        for (int b = 0; b < moved.Length; b++)
        {
            ref Bond bond = ref molecule.Bonds[b];
            moved[b] = (place[bond.Begin] | place[bond.End]) < 0 ? -1 : next++;
        }
        for (int i = 0; i < links; i++) Links[i].Bond = moved[Links[i].Bond];
    }

    private void CountHydrogens(Molecule molecule)
    {
        for (int a = 0; a < molecule.AtomCount; a++)
        {
            if (place[a] < 0) continue;
            ref GraphAtom atom = ref Atoms[place[a]];
            int counted = 0, position = 0, at = 0;
            foreach (Molecule.Neighbor n in molecule.Neighbors(a))
            {
                if (place[n.Atom] < 0)
                {
                    counted++;
                    position = at;
                }
                at++;
            }
            if (counted == 0) continue;
            // The one hydrogen moves before all other neighbours; two leave no handedness.
            if (counted + atom.Hydrogens > 1) atom.Chirality = Chirality.None;
            else if (position % 2 != 0) atom.InvertChirality();
            atom.Hydrogens = (byte)Math.Min(atom.Hydrogens + counted, byte.MaxValue);
        }
    }

    private void LoadDoubleBondStereo(Molecule molecule)
    {
        for (int b = 0; b < molecule.BondCount; b++)
        {
            ref Bond bond = ref molecule.Bonds[b];
            if (bond.Order != BondOrder.Double || (place[bond.Begin] | place[bond.End]) < 0) continue;
            if (!TrySide(molecule, bond.Begin, b, out int first, out int firstDirected, out bool firstUp)) continue;
            if (!TrySide(molecule, bond.End, b, out int second, out int secondDirected, out bool secondUp)) continue;
            ref GraphBond kept = ref Bonds[Between(place[bond.Begin], place[bond.End])];
            kept.Stereo = firstUp == secondUp ? BondStereo.Cis : BondStereo.Trans;
            (kept.BeginReference, kept.EndReference) = (first, second);
            (kept.BeginDirected, kept.EndDirected) = (firstDirected, secondDirected);
            HasStereo = true;
        }
    }

    // On which side of a double bond an end's reference neighbour lies: the first heavy one, or -1 for its hydrogen where that is all there is.
    private bool TrySide(Molecule molecule, int end, int doubleBond, out int reference, out int written, out bool up)
    {
        (reference, written, up) = (-1, -1, false);
        int heavy = -1, directed = -1, degree = 0;
        bool directedUp = false;
        foreach (Molecule.Neighbor n in molecule.Neighbors(end))
        {
            degree++;
            if (n.Bond == doubleBond) continue;
            ref Bond bond = ref molecule.Bonds[n.Bond];
            if (bond.Order != BondOrder.Single && !bond.Aromatic) return false;
            if (place[n.Atom] >= 0 && heavy < 0) heavy = n.Atom;
            if (bond.Direction == BondDirection.None) continue;
            bool above = (bond.Direction == BondDirection.Up) == (bond.Begin == end);
            if (directed < 0) (directed, directedUp) = (n.Atom, above);
            else if (directedUp == above) return false; // both on one side: contradictory, and so nothing said
        }
        if (directed < 0 || degree + molecule.Atoms[end].Hydrogens > 3) return false;
        reference = heavy < 0 ? -1 : place[heavy];
        written = place[directed];
        up = heavy < 0 || heavy == directed ? directedUp : !directedUp;
        return true;
    }
}

/// <summary>Neutral five-bonded nitrogen and its like in the charge-separated form, as RDKit's clean-up writes them: one group, one graph.</summary>
internal static class GroupForms
{
    public static void Normalize(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        if (atom.Charge != 0) return;
        int valence = atom.OrderSum + atom.Hydrogens;
        if (atom.Element == 7 && valence == 5)
        {
            if (!Separate(graph, index, 8, 2)) Separate(graph, index, 7, 3);
        }
        else if (atom.Element == 15 && valence == 5 && atom.Degree == 3 && HasDouble(graph, index))
        {
            Separate(graph, index, 8, 2);
        }
        else if (atom.Element is 17 or 35 or 53 && valence is 3 or 5 or 7 && OnlyOxygen(graph, index))
        {
            while (Separate(graph, index, 8, 2, any: true))
            {
            }
        }
    }

    private static bool Separate(MolecularGraph graph, int index, int element, int order, bool any = false)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            ref GraphBond bond = ref graph.Bonds[graph.Links[i].Bond];
            ref GraphAtom other = ref graph.Atoms[graph.Links[i].Atom];
            if (other.Element != element || bond.Order != order || (other.Charge != 0 && !any)) continue;
            bond.Order--;
            bond.Stereo = BondStereo.None;
            atom.OrderSum--;
            other.OrderSum--;
            atom.Charge++;
            other.Charge--;
            return true;
        }
        return false;
    }

    private static bool HasDouble(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            if (graph.Bonds[graph.Links[i].Bond].Order == 2 && graph.Atoms[graph.Links[i].Atom] is { Element: 6 or 7, Degree: >= 2 }) return true;
        }
        return false;
    }

    private static bool OnlyOxygen(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (graph.Atoms[graph.Links[i].Atom].Element != 8) return false;
        return atom.Hydrogens == 0;
    }
}
