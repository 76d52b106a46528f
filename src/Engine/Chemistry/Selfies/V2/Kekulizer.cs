namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// Turns aromatic bonds into single and double ones. Which of the possible structures comes out is part of the grammar's
/// contract: atoms that can take a double bond are numbered in string order, and <see cref="Matching"/> pairs them.
/// </summary>
internal sealed class Kekulizer
{
    private readonly Matching matching = new();
    private int[] degree = new int[64]; // per atom, aromatic bonds
    private int[] label = new int[64]; // per atom, its number among the kept ones; -1: takes no double bond

    /// <summary>Null, or the reason of the refusal.</summary>
    public string? Kekulize(StringGraph graph)
    {
        int bonds = graph.AromaticCount;
        if (bonds == 0) return null;
        GraphAtom[] atoms = graph.Atoms;
        int count = graph.AtomCount;
        if (degree.Length < count)
        {
            degree = new int[atoms.Length];
            label = new int[atoms.Length];
        }
        Array.Clear(degree, 0, count);
        for (int b = 0; b < bonds; b++)
        {
            degree[graph.AromaticSources[b]]++;
            degree[graph.Edges[graph.AromaticEdges[b]].Target]++;
        }

        int kept = 0;
        for (int a = 0; a < count; a++)
        {
            label[a] = -1;
            if (degree[a] == 0) continue;
            if (!Valence.MayBeAromatic(atoms[a].Element)) return "aromatic bond on an element that has none";
            if (TakesDoubleBond(atoms[a], degree[a])) label[a] = kept++;
        }

        matching.Begin(kept);
        for (int b = 0; b < bonds; b++)
        {
            int source = graph.AromaticSources[b];
            int target = graph.Edges[graph.AromaticEdges[b]].Target;
            if (label[source] >= 0 && label[target] >= 0) matching.AddPair(label[source], label[target]);
        }
        if (!matching.Find()) return "no Kekule structure";

        for (int b = 0; b < bonds; b++) graph.SetOrder(graph.AromaticEdges[b], graph.AromaticSources[b], StringGraph.Single);
        for (int b = 0; b < bonds; b++)
        {
            int source = graph.AromaticSources[b];
            int target = graph.Edges[graph.AromaticEdges[b]].Target;
            if (label[source] < 0 || label[target] < 0) continue;
            bool matched = matching.Mate(label[source]) == label[target] || matching.Mate(label[target]) == label[source];
            if (matched) graph.SetOrder(graph.AromaticEdges[b], source, StringGraph.Double);
        }
        return null;
    }

    private static bool TakesDoubleBond(in GraphAtom atom, int aromaticBonds)
    {
        int used = (atom.HalfBonds - aromaticBonds) / 2; // aromatic bonds counted as single
        return atom.Hydrogens < 0
            ? Valence.NeedsDoubleBond(atom.Element, used)
            : Valence.NeedsDoubleBond(atom.Element, used, atom.Hydrogens, atom.Charge);
    }
}
