using System.Numerics;
using ILGPU;

namespace ChemScale.Kernels.Attention;

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
