using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// The path of least energy between two minima: images along it, held apart by springs along it and moved by forces across it (Jonsson, Mills, Jacobsen
/// (1998)), with the tangents of Henkelman and Jonsson, J. Chem. Phys. 113, 9978 (2000); the highest image then climbs to the saddle point (Henkelman,
/// Uberuaga, Jonsson, J. Chem. Phys. 113, 9901 (2000)). All images are evaluated together.
/// </summary>
public static class NudgedElasticBand
{
    /// <param name="potential">Evaluated once for each image a step.</param>
    /// <param name="start">A minimum; its fixed atoms stay where they are.</param>
    /// <param name="end">Another one, of the same atoms in the same order, in the same cell.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Receives path.extxyz, the images in order, path.csv, and summary.json.</param>
    /// <param name="progress">Told of every step: the energy is that of the highest image.</param>
    /// <param name="stop">Ends it after a whole step; what is reached is written.</param>
    /// <exception cref="InputException">Ends that do not fit together, options out of range.</exception>
    /// <exception cref="SimulationFailedException">Energy or forces are no numbers any more.</exception>
    public static PathSummary Run(IPotential potential, Frame start, Frame end, PathOptions options, SimulationFolder folder,
        IProgress<SimulationProgress>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        RequireEnds(start, end);
        var path = new ElasticPath(potential, start, end, options);
        using IDisposable claim = folder.Claim();
        folder.Prepare();
        IOptimizer optimizer = Optimizer(path);
        long step = 0;
        while (step < options.Steps && !stop.IsCancellationRequested)
        {
            if (path.MaximumForce <= options.MaximumForce)
            {
                if (!options.Climb || path.Climbing) break;
                path.Climbing = true;
                path.Gather();
                optimizer = Optimizer(path);
                continue;
            }
            // The image that climbs should be near the top before it does.
            if (options.Climb && !path.Climbing && path.MaximumForce <= 10 * options.MaximumForce)
            {
                path.Climbing = true;
                path.Gather();
                optimizer = Optimizer(path);
            }
            try
            {
                optimizer.Step();
            }
            catch (InputException e)
            {
                throw new SimulationFailedException(step + 1, null, e.Found);
            }
            if (!double.IsFinite(path.MaximumForce)) throw new SimulationFailedException(step + 1, null, $"a greatest force of {path.MaximumForce} eV/A");
            step++;
            progress?.Report(new SimulationProgress(step, options.Steps, path.Energies.Max(), null, path.MaximumForce));
        }
        PathSummary summary = path.Summary(folder.Path, step, options, potential.Doubts(start));
        Write(folder, path, summary);
        return summary;
    }

    // Forces of a path are no energy's: a method that trusts curvatures goes astray.
    private static Fire Optimizer(ElasticPath path) => new(path);

    private static void RequireEnds(Frame start, Frame end)
    {
        if (!start.AtomicNumbers.AsSpan().SequenceEqual(end.AtomicNumbers))
        {
            string difference = start.Atoms != end.Atoms ? $"{end.Atoms} atoms"
                : start.AtomicNumbers.Order().SequenceEqual(end.AtomicNumbers.Order()) ? "the atoms in another order" : "other elements";
            throw new InputException(end.Place, difference, $"the {start.Atoms} atoms of {start.Place}, in their order");
        }
        bool sameCell = start.Periodic.AsSpan().SequenceEqual(end.Periodic) && (start.Cell ?? []).Zip(end.Cell ?? []).All(p => Math.Abs(p.First - p.Second) < 1e-6)
            && (start.Cell is null) == (end.Cell is null);
        if (!sameCell) throw new InputException(end.Place, "another cell", $"that of {start.Place}");
        if ((start.Charge, start.Spin) != (end.Charge, end.Spin)) throw new InputException(end.Place, "another charge or spin", $"those of {start.Place}");
        StartFrame.RequireKnownMask(start);
        for (int i = 0; i < start.Positions.Length; i++)
        {
            if (start.Fixed?[i / 3] == true && Math.Abs(start.Positions[i] - end.Positions[i]) > 1e-6)
                throw new InputException(end.Place, $"fixed atom {i / 3} elsewhere", $"where {start.Place} has it");
        }
    }

