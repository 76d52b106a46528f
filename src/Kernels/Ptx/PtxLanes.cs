using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ChemScale.Kernels.Ptx;

/// <summary>Registers of 32 lanes, as vectors. Lanes whose bit is not set keep what they had.</summary>
internal static unsafe class PtxLanes
{
    public const int Count = 32;
    public const uint All = uint.MaxValue;

    /// <summary>A 32-bit register of each lane's neighbour.</summary>
    public static void Shuffle(PtxInstruction i, byte* file)
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

    /// <param name="at">Place of the first.</param>
    /// <param name="values">Of as many lanes as a vector has.</param>
    /// <param name="lanes">Which of them take part, from the lowest bit on.</param>
    /// <param name="all">All do.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Put<T>(T* at, Vector256<T> values, uint lanes, bool all = false)
        where T : unmanaged
    {
        uint whole = (1u << Vector256<T>.Count) - 1;
        if (!all && (lanes & whole) != whole) values = Vector256.ConditionalSelect(Mask<T>(lanes), values, Vector256.Load(at));
        values.Store(at);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void PutPredicate(byte* at, uint values, uint lanes) => *(uint*)at = (*(uint*)at & ~lanes) | (values & lanes);

    /// <summary>All bits of the lanes whose bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Mask<T>(uint lanes)
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

// Shapes of steps. Vectors are written out by fours, all of a 32-bit register: loops of four take as long again.
internal readonly unsafe struct Unary<TFrom, T, TFunction> : IPtxShape
    where TFrom : unmanaged
    where T : unmanaged
    where TFunction : struct, IUnary<TFrom, T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* result = (T*)(file + s->Result);
        TFrom* a = (TFrom*)(file + s->A);
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
        {
            PtxLanes.Put(result + k, TFunction.Of(Vector256.Load(a + k)), lanes >> k, all);
            PtxLanes.Put(result + k + w, TFunction.Of(Vector256.Load(a + k + w)), lanes >> (k + w), all);
            PtxLanes.Put(result + k + 2 * w, TFunction.Of(Vector256.Load(a + k + 2 * w)), lanes >> (k + 2 * w), all);
            PtxLanes.Put(result + k + 3 * w, TFunction.Of(Vector256.Load(a + k + 3 * w)), lanes >> (k + 3 * w), all);
        }
    }
}

