using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Atoms;

/// <summary>
/// One configuration of atoms and what is known about it. eV and Angstrom throughout, whatever the source used. A label that is null or
/// no finite number is absent: it takes no part in a loss. The arrays belong to the frame; nobody writes into them.
/// </summary>
public sealed record Frame
{
    /// <summary>(atoms) 1..118.</summary>
    public required int[] AtomicNumbers { get; init; }

    /// <summary>(atoms, 3) Angstrom, row by row; not wrapped into the cell.</summary>
    public required double[] Positions { get; init; }

    /// <summary>(3, 3) Angstrom; the rows are lattice vectors. Null where there is none.</summary>
    public double[]? Cell { get; init; }

    /// <summary>(3) Whether each lattice vector repeats.</summary>
    public bool[] Periodic { get; init; } = new bool[3];

    /// <summary>eV.</summary>
    public double? Energy { get; init; }

    /// <summary>(atoms, 3) eV/Angstrom: minus the gradient of the energy.</summary>
    public double[]? Forces { get; init; }

    /// <summary>(3, 3) eV/Angstrom^3, symmetric: (1/V) dE/d(strain), so tension is positive. The virial is -V times this.</summary>
    public double[]? Stress { get; init; }

    /// <summary>(atoms, 3) sqrt(amu eV), ASE's unit: of a frame out of a dynamics. Null where the source has none.</summary>
    public double[]? Momenta { get; init; }

    /// <summary>(atoms) Which atoms the source holds fixed (ASE's <c>move_mask</c>); null: none.</summary>
    public bool[]? Fixed { get; init; }

    /// <summary>Total charge, e.</summary>
    public double Charge { get; init; }

    /// <summary>Unpaired electrons, or the magnetic moment in Bohr magnetons: as the source says.</summary>
    public double Spin { get; init; }

    /// <summary>What kind of configuration the source calls this, e.g. <c>300K_MD</c>.</summary>
    public string? ConfigType { get; init; }

    /// <summary>Under which names the labels stood; null for a frame that was not read from a file.</summary>
    public LabelKeys? Keys { get; init; }

    /// <summary>Names of labels of the same kinds that its file holds beside those that were taken.</summary>
    internal IReadOnlyCollection<string> OtherLabels { get; init; } = [];

    /// <summary>fs since the start of the dynamics that it is of, where its source says so (<c>time_fs</c>); null: it does not.</summary>
    internal double? TimeFs { get; init; }

    /// <summary>A column of the source that says how the atoms move in a way that nobody knows the meaning of; null: none.</summary>
    internal string? UnknownMotion { get; init; }

    /// <summary>File and line, row or index it came from, for messages.</summary>
    public string Place { get; init; } = "frame";

    public int Atoms => AtomicNumbers.Length;

    /// <summary>True where at least one direction repeats.</summary>
    public bool IsPeriodic => Periodic[0] || Periodic[1] || Periodic[2];

    /// <summary>True where the energy is a finite number.</summary>
    public bool HasEnergy => Energy is { } energy && double.IsFinite(energy);

    /// <summary>True where every component of the forces is a finite number.</summary>
    public bool HasForces => Forces is { } forces && forces.All(double.IsFinite);

    /// <summary>True where every component of the stress is a finite number.</summary>
    public bool HasStress => Stress is { } stress && stress.All(double.IsFinite);

    /// <summary>Volume of the cell, Angstrom^3; 0 without one.</summary>
    public double Volume => Cell is { } c ? Math.Abs(CellGeometry.Determinant(c)) : 0;
}

/// <summary>The names under which a file gave its labels; null where it gave none.</summary>
/// <param name="Energy">For example <c>REF_energy</c>.</param>
/// <param name="Forces">For example <c>forces</c>.</param>
/// <param name="Stress">For example <c>virial</c>, from which the stress was derived.</param>
public sealed record LabelKeys(string? Energy, string? Forces, string? Stress)
{
    public override string ToString() => $"energy: {Energy ?? "none"}, forces: {Forces ?? "none"}, stress: {Stress ?? "none"}";
}

/// <summary>Geometry of a cell (3, 3) whose rows are lattice vectors.</summary>
internal static class CellGeometry
{
    /// <summary>a . (b x c): the signed volume.</summary>
    public static double Determinant(ReadOnlySpan<double> cell) =>
        cell[0] * (cell[4] * cell[8] - cell[5] * cell[7])
        - cell[1] * (cell[3] * cell[8] - cell[5] * cell[6])
        + cell[2] * (cell[3] * cell[7] - cell[4] * cell[6]);

    /// <summary>(3, 3) The inverse: position . inverse = fractional coordinates.</summary>
    public static double[] Inverse(ReadOnlySpan<double> cell)
    {
        double scale = 1 / Determinant(cell);
        double[] inverse = new double[9];
        for (int row = 0; row < 3; row++)
        {
            Cross(cell.Slice((row + 1) % 3 * 3, 3), cell.Slice((row + 2) % 3 * 3, 3), out double x, out double y, out double z);
            inverse[row] = x * scale;
            inverse[3 + row] = y * scale;
            inverse[6 + row] = z * scale;
        }
        return inverse;
    }

    /// <summary>(3, 3) a . b</summary>
    public static double[] Product(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double[] product = new double[9];
        for (int i = 0; i < 3; i++)
            for (int k = 0; k < 3; k++) product[3 * i + k] = a[3 * i] * b[k] + a[3 * i + 1] * b[3 + k] + a[3 * i + 2] * b[6 + k];
        return product;
    }

    /// <summary>The least of what a vector's length may be multiplied by: the smallest singular value.</summary>
    public static double LeastStretch(ReadOnlySpan<double> deformation)
    {
        double[] square = Product(deformation, Transposed(deformation)), axes = new double[9];
        SymmetricEigen.Decompose(square, axes, 3);
        return Math.Sqrt(Math.Max(0, Math.Min(square[0], Math.Min(square[4], square[8]))));
    }

    public static double[] Transposed(ReadOnlySpan<double> m) => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];

    /// <summary>Distance between the two faces that lattice vector <paramref name="direction"/> joins.</summary>
    public static double Height(ReadOnlySpan<double> cell, int direction)
    {
        Cross(cell.Slice((direction + 1) % 3 * 3, 3), cell.Slice((direction + 2) % 3 * 3, 3), out double x, out double y, out double z);
        return Math.Abs(Determinant(cell)) / Math.Sqrt(x * x + y * y + z * z);
    }

    internal static void Cross(ReadOnlySpan<double> a, ReadOnlySpan<double> b, out double x, out double y, out double z)
    {
        x = a[1] * b[2] - a[2] * b[1];
        y = a[2] * b[0] - a[0] * b[2];
        z = a[0] * b[1] - a[1] * b[0];
    }
}
