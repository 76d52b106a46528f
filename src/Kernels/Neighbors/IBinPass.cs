namespace ChemScale.Kernels.Neighbors;

/// <summary>What <see cref="BinPairs"/> does with the edges it finds.</summary>
internal interface IBinPass
{
    /// <summary>Whether they are written; else counted.</summary>
    static abstract bool Fills { get; }
}

/// <summary>Counts them.</summary>
internal readonly struct CountPass : IBinPass
{
    public static bool Fills => false;
}

/// <summary>Writes them.</summary>
internal readonly struct FillPass : IBinPass
{
    public static bool Fills => true;
}