internal readonly unsafe struct Binary<T, TFunction> : IPtxShape
    where T : unmanaged
    where TFunction : struct, IBinary<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* result = (T*)(file + s->Result), a = (T*)(file + s->A), b = (T*)(file + s->B);
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
        {
            PtxLanes.Put(result + k, Of(a + k, b + k), lanes >> k, all);
            PtxLanes.Put(result + k + w, Of(a + k + w, b + k + w), lanes >> (k + w), all);
            PtxLanes.Put(result + k + 2 * w, Of(a + k + 2 * w, b + k + 2 * w), lanes >> (k + 2 * w), all);
            PtxLanes.Put(result + k + 3 * w, Of(a + k + 3 * w, b + k + 3 * w), lanes >> (k + 3 * w), all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Of(T* a, T* b) => TFunction.Of(Vector256.Load(a), Vector256.Load(b));
}

internal readonly unsafe struct Ternary<T, TFunction> : IPtxShape
    where T : unmanaged
    where TFunction : struct, ITernary<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* result = (T*)(file + s->Result), a = (T*)(file + s->A), b = (T*)(file + s->B), c = (T*)(file + s->C);
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
        {
            PtxLanes.Put(result + k, Of(a + k, b + k, c + k), lanes >> k, all);
            PtxLanes.Put(result + k + w, Of(a + k + w, b + k + w, c + k + w), lanes >> (k + w), all);
            PtxLanes.Put(result + k + 2 * w, Of(a + k + 2 * w, b + k + 2 * w, c + k + 2 * w), lanes >> (k + 2 * w), all);
            PtxLanes.Put(result + k + 3 * w, Of(a + k + 3 * w, b + k + 3 * w, c + k + 3 * w), lanes >> (k + 3 * w), all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Of(T* a, T* b, T* c) => TFunction.Of(Vector256.Load(a), Vector256.Load(b), Vector256.Load(c));
}

/// <summary>A function gives all bits or none of each lane; a predicate keeps one.</summary>
internal readonly unsafe struct Compare<T, TFunction> : IPtxShape
    where T : unmanaged
    where TFunction : struct, IBinary<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* a = (T*)(file + s->A), b = (T*)(file + s->B);
        uint holds = 0;
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
            holds |= (Of(a + k, b + k) | Of(a + k + w, b + k + w) << w | Of(a + k + 2 * w, b + k + 2 * w) << (2 * w) | Of(a + k + 3 * w, b + k + 3 * w) << (3 * w)) << k;
        if (all) *(uint*)(file + s->Result) = holds;
        else PtxLanes.PutPredicate(file + s->Result, holds, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Of(T* a, T* b) => (uint)TFunction.Of(Vector256.Load(a), Vector256.Load(b)).ExtractMostSignificantBits();
}

internal readonly unsafe struct Select<T> : IPtxShape
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* result = (T*)(file + s->Result), a = (T*)(file + s->A), b = (T*)(file + s->B);
        uint chosen = *(uint*)(file + s->C);
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
        {
            PtxLanes.Put(result + k, Of(a + k, b + k, chosen >> k), lanes >> k, all);
            PtxLanes.Put(result + k + w, Of(a + k + w, b + k + w, chosen >> (k + w)), lanes >> (k + w), all);
            PtxLanes.Put(result + k + 2 * w, Of(a + k + 2 * w, b + k + 2 * w, chosen >> (k + 2 * w)), lanes >> (k + 2 * w), all);
            PtxLanes.Put(result + k + 3 * w, Of(a + k + 3 * w, b + k + 3 * w, chosen >> (k + 3 * w)), lanes >> (k + 3 * w), all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<T> Of(T* a, T* b, uint chosen) => Vector256.ConditionalSelect(PtxLanes.Mask<T>(chosen), Vector256.Load(a), Vector256.Load(b));
}

internal readonly unsafe struct Predicates<TFunction> : IPtxShape
    where TFunction : struct, IPredicate
{
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all) =>
        PtxLanes.PutPredicate(file + s->Result, TFunction.Of(*(uint*)(file + s->A), *(uint*)(file + s->B)), lanes);
}

/// <summary>By a literal. Amounts beyond the width leave nothing, or the sign.</summary>
internal readonly unsafe struct ShiftAll<T, TFunction> : IPtxShape
    where T : unmanaged
    where TFunction : struct, IShift<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        int w = Vector256<T>.Count;
        T* result = (T*)(file + s->Result), a = (T*)(file + s->A);
        uint by = *(uint*)(file + s->B);
        for (int k = 0; k < PtxLanes.Count; k += 4 * w)
        {
            PtxLanes.Put(result + k, TFunction.Of(Vector256.Load(a + k), by), lanes >> k, all);
            PtxLanes.Put(result + k + w, TFunction.Of(Vector256.Load(a + k + w), by), lanes >> (k + w), all);
            PtxLanes.Put(result + k + 2 * w, TFunction.Of(Vector256.Load(a + k + 2 * w), by), lanes >> (k + 2 * w), all);
            PtxLanes.Put(result + k + 3 * w, TFunction.Of(Vector256.Load(a + k + 3 * w), by), lanes >> (k + 3 * w), all);
        }
    }
}

/// <summary>By each lane's own amount.</summary>
internal readonly unsafe struct ShiftEach<T, TFunction> : IPtxShape
    where T : unmanaged
    where TFunction : struct, IShift<T>
{
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        T* result = (T*)(file + s->Result), a = (T*)(file + s->A);
        uint* by = (uint*)(file + s->B);
        for (int l = 0; l < PtxLanes.Count; l++)
            if (all || (lanes >> l & 1) != 0) result[l] = TFunction.Of(Vector256.CreateScalar(a[l]), by[l]).ToScalar();
    }
}

/// <summary>Functions from one type to another, lane by lane.</summary>
internal readonly unsafe struct Each<TFrom, TTo, TFunction> : IPtxShape
    where TFrom : unmanaged
    where TTo : unmanaged
    where TFunction : struct, ILane<TFrom, TTo>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        TTo* result = (TTo*)(file + s->Result);
        TFrom* a = (TFrom*)(file + s->A), b = (TFrom*)(file + s->B);
        for (int l = 0; l < PtxLanes.Count; l++)
            if (all || (lanes >> l & 1) != 0) result[l] = TFunction.Of(a[l], b[l]);
    }
}

