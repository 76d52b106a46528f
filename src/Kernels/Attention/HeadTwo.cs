using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

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
