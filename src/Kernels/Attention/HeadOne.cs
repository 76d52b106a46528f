using System.Numerics;
using ILGPU;

namespace ChemScale.Kernels.Attention;

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
