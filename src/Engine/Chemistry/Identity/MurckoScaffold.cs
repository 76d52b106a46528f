namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>
/// Bemis and Murcko's scaffold (1996, doi 10.1021/jm9602928) as RDKit cuts it: rings, the chains between them, and what is doubly bonded to
/// either. What was cut off becomes hydrogens.
/// </summary>
internal sealed class MurckoScaffold
{
    private bool[] keep = new bool[64];
    private int[] degree = new int[64], place = new int[64], waiting = new int[64];

    /// <summary>Cuts the graph down to its scaffold: no atoms where the molecule has no ring.</summary>
    /// <param name="graph">Perceived. Its aromatic atoms and bonds stay what they are.</param>
    /// <param name="keepStereo">Stereo of what stays is kept.</param>
    public void Cut(MolecularGraph graph, bool keepStereo)
    {
        if (!keepStereo) graph.DropStereo();
        int n = graph.AtomCount, tail = 0;
        if (keep.Length < n) (keep, degree, place, waiting) = (new bool[2 * n], new int[2 * n], new int[2 * n], new int[2 * n]);
        for (int a = 0; a < n; a++)
        {
            keep[a] = true;
            degree[a] = graph.Atoms[a].Degree;
            if (degree[a] > 1 || graph.Atoms[a].InRing) continue;
            keep[a] = false;
            waiting[tail++] = a;
        }
        for (int head = 0; head < tail; head++)
        {
            ref GraphAtom atom = ref graph.Atoms[waiting[head]];
            for (int i = atom.First; i < atom.First + atom.Degree; i++)
            {
                int other = graph.Links[i].Atom;
                if (!keep[other] || graph.Atoms[other].InRing || --degree[other] > 1) continue;
                keep[other] = false;
                waiting[tail++] = other;
            }
        }
        for (int i = 0; i < tail; i++) place[waiting[i]] = IsDoublyBonded(graph, waiting[i]) ? 1 : 0;
        for (int i = 0; i < tail; i++) keep[waiting[i]] = place[waiting[i]] == 1;
        graph.Keep(keep);
    }

    private bool IsDoublyBonded(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (keep[graph.Links[i].Atom] && graph.Bonds[graph.Links[i].Bond].Order == 2) return true;
        return false;
    }
}

/// <summary>Figures of one molecule.</summary>
/// <param name="Weight">Average molecular weight, g/mol.</param>
/// <param name="HeavyAtoms">Atoms that are not hydrogen.</param>
/// <param name="Rings">Shortest rings, as RDKit's symmetrised set has them.</param>
/// <param name="RotatableBonds">By RDKit's strict definition: no amides, esters, symmetric ends.</param>
/// <param name="Charge">Sum of formal charges.</param>
internal readonly record struct MoleculeFigures(double Weight, int HeavyAtoms, int Rings, int RotatableBonds, int Charge)
{
    /// <param name="graph">Perceived.</param>
    /// <param name="rings">Its rings.</param>
    public static MoleculeFigures Of(MolecularGraph graph, RingSearch rings)
    {
        double weight = 0;
        int heavy = 0, charge = 0, rotatable = 0;
        for (int a = 0; a < graph.AtomCount; a++)
        {
            ref GraphAtom atom = ref graph.Atoms[a];
            weight += (atom.Isotope > 0 ? atom.Isotope : AtomicWeights.Of(atom.Element)) + atom.Hydrogens * AtomicWeights.Of(1);
            charge += atom.Charge;
            if (atom.Element > 1) heavy++;
        }
        for (int b = 0; b < graph.BondCount; b++)
            if (Rotation.IsOne(graph, b)) rotatable++;
        return new MoleculeFigures(weight, heavy, rings.Count, rotatable, charge);
    }
}

/// <summary>RDKit's strict pattern of rotatable bonds, in words.</summary>
internal static class Rotation
{
    public static bool IsOne(MolecularGraph graph, int index)
    {
        ref GraphBond bond = ref graph.Bonds[index];
        if (bond.InRing || bond.Order != 1) return false;
        return MayTurn(graph, bond.Begin) && MayTurn(graph, bond.End) && (IsFree(graph, bond.Begin) || IsFree(graph, bond.End));
    }

