using ChemScale.Engine.Atoms.Neighbors;
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
        ReadOnlySpan<double> all = positions.detach().cpu().to(ScalarType.Float64).contiguous().data<double>().ToArray();
        List<int> rowStarts = [0], senders = [], reverse = [];
        int atom = 0;
        foreach (int atoms in atomsPerFrame)
        {
            NeighborList list = NeighborLists.Build(all.Slice(3 * atom, 3 * atoms), null, [false, false, false], cutoff, place);
            int edge = senders.Count, first = atom;
            rowStarts.AddRange(list.RowStarts[1..].Select(start => edge + start));
            senders.AddRange(list.Senders.Select(sender => first + sender));
            reverse.AddRange(list.ReverseEdges.Select(other => edge + other));
            atom += atoms;
        }
        return new EdgeList([.. rowStarts], [.. senders], [.. reverse], positions.device);
    }
}
