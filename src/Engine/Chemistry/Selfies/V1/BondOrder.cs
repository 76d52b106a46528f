namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>Bond symbols and their multiplicity. A bond without a symbol is <c>'\0'</c>.</summary>
internal static class BondOrder
{
    /// <summary>2 for <c>=</c>, 3 for <c>#</c>, 1 for everything else.</summary>
    public static int Of(char bond) => bond switch { '=' => 2, '#' => 3, _ => 1 };

    /// <summary>The symbol of a bond of multiplicity 1, 2 or 3.</summary>
    public static char Symbol(int order) => order switch { 2 => '=', 3 => '#', _ => '\0' };
}
