namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// SMILES to SELFIES 2.1 or 2.2, strictly: read, kekulize, check bonding capacities, then write each fragment depth first. Two limits are this engine's
/// own: isotopes and charges have at most nine significant digits, and only ASCII digits count as digits.
/// </summary>
internal sealed class SelfiesV2Encoder(BondConstraints constraints)
{
    private readonly GraphReader reader = new();
    private readonly StringGraph graph = new();
    private readonly Kekulizer kekulizer = new();
    private readonly ChiralityOrder chirality = new();
    private readonly TextBuffer text = new();
    private int[] symbols = new int[64]; // of the chain that starts at an atom, its branches included
    private int[] pendingEdge = new int[32];
    private int[] pendingAtom = new int[32];

    /// <summary>The SELFIES of the last success.</summary>
    public ReadOnlySpan<char> Text => text.Text;

    /// <summary>Null, or the reason of the refusal.</summary>
    public string? Encode(ReadOnlySpan<char> smiles)
    {
        text.Clear();
        if (reader.Read(smiles, graph) is { } unreadable) return unreadable;
        if (kekulizer.Kekulize(graph) is { } unkekulized) return unkekulized;
        GraphAtom[] atoms = graph.Atoms;
        for (int i = 0; i < graph.AtomCount; i++)
        {
            ref GraphAtom atom = ref atoms[i];
            int capacity = constraints.Of(atom.Element, atom.Charge) - Math.Max((int)atom.Hydrogens, 0);
            if (atom.HalfBonds > 2 * capacity) return "more bonds than the constraints allow";
            if (atom.Chirality != 0 && atom.RingBonds > 0 && chirality.Inverts(graph, i)) atom.Chirality = (byte)(3 - atom.Chirality);
        }
        CountSymbols();
        for (int i = 0; i < graph.AtomCount; i++)
        {
            if (atoms[i].Parent >= 0) continue;
            if (i > 0) text.Append('.');
            WriteFragment(i);
        }
        return null;
    }

    // Children have higher numbers than their parents, so one backward pass sees every branch before it is needed.
    private void CountSymbols()
    {
        if (symbols.Length < graph.AtomCount) symbols = new int[graph.Atoms.Length];
        for (int i = graph.AtomCount - 1; i >= 0; i--)
        {
            int count = 1;
            for (int e = graph.Atoms[i].FirstEdge; e >= 0;)
            {
                ref GraphEdge edge = ref graph.Edges[e];
                e = edge.Next;
                if (edge.Partner >= 0)
                {
                    if (edge.Target < i) count += 1 + IndexAlphabet.Digits(i - edge.Target - 1);
                    continue;
                }
                int chain = symbols[edge.Target];
                count += chain;
                if (e >= 0) count += 1 + IndexAlphabet.Digits(chain - 1);
            }
            symbols[i] = count;
        }
    }

    private void WriteFragment(int root)
    {
        int depth = 0;
        int atom = root;
        WriteAtom(atom, 0, '\0');
        int e = graph.Atoms[atom].FirstEdge;
        while (true)
        {
            if (e < 0)
            {
                if (depth == 0) return;
                e = pendingEdge[--depth];
                atom = pendingAtom[depth];
                continue;
            }
            ref GraphEdge edge = ref graph.Edges[e];
            if (edge.Partner >= 0)
            {
                if (edge.Target < atom) WriteRing(graph.Edges[edge.Partner], edge, atom - edge.Target - 1);
                e = edge.Next;
                continue;
            }
            if (edge.Next >= 0)
            {
                WriteBranch(edge.HalfOrder, symbols[edge.Target] - 1);
                if (depth == pendingEdge.Length)
                {
                    Array.Resize(ref pendingEdge, 2 * depth);
                    Array.Resize(ref pendingAtom, 2 * depth);
                }
                pendingEdge[depth] = edge.Next;
                pendingAtom[depth++] = atom;
            }
            atom = edge.Target;
            WriteAtom(atom, edge.HalfOrder, edge.Stereo);
            e = graph.Atoms[atom].FirstEdge;
        }
    }

    private void WriteBranch(byte halfOrder, int length)
    {
        int digits = IndexAlphabet.Digits(length);
        text.Append('[');
        WriteOrder(halfOrder);
        text.Append("Branch");
        text.Append((char)('0' + digits));
        text.Append(']');
        IndexAlphabet.Append(text, length, digits);
    }

    private void WriteRing(in GraphEdge left, in GraphEdge right, int distance)
    {
        int digits = IndexAlphabet.Digits(distance);
        text.Append('[');
        if (left.HalfOrder != StringGraph.Single || (left.Stereo | right.Stereo) == 0)
        {
            WriteOrder(left.HalfOrder);
        }
        else
        {
            text.Append(left.Stereo == '\0' ? '-' : left.Stereo);
            text.Append(right.Stereo == '\0' ? '-' : right.Stereo);
        }
        text.Append("Ring");
        text.Append((char)('0' + digits));
        text.Append(']');
        IndexAlphabet.Append(text, distance, digits);
    }

    private void WriteOrder(byte halfOrder)
    {
        if (halfOrder == StringGraph.Double) text.Append('=');
        else if (halfOrder == StringGraph.Triple) text.Append('#');
    }

    private void WriteAtom(int index, byte halfOrder, char stereo)
    {
        ref GraphAtom atom = ref graph.Atoms[index];
        text.Append('[');
        if (halfOrder > StringGraph.Single) WriteOrder(halfOrder);
        else if (stereo != '\0') text.Append(stereo);
        if (atom.Hydrogens < 0) text.Append(PeriodicTable.Symbol(atom.Element));
        else AtomText.Append(text, atom.Isotope, atom.Element, atom.Chirality, atom.Hydrogens, atom.Charge);
        text.Append(']');
    }
}

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