    private static void Write(SimulationFolder folder, ElasticPath path, PathSummary summary)
    {
        using SimulationFolder.GrowingText frames = folder.Open(SimulationFolder.PathFrames), table = folder.Open(SimulationFolder.PathTable);
        var writer = new ExtXyzWriter(frames);
        table.Write("image,distance_A,energy_eV,relative_eV,force_across_eV_per_A\n");
        for (int i = 0; i < path.Images.Count; i++)
        {
            writer.Write(path.Images[i], new Dictionary<string, double> { ["image"] = i, ["distance"] = summary.Distances[i] });
            table.Write(string.Create(CultureInfo.InvariantCulture,
                $"{i},{summary.Distances[i]:R},{summary.Energies[i]:R},{summary.Energies[i] - summary.Energies[0]:R},{path.Across(i):R}\n"));
        }
        frames.Complete();
        table.Complete();
        folder.WriteSummary(summary);
    }
}

/// <summary>How to find a path.</summary>
public sealed record PathOptions
{
    /// <summary>Between the ends.</summary>
    public int Images { get; init; } = 7;

    /// <summary>eV/A^2, of the springs between images.</summary>
    public double Spring { get; init; } = 0.1;

    /// <summary>Whether the highest image climbs to the saddle point.</summary>
    public bool Climb { get; init; } = true;

    /// <summary>eV/A: done where no atom of an image feels more, across the path.</summary>
    public double MaximumForce { get; init; } = 0.05;

    /// <summary>Given up after as many.</summary>
    public long Steps { get; init; } = 1000;

    /// <exception cref="InputException">A value out of range.</exception>
    public void Validate()
    {
        if (Images is < 1 or > 1000) throw new InputException("images", $"{Images}", "1 to 1000");
        if (!(Spring > 0) || !double.IsFinite(Spring)) throw new InputException("spring", $"{Spring}", "a positive number of eV/A^2");
        if (!(MaximumForce > 0) || !double.IsFinite(MaximumForce)) throw new InputException("maximumForce", $"{MaximumForce}", "a positive number of eV/A");
        if (Steps < 1) throw new InputException("steps", $"{Steps}", "1 or more");
    }
}

/// <summary>What a path came to.</summary>
public sealed record PathSummary
{
    public required string Folder { get; init; }

    public required SimulationEnd End { get; init; }

    public required int Atoms { get; init; }

    /// <summary>Done.</summary>
    public required long Steps { get; init; }

    /// <summary>(images and both ends) eV</summary>
    public required double[] Energies { get; init; }

    /// <summary>(images and both ends) A along the path, in all coordinates, from the start.</summary>
    public required double[] Distances { get; init; }

    /// <summary>The highest of them, by its number from the start.</summary>
    public required int Highest { get; init; }

    /// <summary>Whether it climbed: its energy is then that of the saddle point.</summary>
    public required bool Climbed { get; init; }

    /// <summary>eV: of the highest above the start.</summary>
    public double Barrier => Energies[Highest] - Energies[0];

    /// <summary>eV: of the highest above the end.</summary>
    public double ReverseBarrier => Energies[Highest] - Energies[^1];

    /// <summary>eV/A: the longest force on an atom of an image across the path (of the climbing one, that with what makes it climb).</summary>
    public required double MaximumForce { get; init; }

    /// <summary>Why it may mean nothing; empty where nothing speaks against it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>The images between two ends, as coordinates that an optimizer moves.</summary>
internal sealed class ElasticPath : ICoordinates
{
    private readonly IPotential potential;
    private readonly double spring;
    private readonly Frame start;
    private readonly Frame end;
    private readonly double[] endEnergies;
    private readonly double endForce;
    private readonly double[] across;
    private FramePrediction[] found = [];

