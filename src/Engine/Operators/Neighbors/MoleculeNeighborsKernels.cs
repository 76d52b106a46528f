using System.Numerics;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Neighbors;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Neighbors;

/// <summary>Builds an edge list with kernels, where the positions are. The host waits once, for the number of edges.</summary>
internal static class MoleculeNeighborsKernels
{
    /// <param name="positions">(atoms, 3) A, contiguous</param>
    /// <param name="atomsPerFrame">(frames)</param>
    /// <param name="cutoff">A</param>
    /// <param name="place">What to name in a complaint about a frame.</param>
    public static EdgeList Build(Tensor positions, IReadOnlyList<int> atomsPerFrame, double cutoff, Func<int, string> place)
    {
        return positions.dtype == ScalarType.Float32
            ? Run((float)(cutoff * cutoff), (float)Reach.SamePoint)
            : Run(cutoff * cutoff, Reach.SamePoint);

        EdgeList Run<T>(T squaredCutoff, T squaredLeast)
            where T : unmanaged, INumber<T>
        {
            KernelDevice device = Device(positions);
            long atoms = positions.size(0);
            long[] starts = new long[atomsPerFrame.Count + 1], frameOfAtom = new long[atoms];
            for (int f = 0; f < atomsPerFrame.Count; f++)
            {
                starts[f + 1] = starts[f] + atomsPerFrame[f];
                frameOfAtom.AsSpan((int)starts[f], atomsPerFrame[f]).Fill(f);
            }
            Tensor frames = Numbers(frameOfAtom), frameStarts = Numbers(starts), counts = Room(atoms);
            NeighborLauncher<T>.Count(device, Array<T>(positions), Array<long>(frames), Array<long>(frameStarts),
                squaredCutoff, squaredLeast, Array<long>(counts));
            Tensor rowStarts = cat([Numbers([0]), counts.cumsum(0)], 0);
            long edges = NeighborFindings.Edges(positions, counts, rowStarts, atomsPerFrame, place);
            Tensor senders = Room(edges), receivers = Room(edges), reverse = Room(edges);
            NeighborLauncher<T>.Fill(device, Array<T>(positions), Array<long>(frames), Array<long>(frameStarts), squaredCutoff,
                Array<long>(rowStarts), Array<long>(senders), Array<long>(receivers));
            NeighborLauncher<T>.Reverse(device, Array<long>(rowStarts), Array<long>(senders), Array<long>(receivers), Array<long>(reverse));
            return new EdgeList(rowStarts, receivers, senders, reverse);
        }

        Tensor Numbers(long[] values) => tensor(values, device: positions.device);

        Tensor Room(long count) => empty(count, dtype: ScalarType.Int64, device: positions.device);
    }
}
