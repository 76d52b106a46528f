namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>How many bonds an atom or ion may make: the default constraints of version 1.0.4.</summary>
internal static class BondCapacity
{
    private const int Unknown = 8;

    public static int Of(ReadOnlySpan<char> element, int charge)
    {
        if (charge is < -1 or > 1) return Unknown;
        int neutral = element switch
        {
            "H" or "F" or "Cl" or "Br" or "I" => 1,
            "O" => 2,
            "N" => 3,
            "C" => 4,
            "P" => 5,
            "S" => 6,
            _ => Unknown,
        };
        if (charge == 0 || neutral == Unknown) return neutral;
        return neutral == 1 ? Unknown : neutral + charge; // hydrogen and halogen ions are not in the list
    }
}
