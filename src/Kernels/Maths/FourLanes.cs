using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>Four threads share an item.</summary>
public readonly struct FourLanes : ILanes
{
    public static int Count => 4;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T other = Warp.ShuffleXor(value, 2);
        value = other > value ? other : value;
        other = Warp.ShuffleXor(value, 1);
        value = other > value ? other : value;
        return value;
    }
}
