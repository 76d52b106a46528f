using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention;

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