/// <summary>To half the width.</summary>
internal readonly unsafe struct Narrow : IPtxShape
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        uint* result = (uint*)(file + s->Result);
        ulong* a = (ulong*)(file + s->A);
        for (int k = 0; k < PtxLanes.Count; k += 8)
            PtxLanes.Put(result + k, Vector256.Narrow(Vector256.Load(a + k), Vector256.Load(a + k + 4)), lanes >> k, all);
    }
}

/// <summary>To twice the width, with the sign or with zeros: <typeparamref name="T"/> is int or uint.</summary>
internal readonly unsafe struct Widen<T> : IPtxShape
    where T : unmanaged
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        ulong* result = (ulong*)(file + s->Result);
        uint* a = (uint*)(file + s->A);
        for (int k = 0; k < PtxLanes.Count; k += 8)
        {
            (Vector256<ulong> lower, Vector256<ulong> upper) = Of(Vector256.Load(a + k));
            PtxLanes.Put(result + k, lower, lanes >> k, all);
            PtxLanes.Put(result + k + 4, upper, lanes >> (k + 4), all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<ulong> Lower, Vector256<ulong> Upper) Of(Vector256<uint> a)
    {
        if (typeof(T) != typeof(int)) return Vector256.Widen(a);
        (Vector256<long> lower, Vector256<long> upper) = Vector256.Widen(a.AsInt32());
        return (lower.AsUInt64(), upper.AsUInt64());
    }
}

/// <summary>a b of 32-bit numbers, in 64 bits.</summary>
internal readonly unsafe struct WideProduct : IPtxShape
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        ulong* result = (ulong*)(file + s->Result);
        uint* a = (uint*)(file + s->A), b = (uint*)(file + s->B);
        for (int k = 0; k < PtxLanes.Count; k += 8)
        {
            (Vector256<ulong> lower, Vector256<ulong> upper) = Of(a + k, b + k);
            PtxLanes.Put(result + k, lower, lanes >> k, all);
            PtxLanes.Put(result + k + 4, upper, lanes >> (k + 4), all);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector256<ulong> Lower, Vector256<ulong> Upper) Of(uint* x, uint* y)
    {
        (Vector256<ulong> lowA, Vector256<ulong> highA) = Vector256.Widen(Vector256.Load(x));
        (Vector256<ulong> lowB, Vector256<ulong> highB) = Vector256.Widen(Vector256.Load(y));
        return (Times(lowA, lowB), Times(highA, highB));
    }

    // Upper halves are zero.
    private static Vector256<ulong> Times(Vector256<ulong> x, Vector256<ulong> y) =>
        Avx2.IsSupported ? Avx2.Multiply(x.AsUInt32(), y.AsUInt32()) : x * y;
}

/// <summary>a b + c, of which c has 64 bits: an address.</summary>
internal readonly unsafe struct WideProductSum : IPtxShape
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Do(PtxStep* s, byte* file, uint lanes, bool all)
    {
        ulong* result = (ulong*)(file + s->Result), c = (ulong*)(file + s->C);
        uint* a = (uint*)(file + s->A), b = (uint*)(file + s->B);
        for (int k = 0; k < PtxLanes.Count; k += 8)
        {
            (Vector256<ulong> lower, Vector256<ulong> upper) = WideProduct.Of(a + k, b + k);
            PtxLanes.Put(result + k, lower + Vector256.Load(c + k), lanes >> k, all);
            PtxLanes.Put(result + k + 4, upper + Vector256.Load(c + k + 4), lanes >> (k + 4), all);
        }
    }
}

internal interface IUnary<TFrom, TTo>
{
    static abstract Vector256<TTo> Of(Vector256<TFrom> a);
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

internal interface IPredicate
{
    static abstract uint Of(uint a, uint b);
}

internal interface ILane<TFrom, TTo>
{
    /// <param name="a">First source.</param>
    /// <param name="b">Second source; of functions of one: anything.</param>
    static abstract TTo Of(TFrom a, TFrom b);
}
