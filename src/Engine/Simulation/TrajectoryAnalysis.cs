using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// What the frames of a trajectory say together: how far apart atoms are, how far they get, how long they keep their velocities. Frames are evenly spaced
/// in time, of the same atoms, not wrapped into the cell.
/// </summary>
public sealed record TrajectoryAnalysis
{
    /// <summary>Frames read.</summary>
    public required int Frames { get; init; }

    public required int Atoms { get; init; }

    /// <summary>fs from one frame to the next; null where the file does not say.</summary>
    public required double? IntervalFs { get; init; }

    /// <summary>Of all atoms first, then of each pair of elements.</summary>
    public required IReadOnlyList<RadialDistribution> RadialDistributions { get; init; }

    /// <summary>Of all atoms first, then of each element.</summary>
    public required IReadOnlyList<TimeCorrelation> Displacements { get; init; }

    /// <summary>Of all atoms first, then of each element; empty where frames have no momenta.</summary>
    public required IReadOnlyList<TimeCorrelation> Velocities { get; init; }

    /// <param name="frames">In order.</param>
    /// <param name="options">How far.</param>
    /// <exception cref="InputException">Fewer than two frames, or frames that do not go together.</exception>
    public static TrajectoryAnalysis Of(IEnumerable<Frame> frames, AnalysisOptions options)
    {
        options.Validate();
        List<Frame> all = [];
        foreach (Frame frame in frames)
        {
            options.Stop.ThrowIfCancellationRequested();
            if (all.Count > 0 && !frame.AtomicNumbers.AsSpan().SequenceEqual(all[0].AtomicNumbers))
                throw new InputException(frame.Place, "other atoms", $"those of {all[0].Place}, in their order");
            if (all.Count > 0 && frame.IsPeriodic != all[0].IsPeriodic) throw new InputException(frame.Place, "another periodicity", $"that of {all[0].Place}");
            all.Add(frame);
        }
        if (all.Count < 2) throw new InputException(options.File, $"{all.Count} frame{(all.Count == 1 ? "" : "s")}", "two or more");
        double? interval = Interval(all);
        int[] elements = [.. all[0].AtomicNumbers.Distinct().Order()];
        int[][] groups = elements.Length == 1 ? [Everything(all[0])] : [Everything(all[0]), .. elements.Select(z => Of(all[0], z))];
        string[] names = ["all", .. elements.Select(Elements.Symbol)];
        double[] masses = AtomicMasses.Of(all[0].AtomicNumbers);
        double[][] positions = Drifted(all, masses, f => f.Positions);
        bool moves = all.All(f => f.Momenta is not null);
        double[][] velocities = moves ? [.. all.Select(f => f.Momenta!.Select((p, i) => p / masses[i / 3]).ToArray())] : [];
        int lags = Math.Max(1, (int)(options.LongestLag * (all.Count - 1)));
        return new TrajectoryAnalysis
        {
            Frames = all.Count,
            Atoms = all[0].Atoms,
            IntervalFs = interval,
            RadialDistributions = Radial(all, elements, options),
            Displacements = [.. groups.Select((g, i) => TimeCorrelation.Displacements(names[i], positions, g, lags, interval, options.Stop))],
            Velocities = moves ? [.. groups.Select((g, i) => TimeCorrelation.Velocities(names[i], velocities, g, lags, interval, options.Stop))] : [],
        };
    }

    private static int[] Everything(Frame frame) => [.. Enumerable.Range(0, frame.Atoms)];

    private static int[] Of(Frame frame, int element) => [.. Enumerable.Range(0, frame.Atoms).Where(i => frame.AtomicNumbers[i] == element)];

    /// <summary>Without the way of the centre of mass: the whole may drift.</summary>
    private static double[][] Drifted(List<Frame> frames, double[] masses, Func<Frame, double[]> of)
    {
        double total = masses.Sum();
        return [.. frames.Select(frame =>
        {
            double[] centre = new double[3], values = of(frame);
            for (int i = 0; i < values.Length; i++) centre[i % 3] += masses[i / 3] * values[i] / total;
            return values.Select((x, i) => x - centre[i % 3]).ToArray();
        })];
    }

