using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.SchNet;

/// <summary>The edges, sorted by receiver, and their order by sender.</summary>
/// <param name="RowStarts">(A + 1) by receiver</param>
/// <param name="SenderRowStarts">(A + 1) by sender; only backward</param>
/// <param name="SenderEdges">(E) edges by sender; only backward</param>
/// <param name="Senders">(E)</param>
/// <param name="Receivers">(E)</param>
public readonly record struct FilterEdges(
    DeviceArray<long> RowStarts, DeviceArray<long> SenderRowStarts, DeviceArray<long> SenderEdges, DeviceArray<long> Senders,
    DeviceArray<long> Receivers)
{
    public int Atoms => (int)RowStarts.Length - 1;
}
