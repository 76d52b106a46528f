using System.Globalization;

namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// Refuses frames so dense that a list of neighbours would fill the memory: a cell in the wrong unit makes billions of pairs of one atom.
/// </summary>
internal static class NeighborBudget
{
    /// <summary>Raises <see cref="Most"/>.</summary>
    public const string Variable = "CHEMSCALE_NEIGHBORS";

    /// <summary>Neighbours an atom within <see cref="Cutoff"/>: forty times what diamond has.</summary>
    public const int Most = 4000;

    /// <summary>Angstrom.</summary>
    public const double Cutoff = 5;

    /// <exception cref="InputException">More neighbours an atom than any matter has.</exception>
    public static void Check(Frame frame)
    {
        int most = int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? given : Most;
        double estimate = Estimate(frame, most);
        if (estimate > most) throw new InputException(
            frame.Place, $"about {estimate:G3} neighbours an atom within {Cutoff} Angstrom", $"at most {most}",
            $"is the cell or are the positions in another unit? {Variable} sets another limit");
    }

    private static double Estimate(Frame frame, int most)
    {
        double[]? basis = frame.IsPeriodic ? PeriodicBox.Of(frame.Positions, frame.Cell, frame.Periodic, frame.Place).Basis : null;
        double images = 1;
        for (int k = 0; k < 3 && basis is not null; k++)
            if (frame.Periodic[k]) images *= 1 + 2 * Cutoff / CellGeometry.Height(basis, k);
        // No more than all atoms of all images that the cutoff reaches.
        if (frame.Atoms * images <= most) return frame.Atoms * images;
        return Math.Max(frame.Atoms > most ? Clustered(frame.Positions) : 0, basis is null ? 0 : Even(frame, basis));
    }

    /// <summary>At an even density; in directions that do not repeat, whose vectors have length one, the atoms fill what they span.</summary>
    private static double Even(Frame frame, double[] basis)
    {
        double volume = Math.Abs(CellGeometry.Determinant(basis));
        for (int k = 0; k < 3; k++)
        {
            if (frame.Periodic[k]) continue;
            double least = double.MaxValue, greatest = double.MinValue;
            for (int i = 0; i < frame.Positions.Length; i += 3)
            {
                double along = frame.Positions[i] * basis[3 * k] + frame.Positions[i + 1] * basis[3 * k + 1] + frame.Positions[i + 2] * basis[3 * k + 2];
                (least, greatest) = (Math.Min(least, along), Math.Max(greatest, along));
            }
            volume *= Math.Max(greatest - least, Cutoff);
        }
        return frame.Atoms * (4 * Math.PI / 3 * Math.Pow(Cutoff, 3)) / volume;
    }

    /// <summary>By how many atoms share boxes of the cutoff's size.</summary>
    private static double Clustered(double[] positions)
    {
        var boxes = new Dictionary<(long, long, long), long>();
        for (int i = 0; i < positions.Length; i += 3)
        {
            var box = ((long)(positions[i] / Cutoff), (long)(positions[i + 1] / Cutoff), (long)(positions[i + 2] / Cutoff));
            boxes[box] = boxes.GetValueOrDefault(box) + 1;
        }
        double pairs = boxes.Values.Sum(count => (double)count * count);
        return 4 * Math.PI / 3 * pairs / (positions.Length / 3);
    }
}
