using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// How many neighbouring threads of a warp share an item. Every thread of the warp must reach <see cref="Sum"/> together: loop over items
/// with the same number of rounds for all, and let threads without one add zeros. The order of the sum is fixed.
/// </summary>
public interface ILanes
{
    /// <summary>A power of two up to 32; a multiple of it must be the group's size.</summary>
    static abstract int Count { get; }

    /// <summary>Sum over the lanes of the item, given to each.</summary>
    static abstract T Sum<T>(T value)
        where T : unmanaged, INumber<T>;

    /// <summary>Largest over the lanes of the item, given to each; reached together, as Sum. NaN may or may not win.</summary>
    static abstract T Max<T>(T value)
        where T : unmanaged, INumber<T>;
}
