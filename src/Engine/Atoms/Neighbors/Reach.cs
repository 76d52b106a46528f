namespace ChemScale.Engine.Atoms.Neighbors;

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