    /// <summary>A frame between two periods, as the last may be, is left to the caller to leave out.</summary>
    private static double? Interval(List<Frame> frames)
    {
        if (frames.Any(f => f.TimeFs is null)) return null;
        double first = frames[1].TimeFs!.Value - frames[0].TimeFs!.Value;
        // What is off by more than a file's digits is another spacing.
        if (first > 0 && Math.Abs(frames[^1].TimeFs!.Value - frames[^2].TimeFs!.Value - first) > 1e-6 * first && frames.Count > 2) frames.RemoveAt(frames.Count - 1);
        for (int i = 1; i < frames.Count; i++)
        {
            double step = frames[i].TimeFs!.Value - frames[i - 1].TimeFs!.Value;
            if (!(step > 0) || Math.Abs(step - first) > 1e-6 * first)
                throw new InputException(frames[i].Place, $"{step} fs after the frame before", $"{first}, as between the first two: frames evenly spaced in time");
        }
        return first;
    }

    private static IReadOnlyList<RadialDistribution> Radial(List<Frame> frames, int[] elements, AnalysisOptions options)
    {
        List<RadialDistribution> all = [new("all", options.Reach, options.Bins)];
        var pairs = new Dictionary<(int, int), RadialDistribution>();
        for (int a = 0; a < elements.Length && elements.Length > 1; a++)
        {
            for (int b = a; b < elements.Length; b++)
            {
                all.Add(pairs[(elements[a], elements[b])] = new RadialDistribution($"{Elements.Symbol(elements[a])}-{Elements.Symbol(elements[b])}", options.Reach, options.Bins));
            }
        }
        foreach (Frame frame in frames)
        {
            using NeighborList list = NeighborLists.Build(frame, options.Reach, options.Stop);
            double[] vectors = list.EdgeVectors(frame.Positions, frame.IsPeriodic ? frame.Cell : null);
            for (int e = 0; e < list.Edges; e++)
            {
                double d = Math.Sqrt(vectors[3 * e] * vectors[3 * e] + vectors[3 * e + 1] * vectors[3 * e + 1] + vectors[3 * e + 2] * vectors[3 * e + 2]);
                all[0].Count(d);
                int a = frame.AtomicNumbers[list.Receivers[e]], b = frame.AtomicNumbers[list.Senders[e]];
                if (pairs.TryGetValue((Math.Min(a, b), Math.Max(a, b)), out RadialDistribution? pair)) pair.Count(d);
            }
            double volume = frame.Periodic.All(p => p) ? frame.Volume : 0;
            all[0].Add((long)frame.Atoms * frame.Atoms, frame.Atoms, volume);
            foreach (((int a, int b), RadialDistribution pair) in pairs)
            {
                long first = frame.AtomicNumbers.Count(z => z == a), second = frame.AtomicNumbers.Count(z => z == b);
                pair.Add(a == b ? first * first : 2 * first * second, a == b ? first : first + second, volume);
            }
        }
        return all;
    }
}

/// <summary>How to analyse a trajectory.</summary>
public sealed record AnalysisOptions
{
    /// <summary>Of frames.</summary>
    public required string File { get; init; }

    /// <summary>A: pairs are counted up to here.</summary>
    public double Reach { get; init; } = 8;

    /// <summary>Of the distances.</summary>
    public int Bins { get; init; } = 160;

    /// <summary>Times between frames that are looked at, as a share of the whole: the longest have the fewest frames to average over.</summary>
    public double LongestLag { get; init; } = 0.5;

    /// <summary>Frames left out at the beginning: before equilibrium.</summary>
    public int Skip { get; init; }

    /// <summary>Gives up between two frames.</summary>
    internal CancellationToken Stop { get; init; }

    /// <exception cref="InputException">A value out of range.</exception>
    public void Validate()
    {
        if (!(Reach > 0) || !double.IsFinite(Reach)) throw new InputException("reach", $"{Reach}", "a positive number of A");
        if (Bins is < 1 or > 100_000) throw new InputException("bins", $"{Bins}", "1 to 100000");
        if (!(LongestLag > 0 && LongestLag <= 1)) throw new InputException("longestLag", $"{LongestLag}", "more than 0, 1 at most");
        if (Skip < 0) throw new InputException("skip", $"{Skip}", "0 or more");
    }
}

/// <summary>
/// How many atoms are at a distance from another, over what there would be without any order: g(r). Where nothing repeats there is no density to compare
/// with, and the distances stand alone.
/// </summary>
public sealed class RadialDistribution
{
    private readonly double reach;
    private readonly long[] counts;
    private double ideal;
    private double centres;
    private bool isolated;

    internal RadialDistribution(string name, double reach, int bins)
    {
        Name = name;
        this.reach = reach;
        counts = new long[bins];
    }

