namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>How grammar 2.1 spells an atom that has brackets in SMILES; SELFIES and decoded SMILES agree on what is inside them.</summary>
internal static class AtomText
{
    /// <param name="text">What to append to.</param>
    /// <param name="isotope">-1 for none.</param>
    /// <param name="element">Atomic number.</param>
    /// <param name="chirality">0 for none, 1 for @, 2 for @@.</param>
    /// <param name="hydrogens">0..9, always with its number; a bare organic atom says H0, to differ from the one without brackets.</param>
    /// <param name="charge">Always with its number.</param>
    public static void Append(TextBuffer text, long isotope, int element, int chirality, int hydrogens, int charge)
    {
        if (isotope >= 0) text.Append(isotope);
        text.Append(PeriodicTable.Symbol(element));
        for (int i = 0; i < chirality; i++) text.Append('@');
        bool bare = isotope < 0 && chirality == 0 && charge == 0;
        if (hydrogens != 0 || (bare && Valence.IsOrganic(element)))
        {
            text.Append('H');
            text.Append((char)('0' + hydrogens));
        }
        if (charge == 0) return;
        if (charge > 0) text.Append('+');
        text.Append((long)charge);
    }
}
