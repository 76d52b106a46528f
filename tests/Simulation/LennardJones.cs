using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;

namespace ChemScale.Tests.Simulation;

/// <summary>4 epsilon ((sigma/r)^12 - (sigma/r)^6), shifted to zero at the cutoff, over all pairs and images.</summary>
internal sealed class LennardJones(double sigma, double epsilon, double cutoff) : IPotential
{
    /// <summary>Argon, as the reference trajectory has it.</summary>
    public static LennardJones Argon { get; } = new(3.4, 0.0104, 7.5);

    public long Evaluations { get; private set; }

    public FramePrediction Evaluate(Frame frame, bool stress = false)
    {
        Evaluations++;
        NeighborList list = NeighborLists.Build(frame, cutoff);
        double[] vectors = list.EdgeVectors(frame.Positions, frame.IsPeriodic ? frame.Cell : null);
        double[] forces = new double[3 * frame.Atoms], virial = new double[9];
        double shift = Energy(Math.Pow(sigma / cutoff, 6)), energy = 0;
        for (int i = 0; i < frame.Atoms; i++)
        {
            for (int edge = list.RowStarts[i]; edge < list.RowStarts[i + 1]; edge++)
            {
                ReadOnlySpan<double> v = vectors.AsSpan(3 * edge, 3);
                double square = v[0] * v[0] + v[1] * v[1] + v[2] * v[2], s6 = Math.Pow(sigma * sigma / square, 3);
                energy += (Energy(s6) - shift) / 2;
                // u'(r) / r
                double slope = -24 * epsilon * (2 * s6 * s6 - s6) / square;
                for (int a = 0; a < 3; a++)
                {
                    forces[3 * i + a] += slope * v[a];
                    for (int b = 0; b < 3; b++) virial[3 * a + b] += slope * v[a] * v[b] / 2;
                }
            }
        }
        return new FramePrediction(energy, forces, stress && frame.IsPeriodic ? [.. virial.Select(x => x / frame.Volume)] : null);
    }

    /// <summary>Argon on a face-centred lattice with a little disorder.</summary>
    public static Frame Crystal(int cells, double constant = 5.3, double disorder = 0.05, double skew = 0)
    {
        var random = new Random(5);
        double[][] basis = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]];
        double side = cells * constant;
        double[] cell = [side, skew, 0, 0, side, 2 * skew, -skew, 0, side];
        List<double> positions = [];
        for (int n = 0; n < 4 * cells * cells * cells; n++)
        {
            int[] at = [n / 4 % cells, n / 4 / cells % cells, n / 4 / cells / cells];
            double[] f = [.. at.Select((x, k) => (x + basis[n % 4][k]) / cells)];
            for (int k = 0; k < 3; k++)
                positions.Add(f[0] * cell[k] + f[1] * cell[3 + k] + f[2] * cell[6 + k] + disorder * (2 * random.NextDouble() - 1));
        }
        return new Frame
        {
            AtomicNumbers = [.. Enumerable.Repeat(18, positions.Count / 3)],
            Positions = [.. positions],
            Cell = cell,
            Periodic = [true, true, true],
        };
    }

    /// <summary>A cluster of argon, some way from its minimum.</summary>
    public static Frame Cluster(int atoms, int seed = 3)
    {
        var random = new Random(seed);
        List<double> positions = [];
        for (int n = 0; n < atoms; n++)
        {
            int[] at = [n % 2, n / 2 % 2, n / 4];
            foreach (int x in at) positions.Add(3.8 * x + 0.3 * random.NextDouble());
        }
        return new Frame { AtomicNumbers = [.. Enumerable.Repeat(18, atoms)], Positions = [.. positions] };
    }

    private double Energy(double s6) => 4 * epsilon * (s6 * s6 - s6);
}
