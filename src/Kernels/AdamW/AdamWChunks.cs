using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.AdamW;

/// <summary>The table of an AdamW update: which pieces of which arrays its groups take.</summary>
public sealed class AdamWChunks
{
    internal const int Columns = 5;

    // Long enough that the table is small beside what it points to, short enough that one large table of embeddings feeds every group.
    private const int Elements = 4096;

    private readonly List<long> rows = [];
    private readonly List<object?> owners = [];

    /// <summary>(chunks, 5): addresses of w, g, m and v, and elements. To be copied to the device.</summary>
    public long[] Rows => [.. rows];

    /// <summary>Whose arrays the addresses point into: the table's array holds them as its own.</summary>
    public IReadOnlyList<object?> Owners => owners;

    /// <summary>Adds a parameter; all four arrays have its length.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public unsafe void Add<T>(DeviceArray<T> parameter, DeviceArray<T> gradient, DeviceArray<T> first, DeviceArray<T> second)
        where T : unmanaged
    {
        long length = parameter.Length;
        if (gradient.Length != length || first.Length != length || second.Length != length)
            throw new ArgumentException($"{length} weights, {gradient.Length} gradients, {first.Length} and {second.Length} moments");
        owners.AddRange([parameter.Owner, gradient.Owner, first.Owner, second.Owner]);
        for (long start = 0; start < length; start += Elements)
        {
            long offset = start * sizeof(T);
            rows.AddRange(
                [parameter.Address + offset, gradient.Address + offset, first.Address + offset, second.Address + offset,
                    Math.Min(Elements, length - start)]);
        }
    }
}
