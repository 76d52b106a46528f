namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Finds neighbours: all images against all atoms where there are few, linked cells where there are many. Same result, same order.
/// </summary>
public static class NeighborLists
{
    /// <summary>Up to here the plain double loop is the faster one.</summary>
    private const int FewAtoms = 64;

    /// <param name="positions">(atoms, 3) Angstrom; need not lie inside the cell.</param>
    /// <param name="cell">(3, 3) Angstrom, rows are lattice vectors, of either handedness; null where nothing repeats.</param>
    /// <param name="periodic">(3) Which lattice vectors repeat; the others are ignored.</param>
    /// <param name="cutoff">Angstrom; may exceed the cell.</param>
    /// <param name="place">What to name in a complaint.</param>
    /// <exception cref="InputException">
    /// Two atoms at one point, a position that is no number, or repeating lattice vectors that span no volume.
    /// </exception>
    public static NeighborList Build(
        ReadOnlySpan<double> positions, double[]? cell, bool[] periodic, double cutoff, string place = "atoms")
    {
        if (!(cutoff > 0 && double.IsFinite(cutoff))) throw new InputException("cutoff", $"{cutoff}", "a positive length in Angstrom");
        PeriodicBox box = PeriodicBox.Of(positions, cell, periodic, place);
        return positions.Length / 3 <= FewAtoms
            ? BruteForce.Build(positions, box, cutoff, place)
            : LinkedCells.Build(positions, box, cutoff, place);
    }

    /// <inheritdoc cref="Build(ReadOnlySpan{double}, double[], bool[], double, string)"/>
    public static NeighborList Build(Frame frame, double cutoff) =>
        Build(frame.Positions, frame.Cell, frame.Periodic, cutoff, frame.Place);
}
