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
                    if (branchAtoms.Count > Refusals.MaximumDepth) refusal = Refusals.Depth;
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

/// <summary>The elements that may be written in lower case, and which of their atoms take part in double bonds.</summary>
internal static class AromaticElement
{
    /// <summary>0 where the element cannot be aromatic.</summary>
    public static int ValenceElectrons(ReadOnlySpan<char> element) => element switch
    {
        "c" or "si" => 4,
        "n" or "p" or "as" => 5,
        "o" or "s" or "se" or "te" => 6,
        "b" or "al" => 3,
        _ => 0,
    };

    /// <summary>
    /// Whether an aromatic atom has an odd electron left to pair with a neighbour's: valence
    /// electrons, less the charge, the bonds and a hydrogen.
    /// </summary>
    /// <returns>Null or why the atom is refused.</returns>
    public static string? Pairs(ReadOnlySpan<char> text, in GraphAtom atom, out bool pairs)
    {
        pairs = false;
        if (!BracketAtom.TryRead(text, out BracketAtom read)) return Refusals.AromaticSymbol;
        ReadOnlySpan<char> element = text[read.ElementStart..read.ElementEnd];
        int hydrogens = read.Hydrogens;

        // An unmarked carbon with two neighbours has one implied hydrogen; so does [c], though it is a radical.
        if (element is "c" && hydrogens == 0 && read.Charge == 0 && atom.Bonds == 2 && !atom.HasTriple) hydrogens = 1;

        int valence = ValenceElectrons(element);
        if (hydrogens > 1 || valence == 0) return Refusals.AromaticSymbol;
        pairs = ((valence - read.Charge - atom.BondOrders - hydrogens) & 1) != 0;
        return null;
    }
}

/// <summary>Bond symbols and their multiplicity. A bond without a symbol is <c>'\0'</c>.</summary>
internal static class BondOrder
{
    /// <summary>2 for <c>=</c>, 3 for <c>#</c>, 1 for everything else.</summary>
    public static int Of(char bond) => bond switch { '=' => 2, '#' => 3, _ => 1 };

    /// <summary>The symbol of a bond of multiplicity 1, 2 or 3.</summary>
    public static char Symbol(int order) => order switch { 2 => '=', 3 => '#', _ => '\0' };
}
