using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// The space that atoms are in: lattice vectors where it repeats, and unit vectors at right angles to them where it does not, so that
/// every point has three coordinates. Also the atoms' whole-cell offsets.
/// </summary>
internal sealed class PeriodicBox
{
    /// <summary>Volume of the lattice vectors over that of a box with their lengths, below which they count as flat.</summary>
    private const double Flat = 1e-9;

    private PeriodicBox(double[] basis, bool[] periodic, int[] cells)
    {
        Basis = basis;
        Inverse = CellGeometry.Inverse(basis);
        Periodic = periodic;
        Cells = cells;
    }

    /// <summary>(3, 3) Rows: lattice vectors or unit vectors.</summary>
    public double[] Basis { get; }

    /// <summary>(3, 3) position . inverse = coordinates</summary>
    public double[] Inverse { get; }

    /// <summary>(3)</summary>
    public bool[] Periodic { get; }

    /// <summary>(atoms, 3) Which image of the cell each atom is in; 0 where nothing repeats.</summary>
    public int[] Cells { get; }

    public static PeriodicBox Of(ReadOnlySpan<double> positions, double[]? cell, bool[] periodic, string place)
    {
        int bad = positions.IndexOfNonFinite();
        if (bad >= 0) throw Reach.NoNumber(place, bad, positions[bad]);
        if (cell is null && periodic.Contains(true)) throw new InputException(place, "no cell", "one, since it is periodic");
        PeriodicBox box = new(Complete(cell, periodic, place), periodic, new int[positions.Length]);
        for (int i = 0; i < positions.Length; i += 3)
        {
            for (int k = 0; k < 3; k++)
            {
                if (periodic[k]) box.Cells[i + k] = (int)Math.Floor(box.Coordinate(positions.Slice(i, 3), k));
            }
        }
        return box;
    }

    /// <summary>Coordinate of a point along basis vector <paramref name="direction"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public double Coordinate(ReadOnlySpan<double> point, int direction) =>
        point[0] * Inverse[direction] + point[1] * Inverse[3 + direction] + point[2] * Inverse[6 + direction];

    /// <summary>
    /// Squared distance of atom <paramref name="j"/>, moved by a shift, from atom <paramref name="i"/>. Rounds alike both ways round,
    /// so that an edge and its reverse are always both in or both out.
    /// </summary>
    public double SquaredDistance(ReadOnlySpan<double> positions, int i, int j, int a, int b, int c)
    {
        double x = positions[3 * j] - positions[3 * i] + (a * Basis[0] + b * Basis[3] + c * Basis[6]);
        double y = positions[3 * j + 1] - positions[3 * i + 1] + (a * Basis[1] + b * Basis[4] + c * Basis[7]);
        double z = positions[3 * j + 2] - positions[3 * i + 2] + (a * Basis[2] + b * Basis[5] + c * Basis[8]);
        return x * x + y * y + z * z;
    }

    private static double[] Complete(double[]? cell, bool[] periodic, string place)
    {
        double[] basis = new double[9];
        for (int k = 0; k < 3; k++)
            if (periodic[k]) cell.AsSpan(3 * k, 3).CopyTo(basis.AsSpan(3 * k));
        for (int k = 0; k < 3; k++)
            if (!periodic[k]) Perpendicular(basis, periodic, k);
        double lengths = Length(basis, 0) * Length(basis, 1) * Length(basis, 2);
        return Math.Abs(CellGeometry.Determinant(basis)) > Flat * lengths && double.IsFinite(lengths)
            ? basis
            : throw new InputException(place, "lattice vectors that span no volume", "three that do not lie in one plane");
    }

    /// <summary>Sets basis vector <paramref name="k"/> to a unit vector at right angles to those already set.</summary>
    private static void Perpendicular(double[] basis, bool[] periodic, int k)
    {
        int u = (k + 1) % 3, v = (k + 2) % 3;
        bool haveU = periodic[u] || u < k, haveV = periodic[v] || v < k;
        Span<double> result = basis.AsSpan(3 * k, 3);
        if (haveU && haveV)
        {
            CellGeometry.Cross(basis.AsSpan(3 * u, 3), basis.AsSpan(3 * v, 3), out result[0], out result[1], out result[2]);
        }
        else if (haveU || haveV)
        {
            // The axis on which the one known vector leans least, made perpendicular to it.
            ReadOnlySpan<double> known = basis.AsSpan(3 * (haveU ? u : v), 3);
            int axis = 0;
            for (int d = 1; d < 3; d++)
                if (Math.Abs(known[d]) < Math.Abs(known[axis])) axis = d;
            Span<double> unit = stackalloc double[3];
            unit[axis] = 1;
            CellGeometry.Cross(known, unit, out result[0], out result[1], out result[2]);
        }
        else
        {
            result[k] = 1;
        }
        double length = Length(basis, k);
        for (int d = 0; length > 0 && d < 3; d++) result[d] /= length;
    }

    private static double Length(double[] basis, int k) =>
        Math.Sqrt(basis[3 * k] * basis[3 * k] + basis[3 * k + 1] * basis[3 * k + 1] + basis[3 * k + 2] * basis[3 * k + 2]);
}

/// <summary>Squared distances in lanes: 512 bits, or two halves of them where the processor has less.</summary>
internal static unsafe class PairLanes
{
    /// <summary>Of eight points, three arrays, from one; each operation rounded by itself, as <see cref="PeriodicBox.SquaredDistance"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<double> Squared(double* x, double* y, double* z, double toX, double toY, double toZ)
    {
        Vector512<double> dx = Vector512.Load(x) - Vector512.Create(toX);
        Vector512<double> dy = Vector512.Load(y) - Vector512.Create(toY);
        Vector512<double> dz = Vector512.Load(z) - Vector512.Create(toZ);
        return dx * dx + dy * dy + dz * dz;
    }
}

internal static class Finite
{
    /// <summary>Where the first value stands that is NaN or infinite; -1 if none.</summary>
    public static int IndexOfNonFinite(this ReadOnlySpan<double> values)
    {
        for (int i = 0; i < values.Length; i++)
            if (!double.IsFinite(values[i])) return i;
        return -1;
    }
}

/// <summary>How far a search must look.</summary>
internal static class Reach
{
    /// <summary>Search a little further than the cutoff, against rounding; the distance itself decides.</summary>
    public const double Margin = 1 + 1e-6;

    /// <summary>Atoms nearer than this are at one point: 1e-6 Angstrom, squared.</summary>
    public const double SamePoint = 1e-12;

    /// <summary>Shifts are packed into <see cref="Edge.ShiftBits"/> bits.</summary>
    private const int MostCells = (1 << (Edge.ShiftBits - 1)) - 1;

    /// <summary>How many slabs of this height a cutoff reaches into.</summary>
    public static int Slabs(double cutoff, double height, string place)
    {
        double slabs = Math.Ceiling(cutoff * Margin / height);
        return slabs < MostCells ? (int)slabs : throw new InputException(
            place, $"lattice planes {height:G4} Angstrom apart", $"at least {cutoff / MostCells:G4} with a cutoff of {cutoff:G6}");
    }

    public static InputException Collision(string place, int i, int j) => new(
        place, i == j ? $"atom {i} on top of its own image" : $"atoms {Math.Min(i, j)} and {Math.Max(i, j)} at one point", "atoms apart");

    /// <param name="place">What to name.</param>
    /// <param name="component">Which of (atoms, 3).</param>
    /// <param name="value">What it is.</param>
    public static InputException NoNumber(string place, int component, double value) =>
        new(place, $"coordinate {"xyz"[component % 3]} of atom {component / 3} is {value}", "a finite number");
}
