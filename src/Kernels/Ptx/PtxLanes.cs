using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

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
        for (int k = 0; k < Count; k += Vector256<T>.Count) Put(result + k, TFunction.Of(Vector256.Load(a + k)), lanes >> k);
    }

    public static void Binary<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IBinary<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        for (int k = 0; k < Count; k += Vector256<T>.Count)
            Put(result + k, TFunction.Of(Vector256.Load(a + k), Vector256.Load(b + k)), lanes >> k);
    }

    public static void Ternary<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, ITernary<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B), c = (T*)(file + i.C);
        for (int k = 0; k < Count; k += Vector256<T>.Count)
            Put(result + k, TFunction.Of(Vector256.Load(a + k), Vector256.Load(b + k), Vector256.Load(c + k)), lanes >> k);
    }

    /// <summary>A function gives all bits or none of each lane; a predicate keeps one.</summary>
    public static void Compare<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IBinary<T>
    {
        T* a = (T*)(file + i.A), b = (T*)(file + i.B);
        uint holds = 0;
        for (int k = 0; k < Count; k += Vector256<T>.Count)
            holds |= (uint)TFunction.Of(Vector256.Load(a + k), Vector256.Load(b + k)).ExtractMostSignificantBits() << k;
        PutPredicate(file + i.Result, holds, lanes);
    }

    public static void Select<T>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        uint chosen = *(uint*)(file + i.C);
        for (int k = 0; k < Count; k += Vector256<T>.Count)
            Put(result + k, Vector256.ConditionalSelect(Mask<T>(chosen >> k), Vector256.Load(a + k), Vector256.Load(b + k)), lanes >> k);
    }

    public static void Move<T>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A);
        for (int k = 0; k < Count; k += Vector256<T>.Count) Put(result + k, Vector256.Load(a + k), lanes >> k);
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
            for (int k = 0; k < Count; k += Vector256<T>.Count) Put(result + k, TFunction.Of(Vector256.Load(a + k), *by), lanes >> k);
            return;
        }
        for (int l = 0; l < Count; l++)
            if ((lanes >> l & 1) != 0) result[l] = TFunction.Of(Vector256.CreateScalar(a[l]), by[l]).ToScalar();
    }

    /// <summary>Integers: a divisor of zero is a fault.</summary>
    public static void Divide<T, TFunction>(PtxInstruction i, byte* file, uint lanes)
        where T : unmanaged
        where TFunction : struct, IQuotient<T>
    {
        T* result = (T*)(file + i.Result), a = (T*)(file + i.A), b = (T*)(file + i.B);
        if ((Where(file + i.B, default(T)) & lanes) is var zeros and not 0) throw i.Fault($"division by zero in lane {BitOperations.TrailingZeroCount(zeros)}");
        for (int k = 0; k < Count; k += Vector256<T>.Count) Put(result + k, TFunction.Of(Vector256.Load(a + k), Vector256.Load(b + k)), lanes >> k);
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

    /// <summary>Functions from vectors to vectors of half or twice the width.</summary>
    public static void Narrow(PtxInstruction i, byte* file, uint lanes)
    {
        uint* result = (uint*)(file + i.Result);
        ulong* a = (ulong*)(file + i.A);
        for (int k = 0; k < Count; k += Vector256<uint>.Count)
            Put(result + k, Vector256.Narrow(Vector256.Load(a + k), Vector256.Load(a + k + Vector256<ulong>.Count)), lanes >> k);
    }

    /// <inheritdoc cref="Narrow"/>
    public static void Widen(PtxInstruction i, byte* file, uint lanes)
    {
        long* result = (long*)(file + i.Result);
        int* a = (int*)(file + i.A);
        for (int k = 0; k < Count; k += Vector256<int>.Count)
        {
            (Vector256<long> lower, Vector256<long> upper) = Vector256.Widen(Vector256.Load(a + k));
            Put(result + k, lower, lanes >> k);
            Put(result + k + Vector256<long>.Count, upper, lanes >> k + Vector256<long>.Count);
        }
    }

    /// <inheritdoc cref="Narrow"/>
    public static void WidenUnsigned(PtxInstruction i, byte* file, uint lanes)
    {
        ulong* result = (ulong*)(file + i.Result);
        uint* a = (uint*)(file + i.A);
        for (int k = 0; k < Count; k += Vector256<uint>.Count)
        {
            (Vector256<ulong> lower, Vector256<ulong> upper) = Vector256.Widen(Vector256.Load(a + k));
            Put(result + k, lower, lanes >> k);
            Put(result + k + Vector256<ulong>.Count, upper, lanes >> k + Vector256<ulong>.Count);
        }
    }

    public static void WideProduct(PtxInstruction i, byte* file, uint lanes)
    {
        ulong* result = (ulong*)(file + i.Result);
        uint* a = (uint*)(file + i.A), b = (uint*)(file + i.B);
        for (int k = 0; k < Count; k += Vector256<uint>.Count)
        {
            (Vector256<ulong> lowA, Vector256<ulong> highA) = Vector256.Widen(Vector256.Load(a + k));
            (Vector256<ulong> lowB, Vector256<ulong> highB) = Vector256.Widen(Vector256.Load(b + k));
            Put(result + k, Times(lowA, lowB), lanes >> k);
            Put(result + k + Vector256<ulong>.Count, Times(highA, highB), lanes >> k + Vector256<ulong>.Count);
        }

        // Upper halves are zero.
        static Vector256<ulong> Times(Vector256<ulong> x, Vector256<ulong> y) =>
            Avx2.IsSupported ? Avx2.Multiply(x.AsUInt32(), y.AsUInt32()) : x * y;
    }

    /// <summary>A 32-bit register of each lane's neighbour.</summary>
    public static void Shuffle(PtxInstruction i, byte* file, uint lanes)
    {
        int each = Vector256<uint>.Count, across = i.Across / each;
        uint* result = (uint*)(file + i.Result), a = (uint*)(file + i.A);
        Vector256<uint> within = Vector256<uint>.Indices ^ Vector256.Create((uint)(i.Across % each));
        // The result may stand where the source does.
        Vector256<uint>* found = stackalloc Vector256<uint>[Count / Vector256<uint>.Count];
        for (int k = 0; k < Count / each; k++) found[k] = Vector256.Shuffle(Vector256.Load(a + each * (k ^ across)), within);
        for (int k = 0; k < Count / each; k++) found[k].Store(result + each * k);
    }

    /// <summary>The lanes whose number is this, to the bit.</summary>
    public static uint Where<T>(byte* register, T number)
        where T : unmanaged
    {
        uint found = 0;
        for (int k = 0; k < Count; k += Vector256<T>.Count)
            found |= (uint)Vector256.Equals(Vector256.Load((T*)register + k), Vector256.Create(number)).ExtractMostSignificantBits() << k;
        return found;
    }

    /// <summary>The same number in all lanes of a register.</summary>
    public static void Fill<T>(byte* register, T value)
        where T : unmanaged
    {
        for (int k = 0; k < Count; k += Vector256<T>.Count) Vector256.Create(value).Store((T*)register + k);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(T* at, Vector256<T> values, uint lanes)
        where T : unmanaged
    {
        uint whole = (1u << Vector256<T>.Count) - 1;
        if ((lanes & whole) != whole) values = Vector256.ConditionalSelect(Mask<T>(lanes), values, Vector256.Load(at));
        values.Store(at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PutPredicate(byte* at, uint values, uint lanes) => *(uint*)at = (*(uint*)at & ~lanes) | (values & lanes);

    /// <summary>All bits of the lanes whose bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Mask<T>(uint lanes)
        where T : unmanaged
    {
        if (sizeof(T) == 4)
        {
            Vector256<uint> bits = Vector256.Create(1u, 2, 4, 8, 16, 32, 64, 128);
            return Vector256.Equals(Vector256.Create(lanes) & bits, bits).As<uint, T>();
        }
        Vector256<ulong> wide = Vector256.Create(1ul, 2, 4, 8);
        return Vector256.Equals(Vector256.Create((ulong)lanes) & wide, wide).As<ulong, T>();
    }
}

internal interface IUnary<T>
{
    static abstract Vector256<T> Of(Vector256<T> a);
}

internal interface IBinary<T>
{
    static abstract Vector256<T> Of(Vector256<T> a, Vector256<T> b);
}

internal interface ITernary<T>
{
    static abstract Vector256<T> Of(Vector256<T> a, Vector256<T> b, Vector256<T> c);
}

internal interface IShift<T>
{
    static abstract Vector256<T> Of(Vector256<T> a, uint by);
}

internal interface IQuotient<T>
{
    static abstract Vector256<T> Of(Vector256<T> a, Vector256<T> b);
}

internal interface ILane<TFrom, TTo>
{
    /// <param name="a">First source.</param>
    /// <param name="b">Second source; of functions of one: anything.</param>
    static abstract TTo Of(TFrom a, TFrom b);
}
