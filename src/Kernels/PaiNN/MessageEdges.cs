using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.PaiNN;

/// <summary>Edges as PaiNN's kernels walk them: by receiver, in their own order, and by sender.</summary>
/// <param name="RowStarts">(A + 1): atom i receives edges RowStarts[i] .. RowStarts[i + 1] - 1</param>
/// <param name="Senders">(E)</param>
/// <param name="Receivers">(E)</param>
/// <param name="SenderStarts">(A + 1): atom j sends the edges at places SenderStarts[j] .. SenderStarts[j + 1] - 1</param>
/// <param name="SentEdges">(E): the edge of each place</param>
public readonly record struct MessageEdges(
    DeviceArray<long> RowStarts, DeviceArray<long> Senders, DeviceArray<long> Receivers, DeviceArray<long> SenderStarts,
    DeviceArray<long> SentEdges);