    // Not an end, not beside a triple bond, not CX3.
    private static bool MayTurn(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        if (atom.Degree == 1) return false;
        int fluorine = 0, chlorine = 0, bromine = 0, methyl = 0;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            ref GraphBond bond = ref graph.Bonds[graph.Links[i].Bond];
            if (bond.Order == 3) return false;
            if (bond.Order != 1) continue;
            ref GraphAtom other = ref graph.Atoms[graph.Links[i].Atom];
            if (other.Element == 9) fluorine++;
            else if (other.Element == 17) chlorine++;
            else if (other.Element == 35) bromine++;
            else if (other is { Element: 6, Hydrogens: 3, Aromatic: false }) methyl++;
        }
        return atom.Element != 6 || atom.Aromatic || (fluorine < 3 && chlorine < 3 && bromine < 3 && methyl < 3);
    }

    // Not an atom of an amide, ester or their kin.
    private static bool IsFree(MolecularGraph graph, int index)
    {
        if (IsAcyl(graph, index))
        {
            ref GraphAtom carbon = ref graph.Atoms[index];
            for (int i = carbon.First; i < carbon.First + carbon.Degree; i++)
                if (IsSingleChain(graph, graph.Links[i].Bond) && IsDonor(graph, graph.Links[i].Atom)) return false;
        }
        if (!IsDonor(graph, index)) return true;
        ref GraphAtom atom = ref graph.Atoms[index];
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
            if (IsSingleChain(graph, graph.Links[i].Bond) && IsAcyl(graph, graph.Links[i].Atom)) return false;
        return true;
    }

    private static bool IsSingleChain(MolecularGraph graph, int bond) => graph.Bonds[bond] is { InRing: false, Order: 1 };

    private static bool IsDonor(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        return atom.Element == 7 || (atom.Element == 8 && !atom.Aromatic) || (atom.Element == 16 && !atom.Aromatic && atom.Degree != 1);
    }

    private static bool IsAcyl(MolecularGraph graph, int index)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        if (atom is not { Element: 6, Degree: 3, Aromatic: false }) return false;
        for (int i = atom.First; i < atom.First + atom.Degree; i++)
        {
            if (graph.Bonds[graph.Links[i].Bond] is { Order: 2, Aromatic: false } && graph.Atoms[graph.Links[i].Atom] is { Element: 7 or 8 or 16, Aromatic: false })
                return true;
        }
        return false;
    }
}

/// <summary>Average atomic weights, g/mol, as RDKit has them (IUPAC's, to three places).</summary>
internal static class AtomicWeights
{
    private static readonly double[] Weights =
    [
        0, 1.008, 4.003, 6.941, 9.012, 10.812, 12.011, 14.007, 15.999, 18.998, 20.18, 22.99, 24.305, 26.982, 28.086, 30.974, 32.067, 35.453, 39.948, 39.098,
        40.078, 44.956, 47.867, 50.942, 51.996, 54.938, 55.845, 58.933, 58.693, 63.546, 65.39, 69.723, 72.61, 74.922, 78.96, 79.904, 83.8, 85.468, 87.62,
        88.906, 91.224, 92.906, 95.94, 98, 101.07, 102.906, 106.42, 107.868, 112.412, 114.818, 118.711, 121.76, 127.6, 126.904, 131.29, 132.905, 137.328,
        138.906, 140.116, 140.908, 144.24, 145, 150.36, 151.964, 157.25, 158.925, 162.5, 164.93, 167.26, 168.934, 173.04, 174.967, 178.49, 180.948, 183.84,
        186.207, 190.23, 192.217, 195.078, 196.967, 200.59, 204.383, 207.2, 208.98, 209, 210, 222, 223, 226, 227, 232.038, 231.036, 238.029, 237, 244, 243,
        247, 247, 251, 252, 257, 258, 259, 262, 267, 268, 269, 270, 269, 278, 281, 281, 285, 284, 289, 288, 293, 292, 294,
    ];

    public static double Of(int element) => Weights[element];
}
