namespace ChemScale.Kernels.Maths;

/// <summary>A thread of its own for each item: any group size, as on the CPU.</summary>
public readonly struct OneLane : ILanes
{
    public static int Count => 1;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T> => value;

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T> => value;
}