    /// <summary>all, or a pair of elements.</summary>
    public string Name { get; }

    /// <summary>Whether there is a density, and <see cref="Values"/> are g(r); they are shares of all distances for each A otherwise.</summary>
    public bool IsNormalized => !isolated;

    /// <summary>(bins) A: their middles.</summary>
    public double[] Distances => [.. Enumerable.Range(0, counts.Length).Select(b => (b + 0.5) * Width)];

    /// <summary>(bins) g(r), or a density of distances in 1/A.</summary>
    public double[] Values
    {
        get
        {
            double total = counts.Sum();
            return [.. counts.Select((count, b) => isolated ? total > 0 ? count / (total * Width) : 0 : ideal > 0 ? count / (ideal * Shell(b)) : 0)];
        }
    }

    /// <summary>(bins) Atoms of the pair within the outer edge of each bin, about one of them.</summary>
    public double[] Coordination
    {
        get
        {
            double sum = 0;
            return [.. counts.Select(count => centres > 0 ? (sum += count) / centres : 0)];
        }
    }

    private double Width => reach / counts.Length;

    internal void Count(double distance)
    {
        int bin = (int)(distance / Width);
        if (bin < counts.Length) counts[bin]++;
    }

    /// <summary>A frame is through.</summary>
    /// <param name="orderedPairs">Centres times others.</param>
    /// <param name="atoms">Centres.</param>
    /// <param name="volume">A^3; 0: nothing repeats.</param>
    internal void Add(long orderedPairs, long atoms, double volume)
    {
        centres += atoms;
        if (volume > 0) ideal += orderedPairs / volume;
        else isolated = true;
    }

    private double Shell(int bin) => 4 * Math.PI / 3 * (Math.Pow((bin + 1) * Width, 3) - Math.Pow(bin * Width, 3));
}

/// <summary>An average over atoms and starting times, for each time between two frames.</summary>
/// <param name="Name">all, or an element.</param>
/// <param name="TimesFs">(lags) fs; numbers of frames where the file tells no time.</param>
/// <param name="Values">(lags) A^2 of displacements; of velocities over those at no time between.</param>
/// <param name="Slope">
/// Of displacements, by least squares over the second half of the times: A^2/fs, six times the diffusion coefficient where they grow steadily. Null for velocities.
/// </param>
public sealed record TimeCorrelation(string Name, double[] TimesFs, double[] Values, double? Slope)
{
    /// <summary>cm^2/s: the Einstein relation; null for velocities, or where no time is known.</summary>
    public double? Diffusion { get; init; }

    internal static TimeCorrelation Displacements(string name, double[][] positions, int[] atoms, int lags, double? interval, CancellationToken stop)
    {
        double[] values = Average(positions, atoms, lags, stop, (a, b) => (b - a) * (b - a)), times = Times(lags, interval);
        int half = (lags + 1) / 2;
        Numerics.LinearRegression? fit = lags >= 4 ? Numerics.LinearRegression.Fit(times[half..], values[half..]) : null;
        // A^2/fs is 0.1 cm^2/s.
        return new TimeCorrelation(name, times, values, fit?.Slope) { Diffusion = interval is null ? null : fit?.Slope / 6 * 0.1 };
    }

    internal static TimeCorrelation Velocities(string name, double[][] velocities, int[] atoms, int lags, double? interval, CancellationToken stop)
    {
        double[] values = Average(velocities, atoms, lags, stop, (a, b) => a * b);
        double first = values[0];
        return new TimeCorrelation(name, Times(lags, interval), [.. values.Select(v => first > 0 ? v / first : 0)], null);
    }

    private static double[] Times(int lags, double? interval) => [.. Enumerable.Range(0, lags + 1).Select(l => l * (interval ?? 1))];

    private static double[] Average(double[][] frames, int[] atoms, int lags, CancellationToken stop, Func<double, double, double> of)
    {
        double[] values = new double[lags + 1];
        for (int lag = 0; lag <= lags; lag++)
        {
            double sum = 0;
            for (int t = 0; t + lag < frames.Length; t++)
            {
                stop.ThrowIfCancellationRequested();
                double[] a = frames[t], b = frames[t + lag];
                foreach (int i in atoms)
                    for (int k = 3 * i; k < 3 * i + 3; k++) sum += of(a[k], b[k]);
            }
            values[lag] = sum / ((frames.Length - lag) * (double)atoms.Length);
        }
        return values;
    }
}
