using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ChemScale.Kernels.Ptx;

/// <summary>What instructions do with the 32 lanes of a warp, by vectors. Lanes whose bit is not set keep what they had.</summary>
internal static unsafe class PtxLanes
{
    public const int Count = 32;
    public const uint All = uint.MaxValue;

    public static void Unary<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IUnary<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A);
        for (int k = 0; k < Count; k += Vector512<T>.Count) Put(result + k, TFunction.Of(Vector512.Load(a + k)), lanes >> k);
    }

    public static void Binary<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IBinary<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        for (int k = 0; k < Count; k += Vector512<T>.Count)
            Put(result + k, TFunction.Of(Vector512.Load(a + k), Vector512.Load(b + k)), lanes >> k);
    }

    public static void Ternary<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, ITernary<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B), c = (T*)(file + i.C);
        for (int k = 0; k < Count; k += Vector512<T>.Count)
            Put(result + k, TFunction.Of(Vector512.Load(a + k), Vector512.Load(b + k), Vector512.Load(c + k)), lanes >> k);
    }

    /// <summary>A function gives all bits or none of each lane; a predicate keeps one.</summary>
    public static void Compare<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IBinary<T>
    {
        T* a = (T*)(file + i.A), b = (T*)(file + i.B);
        uint holds = 0;
        for (int k = 0; k < Count; k += Vector512<T>.Count)
            holds |= (uint)TFunction.Of(Vector512.Load(a + k), Vector512.Load(b + k)).ExtractMostSignificantBits() << k;
        PutPredicate(file + i.Result, holds, lanes);
    }

    public static void Select<T>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        uint chosen = *(uint*)(file + i.C);
        for (int k = 0; k < Count; k += Vector512<T>.Count)
            Put(result + k, Vector512.ConditionalSelect(Mask<T>(chosen >> k), Vector512.Load(a + k), Vector512.Load(b + k)), lanes >> k);
    }

    public static void Move<T>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A);
        for (int k = 0; k < Count; k += Vector512<T>.Count) Put(result + k, Vector512.Load(a + k), lanes >> k);
    }

    public static void MovePredicate(PtxInstruction i, byte* file, uint lanes) => PutPredicate(file + i.Result, *(uint*)(file + i.A), lanes);

    public static void AndPredicate(PtxInstruction i, byte* file, uint lanes) =>
        PutPredicate(file + i.Result, *(uint*)(file + i.A) & *(uint*)(file + i.B), lanes);

    public static void OrPredicate(PtxInstruction i, byte* file, uint lanes) =>
        PutPredicate(file + i.Result, *(uint*)(file + i.A) | *(uint*)(file + i.B), lanes);

    /// <summary>Amounts beyond the width leave nothing, or the sign.</summary>
    public static void Shift<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IShift<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A);
        uint* by = (uint*)(file + i.B);
        if (i.Literal)
        {
            for (int k = 0; k < Count; k += Vector512<T>.Count) Put(result + k, TFunction.Of(Vector512.Load(a + k), *by), lanes >> k);
            return;
        }
        for (int l = 0; l < Count; l++)
            if ((lanes >> l & 1) != 0) result[l] = TFunction.Of(Vector512.CreateScalar(a[l]), by[l]).ToScalar();
    }

    /// <summary>Integers: a divisor of zero is a fault.</summary>
    public static void Divide<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged, IBinaryInteger<T>
        where TFunction : struct, ILane<T, T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        for (int l = 0; l < Count; l++)
        {
            if ((lanes >> l & 1) == 0) continue;
            if (b[l] == T.Zero) throw i.Fault($"division by zero in lane {l}");
            result[l] = TFunction.Of(a[l], b[l]);
        }
    }

    /// <summary>Functions from one type to another, lane by lane.</summary>
    public static void Each<TFrom, TTo, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where TFrom : unmanaged
        where TTo : unmanaged
        where TFunction : struct, ILane<TFrom, TTo>
    {
        TTo* result = (TTo*)(file + i.Result);
        TFrom* a = (TFrom*)(file + i.A), b = (TFrom*)(file + i.B);
        if (lanes == All)
        {
            for (int l = 0; l < Count; l++) result[l] = TFunction.Of(a[l], b[l]);
            return;
        }
        for (int l = 0; l < Count; l++)
            if ((lanes >> l & 1) != 0) result[l] = TFunction.Of(a[l], b[l]);
    }

    public static void WideProduct(PtxInstruction i, byte* file, uint lanes)
    {
        ulong* result = (ulong*)(file + i.Result);
        uint* a = (uint*)(file + i.A), b = (uint*)(file + i.B);
        for (int k = 0; k < Count; k += Vector512<uint>.Count)
        {
            (Vector512<ulong> lowA, Vector512<ulong> highA) = Vector512.Widen(Vector512.Load(a + k));
            (Vector512<ulong> lowB, Vector512<ulong> highB) = Vector512.Widen(Vector512.Load(b + k));
            Put(result + k, lowA * lowB, lanes >> k);
            Put(result + k + Vector512<ulong>.Count, highA * highB, lanes >> k + Vector512<ulong>.Count);
        }
    }

    /// <summary>A 32-bit register of each lane's neighbour.</summary>
    public static void Shuffle(PtxInstruction i, byte* file, uint lanes)
    {
        uint* result = (uint*)(file + i.Result), a = (uint*)(file + i.A);
        uint* taken = stackalloc uint[Count];
        for (int l = 0; l < Count; l++) taken[l] = a[l ^ i.Across];
        for (int l = 0; l < Count; l++) result[l] = taken[l];
    }

    /// <summary>The same number in all lanes of a register.</summary>
    public static void Fill<T>(byte* register, T value)
        where T : unmanaged
    {
        for (int k = 0; k < Count; k += Vector512<T>.Count) Vector512.Create(value).Store((T*)register + k);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(T* at, Vector512<T> values, uint lanes)
        where T : unmanaged
    {
        uint whole = (1u << Vector512<T>.Count) - 1;
        if ((lanes & whole) != whole) values = Vector512.ConditionalSelect(Mask<T>(lanes), values, Vector512.Load(at));
        values.Store(at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutPredicate(byte* at, uint values, uint lanes) => *(uint*)at = (*(uint*)at & ~lanes) | (values & lanes);

    /// <summary>All bits of the lanes whose bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<T> Mask<T>(uint lanes)
        where T : unmanaged
    {
        if (sizeof(T) == 4)
        {
            Vector512<uint> bits = Vector512.Create(1u, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768);
            return Vector512.Equals(Vector512.Create(lanes) & bits, bits).As<uint, T>();
        }
        Vector512<ulong> wide = Vector512.Create(1ul, 2, 4, 8, 16, 32, 64, 128);
        return Vector512.Equals(Vector512.Create((ulong)lanes) & wide, wide).As<ulong, T>();
    }
}

internal interface IUnary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a);
}

internal interface IBinary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b);
}

internal interface ITernary<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, Vector512<T> b, Vector512<T> c);
}

internal interface IShift<T>
{
    static abstract Vector512<T> Of(Vector512<T> a, uint by);
}

internal interface ILane<TFrom, TTo>
{
    /// <param name="a">First source.</param>
    /// <param name="b">Second source; of functions of one: anything.</param>
    static abstract TTo Of(TFrom a, TFrom b);
}
