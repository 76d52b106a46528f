using System.Numerics;
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
