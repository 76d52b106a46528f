using System.Runtime.InteropServices;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>
/// All directed pairs of atoms of one frame that are closer than a cutoff, for a batch of frames where nothing repeats: rows by receiver,
/// senders ascending, reverse edges known.
/// </summary>
public static class MoleculeNeighbors
{
    /// <param name="positions">(atoms, 3) A, the frames' atoms one after the other</param>
    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="cutoff">A; pairs at this distance are absent.</param>
    /// <param name="place">What to name in a complaint.</param>
    /// <returns>On the device of the positions.</returns>
    /// <exception cref="InputException">Two atoms at one point, a position that is no number, or a cutoff that is no length.</exception>
    public static EdgeList Apply(Tensor positions, IReadOnlyList<int> atomsPerFrame, double cutoff, string place = "atoms")
    {
        if (!(cutoff > 0 && double.IsFinite(cutoff))) throw new InputException("cutoff", $"{cutoff}", "a positive length in Angstrom");
        if (positions.size(0) != atomsPerFrame.Sum())
            throw new ArgumentException($"{positions.size(0)} positions of {atomsPerFrame.Sum()} atoms");
        using DisposeScope scope = NewDisposeScope();
        return OperatorModes.UseKernels(positions)
            ? MoleculeNeighborsKernels.Build(positions.detach().contiguous(), atomsPerFrame, cutoff, _ => place)
            : OnHost(positions, atomsPerFrame, cutoff, place);
    }

    private static EdgeList OnHost(Tensor positions, IReadOnlyList<int> atomsPerFrame, double cutoff, string place)
    {
        double[] all = Numbers(positions);
        var lists = new NeighborList[atomsPerFrame.Count];
        for (int f = 0, atom = 0; f < lists.Length; atom += atomsPerFrame[f++])
            lists[f] = NeighborLists.Build(all.AsSpan(3 * atom, 3 * atomsPerFrame[f]), null, [false, false, false], cutoff, place);
        EdgeList joined = JoinedLists.Of(lists, new double[]?[lists.Length], positions.device).Edges;
        foreach (NeighborList list in lists) list.Dispose();
        return joined;
    }

    private static double[] Numbers(Tensor positions)
    {
        using var memory = new TensorMemory(positions.device_type == DeviceType.CPU && positions.is_contiguous() ? positions : positions.detach().cpu().contiguous());
        if (positions.dtype == ScalarType.Float64) return MemoryMarshal.Cast<byte, double>(memory.Bytes).ToArray();
        if (positions.dtype != ScalarType.Float32) throw new ArgumentException($"positions of type {positions.dtype}");
        ReadOnlySpan<float> single = MemoryMarshal.Cast<byte, float>(memory.Bytes);
        double[] numbers = new double[single.Length];
        for (int i = 0; i < numbers.Length; i++) numbers[i] = single[i];
        return numbers;
    }
}
