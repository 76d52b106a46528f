using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Atoms.Statistics;

/// <summary>
/// Least squares of energies over element counts: minimises sum over frames of (E - sum_z n_z e_z)^2, in f64. Where the frames do not
/// determine every e_z, as with a single molecule, the solution nearest to the mean energy per atom is taken. Frames of one composition
/// are kept as their number, mean and spread, so that memory does not grow with the frames.
/// </summary>
internal sealed class ReferenceEnergyFit
{
    private readonly Dictionary<string, Composition> compositions = new(StringComparer.Ordinal);

    /// <param name="atomicNumbers">(atoms)</param>
    /// <param name="energy">eV.</param>
    public void Add(ReadOnlySpan<int> atomicNumbers, double energy)
    {
        int[] counts = new int[Elements.Heaviest + 1];
        foreach (int number in atomicNumbers) counts[number]++;
        string key = string.Join(' ', Enumerable.Range(1, Elements.Heaviest).Where(z => counts[z] > 0).Select(z => $"{z}x{counts[z]}"));
        if (!compositions.TryGetValue(key, out Composition? composition)) compositions[key] = composition = new Composition(counts);
        composition.Add(energy);
    }

    /// <summary>eV by atomic number; empty without frames.</summary>
    public SortedDictionary<int, double> Solve()
    {
        int[] elements = [.. Enumerable.Range(1, Elements.Heaviest).Where(z => compositions.Values.Any(c => c.Counts[z] > 0))];
        double mean = MeanPerAtom();
        double[] energies = new double[elements.Length];
        Array.Fill(energies, mean);

        // The second round solves for what rounding left of the first.
        SymmetricPseudoInverse inverse = new(Gram(elements), elements.Length);
        for (int round = 0; round < 2; round++)
        {
            double[] correction = inverse.Times(Gradient(elements, energies));
            for (int a = 0; a < energies.Length; a++) energies[a] += correction[a];
        }
        SortedDictionary<int, double> result = [];
        for (int a = 0; a < elements.Length; a++) result[elements[a]] = energies[a];
        return result;
    }

    /// <summary>eV/atom over all atoms; NaN without frames.</summary>
    public double MeanPerAtom() =>
        compositions.Values.Sum(c => c.Frames * c.Mean) / compositions.Values.Sum(c => (double)c.Frames * c.Atoms);

    /// <summary>eV: root mean square of what these reference energies leave; NaN without frames.</summary>
    public double Residual(IReadOnlyDictionary<int, double> energies)
    {
        double sum = 0;
        foreach (Composition c in compositions.Values)
        {
            double bias = c.Mean - energies.Sum(pair => c.Counts[pair.Key] * pair.Value);
            sum += c.SquaredDeviations + c.Frames * bias * bias;
        }
        return Math.Sqrt(sum / compositions.Values.Sum(c => c.Frames));
    }

    private double[] Gram(int[] elements)
    {
        double[] gram = new double[elements.Length * elements.Length];
        foreach (Composition c in compositions.Values)
        {
            for (int a = 0; a < elements.Length; a++)
                for (int b = 0; b < elements.Length; b++)
                    gram[a * elements.Length + b] += (double)c.Frames * c.Counts[elements[a]] * c.Counts[elements[b]];
        }
        return gram;
    }

    private double[] Gradient(int[] elements, double[] energies)
    {
        double[] gradient = new double[elements.Length];
        foreach (Composition c in compositions.Values)
        {
            double left = c.Mean;
            for (int a = 0; a < elements.Length; a++) left -= c.Counts[elements[a]] * energies[a];
            for (int a = 0; a < elements.Length; a++) gradient[a] += c.Frames * c.Counts[elements[a]] * left;
        }
        return gradient;
    }

    /// <summary>Frames with the same atoms; mean and spread by Welford's update.</summary>
    private sealed class Composition(int[] counts)
    {
        public int[] Counts { get; } = counts;

        public int Atoms { get; } = counts.Sum();

        public long Frames { get; private set; }

        public double Mean { get; private set; }

        public double SquaredDeviations { get; private set; }

        public void Add(double energy)
        {
            Frames++;
            double step = energy - Mean;
            Mean += step / Frames;
            SquaredDeviations += step * (energy - Mean);
        }
    }
}

/// <summary>Pseudo-inverse of a small symmetric positive semidefinite matrix by its eigenvectors.</summary>
internal sealed class SymmetricPseudoInverse
{
    /// <summary>Eigenvalues below this share of the largest count as zero.</summary>
    private const double Zero = 1e-12;

    private readonly int size;
    private readonly double[] values;
    private readonly double[] vectors;

    /// <param name="matrix">(size, size), overwritten.</param>
    /// <param name="size">Rows.</param>
    public SymmetricPseudoInverse(double[] matrix, int size)
    {
        this.size = size;
        vectors = new double[size * size];
        SymmetricEigen.Decompose(matrix, vectors, size);
        values = [.. Enumerable.Range(0, size).Select(i => matrix[i * size + i])];
    }

    public double[] Times(double[] vector)
    {
        double[] result = new double[size];
        double largest = values.DefaultIfEmpty().Max();
        for (int k = 0; k < size; k++)
        {
            if (values[k] <= Zero * largest) continue;
            double along = 0;
            for (int i = 0; i < size; i++) along += vectors[i * size + k] * vector[i];
            for (int i = 0; i < size; i++) result[i] += along / values[k] * vectors[i * size + k];
        }
        return result;
    }
}
