using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.SchNet;

/// <summary>A convolution, as every pass reads it.</summary>
/// <param name="Shape">N and K.</param>
/// <param name="Edges">In the order that the pass takes.</param>
/// <param name="Inputs">h, phi, f</param>
/// <param name="Weights">The filter network.</param>
public readonly record struct FilterArrays<T>(FilterShape Shape, FilterEdges Edges, FilterInputs<T> Inputs, FilterWeights<T> Weights)
    where T : unmanaged;

/// <summary>Senders whose edges a launch takes.</summary>
/// <param name="First">Atom.</param>
/// <param name="End">The one after the last.</param>
public readonly record struct FilterSenders(int First, int End);

/// <summary>The convolution's inputs, or directions in their space; empty directions are zero.</summary>
/// <param name="Features">(A, N) h</param>
/// <param name="Radial">(E, K) phi</param>
/// <param name="Envelope">(E, 1) f</param>
public readonly record struct FilterInputs<T>(DeviceArray<T> Features, DeviceArray<T> Radial, DeviceArray<T> Envelope)
    where T : unmanaged;

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
        return checked(numberBytes * (edges * (wide * Filters + radial * RadialPadded + (dots ? (Filters / 4) | 1 : 0)) + Filters));
    }
}

/// <summary>The edges, sorted by receiver, and their order by sender.</summary>
/// <param name="RowStarts">(A + 1) by receiver</param>
/// <param name="SenderRowStarts">(A + 1) by sender; only backward</param>
/// <param name="SenderEdges">(E) edges by sender; only backward</param>
/// <param name="Senders">(E)</param>
/// <param name="Receivers">(E)</param>
public readonly record struct FilterEdges(
    DeviceArray<long> RowStarts, DeviceArray<long> SenderRowStarts, DeviceArray<long> SenderEdges, DeviceArray<long> Senders,
    DeviceArray<long> Receivers)
{
    public int Atoms => (int)RowStarts.Length - 1;
}

/// <summary>The filter network in both orders, padded with zeros to widths of multiples of four, at multiples of 16 bytes.</summary>
/// <param name="Weight1">(K padded, N) W1^T</param>
/// <param name="Bias1">(N)</param>
/// <param name="Weight2">(N, N) W2^T</param>
/// <param name="Bias2">(N)</param>
/// <param name="Plain1">(N, K padded) W1; only backward</param>
/// <param name="Plain2">(N, N) W2; only backward</param>
public readonly record struct FilterWeights<T>(
    DeviceArray<T> Weight1, DeviceArray<T> Bias1, DeviceArray<T> Weight2, DeviceArray<T> Bias2,
    DeviceArray<T> Plain1, DeviceArray<T> Plain2)
    where T : unmanaged;

/// <summary>The kernels of the convolution.</summary>
internal enum FilterPass
{
    Forward,
    Tangent,
    Backward,
    DoubleBackward,
}

/// <summary>
/// What the weights' gradients need of a launch's edges, to be multiplied afterwards: by W1 inner^T inputs, by b1 the sum of inner, by W2
/// outer^T hidden, by b2 the sum of outer. In the double backward pass each is there twice, for values and derivatives, and the products
/// take both. All empty: no weight wants a gradient.
/// </summary>
/// <param name="Inputs">(edges, K padded) phi</param>
/// <param name="Hidden">(edges, N) ssp(s)</param>
/// <param name="Inner">(edges, N) by s</param>
/// <param name="Outer">(edges, N) by t</param>
public readonly record struct FilterScratch<T>(DeviceArray<T> Inputs, DeviceArray<T> Hidden, DeviceArray<T> Inner, DeviceArray<T> Outer)
    where T : unmanaged;
