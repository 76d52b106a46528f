using System.Runtime.InteropServices;

namespace ChemScale.Engine.Chemistry.Selfies.V1;

internal struct GraphAtom
{
    public int Token;
    public int Bonds;
    public int BondOrders;
    public bool Aromatic;
    public bool HasTriple;
}

/// <summary>Ends <c>A</c> and <c>B</c> are atoms; <c>Token</c> is the token that carries the bond symbol.</summary>
internal record struct GraphBond(int A, int B, int Token, char Symbol)
{
    public readonly int Other(int atom) => atom == A ? B : A;
}

/// <summary>Atoms and bonds of one fragment, in the order of its tokens; a ring's bond comes at its closing label.</summary>
internal sealed class BondGraph
{
    private readonly List<GraphAtom> atoms = [];
    private readonly List<GraphBond> bonds = [];
    private readonly List<(int Label, int Atom, int Token)> openRings = [];
    private readonly Stack<int> branchAtoms = [];

    public Span<GraphAtom> Atoms => CollectionsMarshal.AsSpan(atoms);

    public Span<GraphBond> Bonds => CollectionsMarshal.AsSpan(bonds);

    public bool HasAromaticAtoms { get; private set; }

    /// <summary>
    /// Null, or why the fragment is refused. Bond symbols that the graph has taken into account are changed in the tokens: only one end
    /// of a ring keeps a symbol, the opening one if it has any; ':' becomes no symbol.
    /// </summary>
    public string? Read(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens)
    {
        atoms.Clear();
        bonds.Clear();
        openRings.Clear();
        branchAtoms.Clear();
        HasAromaticAtoms = false;
        int previous = -1;
        for (int i = 0; i < tokens.Length; i++)
        {
            string? refusal = null;
            switch (tokens[i].Kind)
            {
                case TokenKind.Atom:
                    atoms.Add(new GraphAtom { Token = i });
                    if (previous >= 0) refusal = AddBond(fragment, tokens, previous, atoms.Count - 1, i);
                    previous = atoms.Count - 1;
                    break;
                case TokenKind.BranchOpen:
                    branchAtoms.Push(previous);
                    if (branchAtoms.Count > SelfiesV1Codec.MaximumDepth) refusal = Refusals.Depth;
                    break;
                case TokenKind.BranchClose:
                    previous = branchAtoms.Pop();
                    break;
                default:
                    refusal = previous < 0 ? Refusals.EarlyRing : ReadRing(fragment, tokens, previous, i);
                    break;
            }
            if (refusal is not null) return refusal;
        }
        return null;
    }

    private string? ReadRing(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens, int atom, int token)
    {
        int label = 0; // the text, not the number: 1 and %01 differ here
        foreach (char c in fragment.Slice(tokens[token].Start, tokens[token].Length)) label = label << 16 | c;
        int open = openRings.Count - 1;
        while (open >= 0 && openRings[open].Label != label) open--;
        if (open < 0)
        {
            openRings.Add((label, atom, token));
            return null;
        }
        (_, int left, int leftToken) = openRings[open];
        openRings.RemoveAt(open);
        int carrier = tokens[leftToken].Bond != '\0' ? leftToken : token;
        tokens[carrier == token ? leftToken : token].Bond = '\0';
        return AddBond(fragment, tokens, left, atom, carrier);
    }

    private string? AddBond(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens, int a, int b, int carrier)
    {
        if (!TryMarkAromatic(fragment, tokens, a) || !TryMarkAromatic(fragment, tokens, b)) return Refusals.AromaticSymbol;
        char symbol = tokens[carrier].Bond;
        if (symbol == ':')
        {
            Atoms[a].Aromatic = Atoms[b].Aromatic = HasAromaticAtoms = true;
            tokens[carrier].Bond = symbol = '\0';
        }
        bonds.Add(new GraphBond(a, b, carrier, symbol));
        AddTo(ref Atoms[a], symbol);
        AddTo(ref Atoms[b], symbol);
        return null;
    }

    private static void AddTo(ref GraphAtom atom, char symbol)
    {
        atom.Bonds++;
        atom.BondOrders += BondOrder.Of(symbol);
        atom.HasTriple |= symbol == '#';
    }

    /// <summary>An element in lower case is aromatic; false where it is not one of the elements that can be.</summary>
    private bool TryMarkAromatic(ReadOnlySpan<char> fragment, Span<SmilesToken> tokens, int index)
    {
        ref GraphAtom atom = ref Atoms[index];
        if (atom.Aromatic) return true;
        ReadOnlySpan<char> text = fragment.Slice(tokens[atom.Token].Start, tokens[atom.Token].Length);
        if (char.IsAsciiLetterUpper(text[0])) return true;
        if (!BracketAtom.TryFindElement(text, out int start, out int end)) return false;
        ReadOnlySpan<char> element = text[start..end];
        if (char.IsUpper(element[0])) return true;
        if (AromaticElement.ValenceElectrons(element) == 0) return false;
        atom.Aromatic = HasAromaticAtoms = true;
        return true;
    }
}