    public ElasticPath(IPotential potential, Frame start, Frame end, PathOptions options)
    {
        this.potential = potential;
        this.start = start;
        this.end = end with { Positions = Near(start, end) };
        spring = options.Spring;
        int n = start.Positions.Length;
        Values = new double[options.Images * n];
        Forces = new double[Values.Length];
        across = new double[options.Images];
        IReadOnlyList<FramePrediction> ends = potential.EvaluateAll([this.start, this.end]);
        endEnergies = [ends[0].Energy, ends[1].Energy];
        endForce = Math.Max(Longest(ends[0].Forces), Longest(ends[1].Forces));
        for (int image = 0; image < options.Images; image++)
        {
            double part = (image + 1.0) / (options.Images + 1);
            for (int k = 0; k < n; k++) Values[image * n + k] = (1 - part) * start.Positions[k] + part * this.end.Positions[k];
        }
        Follow();
    }

    public double[] Values { get; }

    public double[] Forces { get; }

    /// <summary>Whether the highest image climbs.</summary>
    public bool Climbing { get; set; }

    /// <summary>eV/A: the longest force on an atom, springs left out.</summary>
    public double MaximumForce => across.Length == 0 ? 0 : across.Any(double.IsNaN) ? double.NaN : across.Max();

    /// <summary>(images and both ends) eV</summary>
    public double[] Energies => [endEnergies[0], .. found.Select(f => f.Energy), endEnergies[1]];

    /// <summary>(images and both ends) with energies and forces.</summary>
    public IReadOnlyList<Frame> Images => [Labelled(start, potential.Evaluate(start)), .. found.Select((f, i) => Labelled(Image(i), f)), Labelled(end, potential.Evaluate(end))];

    /// <summary>eV/A: the longest force across the path on an atom of an image; of an end, the longest of all.</summary>
    public double Across(int image) => image == 0 || image > across.Length ? endForce : across[image - 1];

    public void Follow()
    {
        found = [.. potential.EvaluateAll([.. Enumerable.Range(0, across.Length).Select(Image)])];
        Gather();
    }

    /// <summary>Forces across the path, springs along it.</summary>
    public void Gather()
    {
        int n = start.Positions.Length;
        double[] energies = Energies;
        // An end does not climb.
        int top = 1 + Highest(energies[1..^1]);
        for (int image = 0; image < across.Length; image++)
        {
            double[] before = Positions(image - 1), here = Positions(image), after = Positions(image + 1);
            double[] back = Difference(here, before), forward = Difference(after, here);
            double[] tangent = Tangent(energies.AsSpan(image, 3), back, forward);
            double[] force = [.. found[image].Forces];
            Hold(force);
            double along = Dot(force, tangent);
            bool climbs = Climbing && image + 1 == top;
            double pull = climbs ? 0 : spring * (Math.Sqrt(Dot(forward, forward)) - Math.Sqrt(Dot(back, back)));
            double most = 0;
            for (int k = 0; k < n; k += 3)
            {
                double square = 0;
                for (int a = k; a < k + 3; a++)
                {
                    double real = force[a] - (climbs ? 2 : 1) * along * tangent[a];
                    Forces[image * n + a] = real + pull * tangent[a];
                    square += real * real;
                }
                most = double.IsNaN(square) ? double.NaN : Math.Max(most, square);
            }
            across[image] = Math.Sqrt(most);
        }
    }

