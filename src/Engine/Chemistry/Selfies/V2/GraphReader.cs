using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>SMILES to <see cref="StringGraph"/>, with the refusals of grammar 2.1. Ring closures do not cross dots.</summary>
internal sealed class GraphReader
{
    private const int Labels = 110 + 900; // 0..9, then %00..%99, which are other labels, then %(100)..%(999), which the reference does not read

    private readonly int[] ringEdge = new int[Labels];
    private readonly int[] ringAtom = new int[Labels];
    private readonly char[] ringBond = new char[Labels];
    private int openRings;
    private int[] branches = new int[32];

    public GraphReader() => Array.Fill(ringEdge, -1);

    /// <summary>Fills <paramref name="graph"/>; null, or the reason of the refusal.</summary>
    public string? Read(ReadOnlySpan<char> smiles, StringGraph graph)
    {
        graph.Clear();
        if (openRings > 0)
        {
            Array.Fill(ringEdge, -1);
            openRings = 0;
        }
        if (smiles.Length == 0) return "empty SMILES";

        int depth = 0;
        int previous = -1;
        bool chainStart = true;
        int i = 0;
        while (i < smiles.Length)
        {
            char c = smiles[i];
            if (c == '.')
            {
                if (graph.AtomCount == 0) return "empty fragment";
                if (depth > 0) return "unclosed branch";
                if (openRings > 0) return "unclosed ring";
                previous = -1;
                chainStart = true;
                i++;
                continue;
            }

            char bond = '\0';
            if (c is '=' or '#' or '-' or '/' or '\\' or ':')
            {
                bond = c;
                if (++i == smiles.Length) return "bond without atom";
                c = smiles[i];
            }

            int element = AtomLetters.Organic(c);
            bool aromatic = false;
            if (element < 0)
            {
                element = AtomLetters.Aromatic(c);
                aromatic = element >= 0;
            }
            else if (i + 1 < smiles.Length)
            {
                if (c == 'C' && smiles[i + 1] == 'l') (element, i) = (17, i + 1);
                else if (c == 'B' && smiles[i + 1] == 'r') (element, i) = (35, i + 1);
            }

            if (element >= 0)
            {
                graph.AddAtom(previous, element, aromatic);
                previous = Attach(graph, previous, bond);
                chainStart = false;
                i++;
            }
            else if (c == '[')
            {
                int length = smiles[(i + 1)..].IndexOf(']');
                if (length < 0) return "unclosed bracket";
                if (!AtomReader.TryReadBracket(smiles.Slice(i + 1, length), out GraphAtom atom)) return "atom not in the grammar";
                ref GraphAtom added = ref graph.AddAtom(previous, atom.Element, atom.Aromatic);
                atom.Parent = previous;
                added = atom;
                previous = Attach(graph, previous, bond);
                chainStart = false;
                i += length + 2;
            }
            else if (c is '(' or ')')
            {
                if (bond != '\0') return "bond without atom";
                if (chainStart) return "chain begins with no atom";
                if (c == '(')
                {
                    if (depth == branches.Length) Array.Resize(ref branches, 2 * depth);
                    branches[depth++] = previous;
                    chainStart = true;
                }
                else
                {
                    if (depth == 0) return "branch closed but not opened";
                    previous = branches[--depth];
                }
                i++;
            }
            else if (char.IsAsciiDigit(c) || c == '%')
            {
                int label = c - '0';
                if (c == '%')
                {
                    int next = i;
                    if (!OpenRings.TryReadLabel(smiles, ref next, out label)) return "ring label without number";
                    label += 10;
                    i = next - 1;
                }
                i++;
                if (chainStart) return "chain begins with no atom";
                if (ringEdge[label] < 0)
                {
                    ringEdge[label] = graph.AddOpenRing(previous);
                    ringAtom[label] = previous;
                    ringBond[label] = bond;
                    openRings++;
                }
                else if (CloseRing(graph, label, previous, bond) is { } reason)
                {
                    return reason;
                }
            }
            else
            {
                return "symbol not in the grammar";
            }
        }
        if (graph.AtomCount == 0) return "empty fragment";
        if (depth > 0) return "unclosed branch";
        return openRings > 0 ? "unclosed ring" : null;
    }

    private static int Attach(StringGraph graph, int previous, char bond)
    {
        int atom = graph.AtomCount - 1;
        if (previous >= 0)
        {
            bool aromatic = bond == '\0' && graph.Atoms[atom].Aromatic && graph.Atoms[previous].Aromatic;
            graph.AddChainBond(previous, atom, aromatic ? StringGraph.Aromatic : HalfOrder(bond), Stereo(bond));
        }
        return atom;
    }

    private string? CloseRing(StringGraph graph, int label, int atom, char bond)
    {
        int open = ringEdge[label];
        int other = ringAtom[label];
        char otherBond = ringBond[label];
        ringEdge[label] = -1;
        openRings--;
        if (other == atom) return "ring of one atom";
        if (graph.HasBond(other, atom)) return "ring bond on a bond";

        bool stereo = Stereo(bond) != '\0' && Stereo(otherBond) != '\0';
        if (bond != otherBond && bond != '\0' && otherBond != '\0' && !stereo) return "ring bonds differ";
        byte order = Math.Max(HalfOrder(bond), HalfOrder(otherBond));
        if (bond == '\0' && otherBond == '\0' && graph.Atoms[atom].Aromatic && graph.Atoms[other].Aromatic) order = StringGraph.Aromatic;
        graph.CloseRing(open, other, atom, order, Stereo(otherBond), Stereo(bond));
        return null;
    }

    private static byte HalfOrder(char bond) => bond switch
    {
        '=' => StringGraph.Double,
        '#' => StringGraph.Triple,
        ':' => StringGraph.Aromatic,
        _ => StringGraph.Single,
    };

    private static char Stereo(char bond) => bond is '/' or '\\' ? bond : '\0';
}
