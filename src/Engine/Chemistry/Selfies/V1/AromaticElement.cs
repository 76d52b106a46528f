namespace ChemScale.Engine.Chemistry.Selfies.V1;

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