    public PathSummary Summary(string folder, long steps, PathOptions options, IReadOnlyList<string> doubts)
    {
        double[] energies = Energies, distances = new double[energies.Length];
        for (int i = 1; i < distances.Length; i++)
        {
            double[] d = Difference(Positions(i - 1), Positions(i - 2));
            distances[i] = distances[i - 1] + Math.Sqrt(Dot(d, d));
        }
        int highest = Highest(energies);
        List<string> warnings = [.. doubts];
        if (endForce > 2 * options.MaximumForce)
            warnings.Add(FormattableString.Invariant($"a force of {endForce:G3} eV/A at an end: relax both first, or the barrier is that of no minimum"));
        if (highest == 0 || highest == energies.Length - 1)
            warnings.Add("no image is higher than the ends: there is no barrier between them, or it is narrower than the images lie apart");
        return new PathSummary
        {
            Folder = folder,
            End = MaximumForce <= options.MaximumForce && (Climbing || !options.Climb) ? SimulationEnd.Converged
                : steps == options.Steps ? SimulationEnd.Steps : SimulationEnd.Stopped,
            Atoms = start.Atoms,
            Steps = steps,
            Energies = energies,
            Distances = distances,
            Highest = highest,
            Climbed = Climbing,
            MaximumForce = MaximumForce,
            Warnings = warnings,
        };
    }

    private static int Highest(double[] energies) => Array.IndexOf(energies, energies.Max());

    private static Frame Labelled(Frame frame, FramePrediction prediction) =>
        frame with { Energy = prediction.Energy, Forces = prediction.Forces, Stress = null, Keys = null, Momenta = null };

    private Frame Image(int image) => start with { Positions = Positions(image) };

    /// <summary>Of an image; -1 is the start.</summary>
    private double[] Positions(int image)
    {
        int n = start.Positions.Length;
        return image < 0 ? start.Positions : image >= across.Length ? end.Positions : Values[(image * n)..((image + 1) * n)];
    }

    /// <summary>Towards the higher neighbour; at an extremum both, by what they differ in energy.</summary>
    private static double[] Tangent(ReadOnlySpan<double> e, double[] back, double[] forward)
    {
        double up = e[2] - e[1], down = e[1] - e[0], forth = 1, backwards = 1;
        if (up > 0 && down > 0) backwards = 0;
        else if (up <= 0 && down <= 0) forth = 0;
        else
        {
            double most = Math.Max(Math.Abs(up), Math.Abs(down)), least = Math.Min(Math.Abs(up), Math.Abs(down));
            (forth, backwards) = e[2] > e[0] ? (most, least) : (least, most);
        }
        double[] tangent = [.. forward.Zip(back, (f, b) => forth * f + backwards * b)];
        double length = Math.Sqrt(Dot(tangent, tangent));
        for (int k = 0; length > 0 && k < tangent.Length; k++) tangent[k] /= length;
        return tangent;
    }

    /// <summary>Each atom's image nearest to where it starts.</summary>
    private static double[] Near(Frame start, Frame end)
    {
        double[] positions = [.. end.Positions];
        if (!start.Periodic.All(p => p)) return positions;
        double[] inverse = CellGeometry.Inverse(start.Cell);
        for (int i = 0; i < positions.Length; i += 3)
        {
            double[] d = [.. Enumerable.Range(i, 3).Select(k => positions[k] - start.Positions[k])];
            for (int v = 0; v < 3; v++)
            {
                double turns = Math.Round(d[0] * inverse[v] + d[1] * inverse[3 + v] + d[2] * inverse[6 + v]);
                for (int k = 0; k < 3; k++) positions[i + k] -= turns * start.Cell![3 * v + k];
            }
        }
        return positions;
    }

    private void Hold(double[] vectors)
    {
        for (int i = 0; start.Fixed is not null && i < start.Atoms; i++)
            if (start.Fixed[i]) vectors.AsSpan(3 * i, 3).Clear();
    }

    private static double Longest(double[] forces) => Math.Sqrt(Enumerable.Range(0, forces.Length / 3).Max(i =>
        forces[3 * i] * forces[3 * i] + forces[3 * i + 1] * forces[3 * i + 1] + forces[3 * i + 2] * forces[3 * i + 2]));

    private static double[] Difference(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x - y)];

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (int k = 0; k < a.Length; k++) sum += a[k] * b[k];
        return sum;
    }
}
