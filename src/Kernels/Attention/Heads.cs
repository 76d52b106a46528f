using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

/// <summary>
/// A thread's share of one head's row, in registers: as many packs of neighbouring values as the type holds, written out, since an array
/// would lie in local memory. Several threads that share a row own every so manieth pack, so that neighbours read neighbours.
/// </summary>
public interface IHead<TSelf, TPack, T>
    where TSelf : unmanaged, IHead<TSelf, TPack, T>
    where TPack : unmanaged
    where T : unmanaged, INumber<T>
{
    static abstract int Packs { get; }

    static abstract TSelf Zero { get; }

    /// <param name="rows">Where the row is.</param>
    /// <param name="at">The thread's first pack.</param>
    /// <param name="stride">From one pack of the thread to the next.</param>
    static abstract TSelf Load(ArrayView<TPack> rows, int at, int stride);

    static abstract void Store(ArrayView<TPack> rows, int at, int stride, TSelf value);

    static abstract T Dot(TSelf a, TSelf b);

    /// <summary>sum + factor x</summary>
    static abstract TSelf Add(TSelf sum, T factor, TSelf x);

    static abstract TSelf Scale(T factor, TSelf x);
}

/// <summary>One value.</summary>
public struct HeadOne<T> : IHead<HeadOne<T>, T, T>
    where T : unmanaged, INumber<T>
{
    private T value;

    public static int Packs => 1;

    public static HeadOne<T> Zero => new() { value = T.Zero };

    public static HeadOne<T> Load(ArrayView<T> rows, int at, int stride) => new() { value = rows[at] };

    public static void Store(ArrayView<T> rows, int at, int stride, HeadOne<T> value) => rows[at] = value.value;

    public static T Dot(HeadOne<T> a, HeadOne<T> b) => a.value * b.value;

    public static HeadOne<T> Add(HeadOne<T> sum, T factor, HeadOne<T> x) => new() { value = sum.value + factor * x.value };

    public static HeadOne<T> Scale(T factor, HeadOne<T> x) => new() { value = factor * x.value };
}

/// <summary>Two values: a pack.</summary>
public struct HeadTwo<T> : IHead<HeadTwo<T>, Pack2<T>, T>
    where T : unmanaged, INumber<T>
{
    private Pack2<T> pack;

    public static int Packs => 1;

    public static HeadTwo<T> Zero => Of(T.Zero, T.Zero);

    public static HeadTwo<T> Load(ArrayView<Pack2<T>> rows, int at, int stride) => new() { pack = rows[at] };

    public static void Store(ArrayView<Pack2<T>> rows, int at, int stride, HeadTwo<T> value) => rows[at] = value.pack;

    public static T Dot(HeadTwo<T> a, HeadTwo<T> b) => a.pack.X * b.pack.X + a.pack.Y * b.pack.Y;

    public static HeadTwo<T> Add(HeadTwo<T> sum, T factor, HeadTwo<T> x) =>
        Of(sum.pack.X + factor * x.pack.X, sum.pack.Y + factor * x.pack.Y);

    public static HeadTwo<T> Scale(T factor, HeadTwo<T> x) => Of(factor * x.pack.X, factor * x.pack.Y);

    private static HeadTwo<T> Of(T x, T y) => new() { pack = new Pack2<T> { X = x, Y = y } };
}

/// <summary>Four values: a pack.</summary>
public struct HeadFour<T> : IHead<HeadFour<T>, Pack4<T>, T>
    where T : unmanaged, INumber<T>
{
    private Pack4<T> pack;

    public static int Packs => 1;

    public static HeadFour<T> Zero => Of(T.Zero, T.Zero, T.Zero, T.Zero);

    public static HeadFour<T> Load(ArrayView<Pack4<T>> rows, int at, int stride) => new() { pack = rows[at] };

    public static void Store(ArrayView<Pack4<T>> rows, int at, int stride, HeadFour<T> value) => rows[at] = value.pack;

    public static T Dot(HeadFour<T> a, HeadFour<T> b) =>
        a.pack.X * b.pack.X + a.pack.Y * b.pack.Y + a.pack.Z * b.pack.Z + a.pack.W * b.pack.W;

    public static HeadFour<T> Add(HeadFour<T> sum, T factor, HeadFour<T> x) =>
        Of(sum.pack.X + factor * x.pack.X, sum.pack.Y + factor * x.pack.Y, sum.pack.Z + factor * x.pack.Z, sum.pack.W + factor * x.pack.W);

    public static HeadFour<T> Scale(T factor, HeadFour<T> x) =>
        Of(factor * x.pack.X, factor * x.pack.Y, factor * x.pack.Z, factor * x.pack.W);

    private static HeadFour<T> Of(T x, T y, T z, T w) => new() { pack = new Pack4<T> { X = x, Y = y, Z = z, W = w } };
}

