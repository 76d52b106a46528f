using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>The lists of frames as the edges of their batch, written where the tensors have them.</summary>
internal static class JoinedLists
{
    /// <param name="lists">(frames)</param>
    /// <param name="cells">(frames) Each (3, 3) A; null for a frame that does not repeat.</param>
    /// <param name="device">Where the tensors shall be.</param>
    public static FrameEdges Of(NeighborList[] lists, double[]?[] cells, Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        int atoms = lists.Sum(l => l.Atoms), edges = checked(lists.Sum(l => l.Edges));
        bool periodic = cells.Any(c => c is not null);
        Tensor rowStarts = Room(ScalarType.Int64, atoms + 1), receivers = Room(ScalarType.Int64, edges), senders = Room(ScalarType.Int64, edges);
        Tensor reverse = Room(ScalarType.Int64, edges);
        Tensor? shifts = periodic ? Room(ScalarType.Int32, edges, 3) : null, vectors = periodic ? Room(ScalarType.Float64, edges, 3) : null;
        Fill(lists, cells, rowStarts, receivers, senders, reverse, shifts, vectors);
        return new FrameEdges(new EdgeList(There(rowStarts), There(receivers), There(senders), There(reverse), sortOnDevice: false),
            shifts is null ? null : There(shifts), vectors is null ? null : There(vectors));

        Tensor There(Tensor made) => device.type == DeviceType.CPU ? made : made.to(device);
    }

    private static void Fill(NeighborList[] lists, double[]?[] cells, Tensor rowStarts, Tensor receivers, Tensor senders, Tensor reverse, Tensor? shifts, Tensor? vectors)
    {
        using TensorMemory starts = new(rowStarts), far = new(receivers), near = new(senders), back = new(reverse);
        using TensorMemory cellsMoved = new(shifts), moves = new(vectors);
        Span<long> allStarts = MemoryMarshal.Cast<byte, long>(starts.Bytes), allReceivers = MemoryMarshal.Cast<byte, long>(far.Bytes);
        Span<long> allSenders = MemoryMarshal.Cast<byte, long>(near.Bytes), allReverse = MemoryMarshal.Cast<byte, long>(back.Bytes);
        Span<int> allShifts = MemoryMarshal.Cast<byte, int>(cellsMoved.Bytes);
        Span<double> allVectors = MemoryMarshal.Cast<byte, double>(moves.Bytes);
        allStarts[0] = 0;
        int atom = 0, edge = 0;
        for (int f = 0; f < lists.Length; f++)
        {
            NeighborList list = lists[f];
            ReadOnlySpan<int> starting = list.RowStarts;
            for (int i = 0; i < list.Atoms; i++)
            {
                allStarts[atom + i + 1] = edge + starting[i + 1];
                allReceivers[(edge + starting[i])..(edge + starting[i + 1])].Fill(atom + i);
            }
            Offset(list.Senders, atom, allSenders.Slice(edge, list.Edges));
            Offset(list.ReverseEdges, edge, allReverse.Slice(edge, list.Edges));
            if (vectors is not null) Shift(list, cells[f], allShifts.Slice(3 * edge, 3 * list.Edges), allVectors.Slice(3 * edge, 3 * list.Edges));
            atom += list.Atoms;
            edge += list.Edges;
        }
    }

    private static void Offset(ReadOnlySpan<int> numbers, int by, Span<long> result)
    {
        int i = 0, lanes = Vector256<int>.Count;
        for (; i <= result.Length - lanes; i += lanes)
        {
            (Vector256<long> lower, Vector256<long> upper) = Vector256.Widen(Vector256.Create(numbers.Slice(i, lanes)));
            (lower + Vector256.Create((long)by)).CopyTo(result[i..]);
            (upper + Vector256.Create((long)by)).CopyTo(result[(i + lanes / 2)..]);
        }
        for (; i < result.Length; i++) result[i] = by + (long)numbers[i];
    }

    private static void Shift(NeighborList list, double[]? cell, Span<int> shifts, Span<double> vectors)
    {
        if (cell is null)
        {
            shifts.Clear();
            vectors.Clear();
            return;
        }
        list.Shifts.AsSpan().CopyTo(shifts);
        for (int e = 0; e < shifts.Length; e += 3)
        {
            int a = shifts[e], b = shifts[e + 1], c = shifts[e + 2];
            for (int k = 0; k < 3; k++) vectors[e + k] = a * cell[k] + b * cell[3 + k] + c * cell[6 + k];
        }
    }

    private static Tensor Room(ScalarType type, params long[] shape) => empty(shape, dtype: type);
}
