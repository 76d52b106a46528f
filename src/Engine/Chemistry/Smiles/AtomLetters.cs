namespace ChemScale.Engine.Chemistry.Smiles;

/// <summary>Atoms of one letter that need no brackets.</summary>
internal static class AtomLetters
{
    /// <summary>The atomic number of a capital letter; -1 if it is none.</summary>
    public static int Organic(char letter) => letter switch
    {
        'C' => 6,
        'N' => 7,
        'O' => 8,
        'F' => 9,
        'S' => 16,
        'P' => 15,
        'I' => 53,
        'B' => 5,
        _ => -1,
    };

    /// <summary>The atomic number of a small letter; -1 if it is none.</summary>
    public static int Aromatic(char letter) => letter switch
    {
        'c' => 6,
        'n' => 7,
        'o' => 8,
        's' => 16,
        'p' => 15,
        'b' => 5,
        _ => -1,
    };
}