/// <summary>Twice what another holds.</summary>
public struct HeadPair<THalf, TPack, T> : IHead<HeadPair<THalf, TPack, T>, TPack, T>
    where THalf : unmanaged, IHead<THalf, TPack, T>
    where TPack : unmanaged
    where T : unmanaged, INumber<T>
{
    private THalf low;
    private THalf high;

    public static int Packs => 2 * THalf.Packs;

    public static HeadPair<THalf, TPack, T> Zero => Of(THalf.Zero, THalf.Zero);

    public static HeadPair<THalf, TPack, T> Load(ArrayView<TPack> rows, int at, int stride) =>
        Of(THalf.Load(rows, at, stride), THalf.Load(rows, at + THalf.Packs * stride, stride));

    public static void Store(ArrayView<TPack> rows, int at, int stride, HeadPair<THalf, TPack, T> value)
    {
        THalf.Store(rows, at, stride, value.low);
        THalf.Store(rows, at + THalf.Packs * stride, stride, value.high);
    }

    public static T Dot(HeadPair<THalf, TPack, T> a, HeadPair<THalf, TPack, T> b) => THalf.Dot(a.low, b.low) + THalf.Dot(a.high, b.high);

    public static HeadPair<THalf, TPack, T> Add(HeadPair<THalf, TPack, T> sum, T factor, HeadPair<THalf, TPack, T> x) =>
        Of(THalf.Add(sum.low, factor, x.low), THalf.Add(sum.high, factor, x.high));

    public static HeadPair<THalf, TPack, T> Scale(T factor, HeadPair<THalf, TPack, T> x) =>
        Of(THalf.Scale(factor, x.low), THalf.Scale(factor, x.high));

    private static HeadPair<THalf, TPack, T> Of(THalf low, THalf high) => new() { low = low, high = high };
}

/// <summary>Rows of a group's heads in shared memory.</summary>
internal static class HeadTile
{
    /// <summary>Rows that the loops take at once; tiles are filled up to a multiple.</summary>
    public const int Step = 4;

    /// <summary>
    /// Copies rows, the group's threads sharing the work. Within a row the first packs of all lanes come first, then their second ones:
    /// lanes that read their n-th pack read neighbours, without bank conflicts.
    /// </summary>
    /// <param name="source">(rows, rowPacks)</param>
    /// <param name="rowPacks">Packs of a row.</param>
    /// <param name="column">First pack of the group's first head.</param>
    /// <param name="firstRow">First to copy.</param>
    /// <param name="rows">How many; zeros fill the last step, so that what is masked there stays finite.</param>
    /// <param name="place">The group's.</param>
    /// <param name="shared">Written from <paramref name="offset"/> on.</param>
    /// <param name="offset">In packs.</param>
    public static void Fill<T, THead, TPack, TLanes>(
        ArrayView<TPack> source, int rowPacks, int column, int firstRow, int rows, AttentionPlace place,
        ArrayView<TPack> shared, int offset)
        where T : unmanaged, INumber<T>
        where THead : unmanaged, IHead<THead, TPack, T>
        where TPack : unmanaged
        where TLanes : struct, ILanes
    {
        int headPacks = THead.Packs * TLanes.Count, copied = place.Heads * headPacks, rowShared = THead.Packs * place.Width;
        int total = (rows + Step - 1) / Step * Step * copied;
        for (int i = Group.IdxX; i < total; i += Group.DimX)
        {
            int row = i / copied, pack = i - row * copied;
            int head = pack / headPacks, within = pack - head * headPacks, step = within >> TLanes.Shift, lane = within & (TLanes.Count - 1);
            TPack value = default;
            if (row < rows) value = source[(firstRow + row) * rowPacks + column + pack];
            shared[offset + row * rowShared + step * place.Width + head * TLanes.Count + lane] = value;
        }
    }
}
