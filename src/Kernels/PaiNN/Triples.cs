using System.Numerics;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.PaiNN;

/// <summary>Triples in memory, as rows (3, packs), and their products.</summary>
internal static class Triples
{
    /// <param name="values">(rows, 3, packs)</param>
    /// <param name="row">Which row.</param>
    /// <param name="packs">Packs of a third of a row.</param>
    /// <param name="f">Which of them.</param>
    public static Triple<TPack> Load<TPack>(ArrayView<TPack> values, int row, int packs, int f)
        where TPack : unmanaged
    {
        int at = 3 * packs * row + f;
        return new Triple<TPack> { A = values[at], B = values[at + packs], C = values[at + 2 * packs] };
    }

    /// <param name="directions">(edges, 3)</param>
    /// <param name="edge">Which edge.</param>
    public static Triple<T> Direction<T>(ArrayView<T> directions, int edge)
        where T : unmanaged => Load(directions, edge, 1, 0);

    public static void Store<TPack>(ArrayView<TPack> values, int row, int packs, int f, Triple<TPack> triple)
        where TPack : unmanaged
    {
        int at = 3 * packs * row + f;
        values[at] = triple.A;
        values[at + packs] = triple.B;
        values[at + 2 * packs] = triple.C;
    }

    public static TPack Dot<T, TPack>(Triple<TPack> left, Triple<TPack> right)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> => left.A * right.A + left.B * right.B + left.C * right.C;

    public static TPack Along<T, TPack>(Triple<TPack> vector, Triple<T> direction)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> => vector.A * direction.A + vector.B * direction.B + vector.C * direction.C;

    /// <returns>sum + factor vector</returns>
    public static Triple<TPack> Add<T, TPack>(Triple<TPack> sum, Triple<TPack> vector, TPack factor)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> =>
        new() { A = sum.A + vector.A * factor, B = sum.B + vector.B * factor, C = sum.C + vector.C * factor };

    /// <returns>sum + factor direction</returns>
    public static Triple<TPack> AddAlong<T, TPack>(Triple<TPack> sum, Triple<T> direction, TPack factor)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> =>
        new() { A = sum.A + factor * direction.A, B = sum.B + factor * direction.B, C = sum.C + factor * direction.C };

    /// <returns>Per component sum + the values of the pack of factor vector.</returns>
    public static Triple<T> AddSums<T, TPack>(Triple<T> sum, Triple<TPack> vector, TPack factor)
        where T : unmanaged, INumber<T>
        where TPack : unmanaged, IPack<T, TPack> =>
        new()
        {
            A = sum.A + TPack.Sum(vector.A * factor),
            B = sum.B + TPack.Sum(vector.B * factor),
            C = sum.C + TPack.Sum(vector.C * factor),
        };

    /// <summary>Sum over the lanes of an item.</summary>
    public static Triple<T> LaneSum<T, TLanes>(Triple<T> values)
        where T : unmanaged, INumber<T>
        where TLanes : struct, ILanes => new() { A = TLanes.Sum(values.A), B = TLanes.Sum(values.B), C = TLanes.Sum(values.C) };
}

/// <summary>The parts a, b, c of an atom's context or of a filter, or the components x, y, z of a vector.</summary>
public struct Triple<TPack>
    where TPack : unmanaged
{
    public TPack A;
    public TPack B;
    public TPack C;
}
