namespace ChemScale.Kernels.SchNet;

/// <summary>Sizes of a filter network, and what shared memory they ask for.</summary>
/// <param name="Filters">N, a multiple of four.</param>
/// <param name="Radial">K</param>
public readonly record struct FilterShape(int Filters, int Radial)
{
    private const int MostEdges = 32;

    // The block of rows that a thread multiplies.
    private const int LeastEdges = 8;

    /// <summary>K rounded up to a multiple of four, as the padded matrices have it.</summary>
    public int RadialPadded => (Radial + 3) / 4 * 4;

    /// <summary>Whether even the largest pass has room for its smallest tile.</summary>
    /// <param name="sharedBytes">That a group may have.</param>
    /// <param name="numberBytes">Of a number.</param>
    public bool Fits(int sharedBytes, int numberBytes) => Bytes(FilterPass.DoubleBackward, LeastEdges, numberBytes) <= sharedBytes;

    /// <summary>Edges of a tile: as many as let two groups share a multiprocessor, or as fit.</summary>
    internal int TileEdges(FilterPass pass, int sharedBytes, int numberBytes)
    {
        for (int edges = MostEdges; edges > LeastEdges; edges /= 2)
            if (Bytes(pass, edges, numberBytes) <= sharedBytes / 2) return edges;
        return LeastEdges;
    }

    /// <summary>As the kernels lay them out.</summary>
    internal int Bytes(FilterPass pass, int edges, int numberBytes)
    {
        (int wide, int radial, bool dots) = pass switch
        {
            FilterPass.Forward => (2, 1, false),
            FilterPass.Tangent => (3, 2, false),
            FilterPass.Backward => (4, 1, true),
            _ => (6, 2, true),
        };
        return checked(numberBytes * (edges * (wide * Filters + radial * RadialPadded + (dots ? Filters / 4 : 0)) + Filters));
    }
}
