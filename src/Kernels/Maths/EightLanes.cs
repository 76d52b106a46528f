using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>Eight threads share an item.</summary>
public readonly struct EightLanes : ILanes
{
    public static int Count => 8;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        value += Warp.ShuffleXor(value, 4);
        value += Warp.ShuffleXor(value, 2);
        return value + Warp.ShuffleXor(value, 1);
    }

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        T other4 = Warp.ShuffleXor(value, 4);
        value = other4 > value ? other4 : value;
        T other2 = Warp.ShuffleXor(value, 2);
        value = other2 > value ? other2 : value;
        T other1 = Warp.ShuffleXor(value, 1);
        value = other1 > value ? other1 : value;
        return value;
    }
}
