namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// A decoder always puts an atom's ring bonds before its branches, in order of their making. Where that is an odd permutation of the
/// order in the SMILES, @ and @@ change places.
/// </summary>
internal sealed class ChiralityOrder
{
    private long[] keys = new long[8]; // where the decoder puts a bond; low half: where it stands now
    private bool[] seen = new bool[8];

    public bool Inverts(StringGraph graph, int atom)
    {
        int count = 0;
        for (int e = graph.Atoms[atom].FirstEdge; e >= 0; e = graph.Edges[e].Next)
        {
            ref GraphEdge edge = ref graph.Edges[e];
            if (count == keys.Length)
            {
                Array.Resize(ref keys, 2 * count);
                seen = new bool[2 * count];
            }
            long place = edge.Partner < 0 ? int.MaxValue : edge.Target < atom ? 0 : edge.Target;
            keys[count] = place << 32 | (uint)count;
            count++;
        }
        Array.Sort(keys, 0, count);

        // A permutation is odd if its length less its number of cycles is.
        Array.Clear(seen, 0, count);
        bool odd = false;
        for (int i = 0; i < count; i++)
        {
            for (int j = i; !seen[j];)
            {
                seen[j] = true;
                j = (int)keys[j];
                if (!seen[j]) odd = !odd;
            }
        }
        return odd;
    }
}
