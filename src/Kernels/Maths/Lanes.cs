using System.Numerics;
using ILGPU;

namespace ChemScale.Kernels.Maths;

/// <summary>
/// How many neighbouring threads of a warp share an item. Every thread of the warp must reach <see cref="Sum"/> together: loop over items
/// with the same number of rounds for all, and let threads without one add zeros. The order of the sum is fixed.
/// </summary>
public interface ILanes
{
    /// <summary>A power of two up to 32; a multiple of it must be the group's size.</summary>
    static abstract int Count { get; }

    /// <summary>
    /// log2 of <see cref="Count"/>: threads, which are not negative, are cut into items by shifts. A division by a constant stays one up to the machine's code.
    /// </summary>
    static abstract int Shift { get; }

    /// <summary>Sum over the lanes of the item, given to each.</summary>
    static abstract T Sum<T>(T value)
        where T : unmanaged, INumber<T>;

    /// <summary>Largest over the lanes of the item, given to each; reached together, as Sum. NaN may or may not win.</summary>
    static abstract T Max<T>(T value)
        where T : unmanaged, INumber<T>;
}

/// <summary>A thread of its own for each item: any group size, as on the CPU.</summary>
public readonly struct OneLane : ILanes
{
    public static int Count => 1;

    public static int Shift => 0;

    public static T Sum<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T> => value;

    public static T Max<T>(T value)
        where T : unmanaged, System.Numerics.INumber<T> => value;
}

/// <summary>Two threads share an item.</summary>
public readonly struct TwoLanes : ILanes
{
    public static int Count => 2;

    public static int Shift => 1;

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

/// <summary>Four threads share an item.</summary>
public readonly struct FourLanes : ILanes
{
    public static int Count => 4;

    public static int Shift => 2;

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

/// <summary>Eight threads share an item.</summary>
public readonly struct EightLanes : ILanes
{
    public static int Count => 8;

    public static int Shift => 3;

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

/// <summary>A whole warp shares an item.</summary>
public readonly struct WarpLanes : ILanes
{
    public static int Count => 32;

    public static int Shift => 5;

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
