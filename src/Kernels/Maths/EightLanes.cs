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
}
