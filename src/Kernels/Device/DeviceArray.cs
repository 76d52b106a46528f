namespace ChemScale.Kernels.Device;

/// <summary>Memory that a kernel sees as an <c>ArrayView</c> of T. Not owned: a launch keeps its owner until it returns.</summary>
/// <param name="Address">Of the first element, on the device that the kernel runs on.</param>
/// <param name="Length">In elements.</param>
/// <param name="Owner">Whose finalizer would free the memory; null: memory that somebody else holds.</param>
public readonly record struct DeviceArray<T>(nint Address, long Length, object? Owner = null)
    where T : unmanaged
{
    /// <summary>No elements: for an argument that a variant of the kernel does not touch.</summary>
    public static DeviceArray<T> Empty => default;

    /// <summary>True where the address is a multiple of 16 bytes, as vector loads and stores need.</summary>
    public bool IsAligned => (Address & 15) == 0;

    /// <summary>Whether rows of <paramref name="width"/> elements are whole packs of four, at addresses that such packs may have.</summary>
    public static bool AreFours(long width, params ReadOnlySpan<DeviceArray<T>> arrays)
    {
        bool fours = width % 4 == 0;
        foreach (DeviceArray<T> array in arrays) fours &= array.IsAligned;
        return fours;
    }

    /// <summary>The same memory as elements of another size, such as a <c>Pack4</c> of T.</summary>
    public unsafe DeviceArray<TOther> As<TOther>()
        where TOther : unmanaged => new(Address, Length * sizeof(T) / sizeof(TOther), Owner);
}
