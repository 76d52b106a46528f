using ChemScale.Engine.Atoms;

namespace ChemScale.Tests.Operators;

/// <summary>Frames of atoms at random, for neighbour lists.</summary>
internal static class NeighborFrames
{
    private static readonly double[] SkewedCell = [9, 0, 0.5, -2.5, 7, 1, 3, 2, 8];

    public static Frame Empty { get; } = Of([], null, new bool[3]);

    public static Frame Of(double[] positions, double[]? cell, bool[] periodic) => new()
    {
        AtomicNumbers = [.. Enumerable.Repeat(6, positions.Length / 3)],
        Positions = positions,
        Cell = cell,
        Periodic = periodic,
    };

    /// <summary>In a skewed cell of 9 x 7 x 8 A, and up to <paramref name="outside"/> of a cell beyond it on either side.</summary>
    public static Frame Skewed(int atoms, bool[] periodic, double outside, int seed) =>
        Of(Scattered(atoms, SkewedCell, outside, new Random(seed)), SkewedCell, periodic);

    /// <summary>In a cell of any shape whose planes are not too near, atoms up to two cells outside.</summary>
    public static Frame Random(int atoms, bool[] periodic, Random random)
    {
        double[] cell;
        do cell = [.. Enumerable.Range(0, 9).Select(_ => 12 * (random.NextDouble() - 0.5))];
        while (Enumerable.Range(0, 3).Any(k => CellGeometry.Height(cell, k) < 1.5));
        return Of(Scattered(atoms, cell, 2 * random.NextDouble(), random), cell, periodic);
    }

    /// <summary>A skewed cell with an atom in 10 cubic Angstrom.</summary>
    public static Frame Dense(int atoms, bool[] periodic, int seed)
    {
        double side = Math.Cbrt(10 * atoms);
        double[] cell = [side, 0.1 * side, 0, 0, side, -0.2 * side, 0.05 * side, 0, side];
        return Of(Scattered(atoms, cell, 0, new Random(seed)), cell, periodic);
    }

    private static double[] Scattered(int atoms, double[] cell, double outside, Random random)
    {
        double[] positions = new double[3 * atoms];
        for (int i = 0; i < atoms; i++)
        {
            for (int d = 0; d < 3; d++)
            {
                double fraction = random.NextDouble() * (1 + 2 * outside) - outside;
                for (int k = 0; k < 3; k++) positions[3 * i + k] += fraction * cell[3 * d + k];
            }
        }
        return positions;
    }
}
