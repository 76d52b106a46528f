using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>A whole warp shares an item.</summary>
public readonly struct WarpLanes : ILanes
{
    public static int Count => 32;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        value += Warp.ShuffleXor(value, 16);
        value += Warp.ShuffleXor(value, 8);
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T other = Warp.ShuffleXor(value, 16);
        value = other > value ? other : value;
        other = Warp.ShuffleXor(value, 8);
        value = other > value ? other : value;
        other = Warp.ShuffleXor(value, 4);
        value = other > value ? other : value;
        other = Warp.ShuffleXor(value, 2);
        value = other > value ? other : value;
        other = Warp.ShuffleXor(value, 1);
        value = other > value ? other : value;
        return value;
    }
}
