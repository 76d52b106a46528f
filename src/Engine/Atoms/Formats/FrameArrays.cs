using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Atoms.Formats;

/// <summary>Frames of one size side by side, as array formats hold them; in the file's units, checked and cut into frames here.</summary>
internal sealed record FrameArrays
{
    /// <summary>File, and group where there are groups.</summary>
    public required string Place { get; init; }

    /// <summary>(atoms), or (frames, atoms) where they differ; 0 fills the rest of a smaller frame.</summary>
    public required long[] AtomicNumbers { get; init; }

    /// <summary>(frames, atoms, 3)</summary>
    public required double[] Positions { get; init; }

    public required int Frames { get; init; }

    /// <summary>(frames)</summary>
    public double[]? Energies { get; init; }

    /// <summary>(frames, atoms, 3)</summary>
    public double[]? Forces { get; init; }

    /// <summary>(frames, 3, 3) or (3, 3)</summary>
    public double[]? Cells { get; init; }

    /// <summary>(frames, 3) or (3); null: a frame with a cell repeats.</summary>
    public long[]? Periodic { get; init; }

    /// <summary>(frames, 3, 3)</summary>
    public double[]? Stresses { get; init; }

    /// <summary>They are virials, from which stresses follow by each frame's volume.</summary>
    public bool StressesAreVirials { get; init; }

    /// <summary>(frames) or one</summary>
    public double[]? Charges { get; init; }

    /// <summary>(frames) or one</summary>
    public double[]? Spins { get; init; }

    /// <summary>(frames) or one</summary>
    public string[]? ConfigTypes { get; init; }

    public required LabelKeys Keys { get; init; }

    /// <summary>As <see cref="Frame.OtherLabels"/>.</summary>
    public IReadOnlyCollection<string> OtherLabels { get; init; } = [];

    public required LabelUnits Units { get; init; }

    private int Atoms => Frames == 0 ? 0 : Positions.Length / Frames / 3;

    public IEnumerable<Frame> Cut()
    {
        bool each = AtomicNumbers.Length != Atoms;
        int[]? shared = each ? null : Numbers(0, Place);
        for (int f = 0; f < Frames; f++)
        {
            string place = $"{Place}[{f}]";
            int[] numbers = shared ?? Numbers(f * Atoms, place);
            double[]? cell = Shared(Cells, f, 9, Units.LengthFactor);
            // What a frame without a cell has in an array of cells.
            if (cell?.All(value => value == 0) == true) cell = null;
            yield return new Frame
            {
                AtomicNumbers = numbers,
                Positions = Rows(Positions, f, numbers.Length, Units.LengthFactor)!,
                Cell = cell,
                Periodic = Periodic is null ? [cell is not null, cell is not null, cell is not null]
                    : [.. Enumerable.Range(0, 3).Select(k => Periodic[(Periodic.Length == 3 ? 0 : 3 * f) + k] != 0)],
                Energy = Energies?[f] * Units.EnergyFactor,
                Forces = Rows(Forces, f, numbers.Length, Units.ForceFactor),
                Stress = StressesAreVirials ? OfVirial(f, cell, place) : Shared(Stresses, f, 9, Units.StressFactor),
                Charge = Shared(Charges, f, 1, 1)?[0] ?? 0,
                Spin = Shared(Spins, f, 1, 1)?[0] ?? 0,
                ConfigType = ConfigTypes?[ConfigTypes.Length == 1 ? 0 : f],
                Keys = Keys,
                OtherLabels = OtherLabels,
                Place = place,
            };
        }
    }

    private int[] Numbers(int start, string place)
    {
        int atoms = Atoms;
        while (atoms > 0 && AtomicNumbers[start + atoms - 1] == 0) atoms--;
        int[] numbers = new int[atoms];
        for (int i = 0; i < atoms; i++) numbers[i] = Elements.Checked(AtomicNumbers[start + i], place);
        return atoms > 0 ? numbers : throw new InputException(place, "no atoms", "at least one");
    }

    private double[] OfVirial(int frame, double[]? cell, string place)
    {
        double volume = cell is null ? 0 : Math.Abs(CellGeometry.Determinant(cell));
        return volume > 0 ? StressTensor.FromVirial(Shared(Stresses, frame, 9, Units.VirialFactor)!, volume)
            : throw new InputException(place, "a virial without a cell", "a cell with a volume beside it");
    }

    private double[]? Rows(double[]? values, int frame, int atoms, double factor)
    {
        if (values is null) return null;
        double[] rows = values.AsSpan(3 * frame * Atoms, 3 * atoms).ToArray();
        for (int i = 0; i < rows.Length; i++) rows[i] *= factor;
        return rows;
    }

    private static double[]? Shared(double[]? values, int frame, int width, double factor) =>
        values?.AsSpan(values.Length == width ? 0 : frame * width, width).ToArray().Select(value => value * factor).ToArray();
}

/// <summary>Stress as files give it: six numbers in Voigt order (xx, yy, zz, yz, xz, xy) or a matrix, and as a virial.</summary>
internal static class StressTensor
{
    private static readonly int[] Voigt = [0, 5, 4, 5, 1, 3, 4, 3, 2];

    /// <summary>(3, 3), symmetric; null where there are neither 6 nor 9 numbers.</summary>
    public static double[]? Matrix(double[] numbers) => numbers.Length switch
    {
        6 => [.. Voigt.Select(index => numbers[index])],
        9 => [.. Enumerable.Range(0, 9).Select(index => (numbers[index] + numbers[index % 3 * 3 + index / 3]) / 2)],
        _ => null,
    };

    /// <summary>The stress that belongs to a virial: -virial / volume.</summary>
    public static double[] FromVirial(double[] virial, double volume) => [.. virial.Select(value => -value / volume)];
}
