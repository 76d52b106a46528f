using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>Two threads share an item.</summary>
public readonly struct TwoLanes : ILanes
{
    public static int Count => 2;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T> => value + Warp.ShuffleXor(value, 1);

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T other1 = Warp.ShuffleXor(value, 1);
        value = other1 > value ? other1 : value;
        return value;
    }
}
