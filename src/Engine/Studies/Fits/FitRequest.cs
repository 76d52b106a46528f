using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Runs;

namespace ChemScale.Engine.Studies.Fits;

/// <summary>A fit as somebody asks for it: a CSV with named columns, or run directories.</summary>
public sealed record FitRequest
{
    /// <summary>One .csv, or folders of runs.</summary>
    public required IReadOnlyList<string> Sources { get; init; }

    /// <summary>Columns of the CSV; null: it has none. Where N and C are known and D is not, D = C / (6 N).</summary>
    public string? NColumn { get; init; }

    public string? DColumn { get; init; }

    public string? CColumn { get; init; }

    public string LossColumn { get; init; } = "loss";

    /// <summary>A name of <see cref="ScalingFamilies"/>.</summary>
    public string Family { get; init; } = LogSumExpFamily.PowerLaw.Name;

    /// <summary>What a family of one resource is a function of; null: the only one known.</summary>
    public Resource? Resource { get; init; }

    /// <summary>Delta of Huber's loss on log residuals; 0: squares; null: 1e-3 for families of two resources, squares otherwise.</summary>
    public double? Huber { get; init; }

    public int DropHighest { get; init; }

    /// <summary>Bootstrap resamples; 0: profile-likelihood intervals only.</summary>
    public int Resamples { get; init; } = 1000;

    public double Level { get; init; } = 0.95;

    public ulong Seed { get; init; } = 1;

    /// <exception cref="InputException">The sources, columns or family do not fit together, or the points cannot support the form.</exception>
    public FitAnswer Run()
    {
        if (DropHighest < 0) throw new InputException("--drop-highest", $"{DropHighest}", "0 or more");
        if (Resamples < 0) throw new InputException("--bootstrap", $"{Resamples}", "0 (none) or more");
        ScalingFamily family = ScalingFamilies.ByName(Family);
        ScalingPoints points = WithDerivedData(Read());
        if (DropHighest > 0) points = points.DropHighest(DropHighest);
        Resource[] resources = family.Inputs == 2 ? [Scaling.Resource.Parameters, Scaling.Resource.Data] : [Resource ?? OnlyResource(points)];
        double delta = Huber ?? (family.Inputs == 2 ? 1e-3 : 0);
        if (!(delta >= 0)) throw new InputException("--huber", $"{delta}", "0 (squares) or more");
        var options = new FitOptions { Loss = delta > 0 ? ResidualLoss.Huber(delta) : ResidualLoss.Squared };
        ScalingFit fit = ScalingFitter.Fit(family, points, resources, options);
        Bootstrap? bootstrap = Resamples > 0 ? Bootstrap.Run(fit, new BootstrapOptions { Resamples = Resamples, Seed = Seed }) : null;
        return new FitAnswer(fit, ProfileLikelihood.Parameters(fit, Level), bootstrap?.Parameters(Level), bootstrap?.Resamples ?? 0, bootstrap?.Failed ?? 0);
    }

    private ScalingPoints Read()
    {
        if (Sources.Count == 0) throw new InputException("fit", "no input", "a .csv, or run directories");
        if (Sources.Any(s => File.Exists(s) || (s.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(s))))
        {
            if (Sources.Count > 1) throw new InputException("fit", $"{Sources.Count} inputs", "one .csv, or run directories");
            return ScalingPoints.ReadCsv(Sources[0], NColumn, DColumn, CColumn, LossColumn);
        }
        return new ScalingPoints([.. Sources.SelectMany(RunPoints.Find).Select(RunPoints.Read)]);
    }

    private static ScalingPoints WithDerivedData(ScalingPoints points) => points with
    {
        Kept = [.. points.Kept.Select(p => p is { D: null, N: { } n, C: { } c } ? p with { D = c / (6 * n) } : p)],
    };

    private static Resource OnlyResource(ScalingPoints points)
    {
        ScalingPoint first = points.Kept.Count > 0 ? points.Kept[0] : throw new InputException("fit", "no points", "at least three");
        Resource[] varied = [.. Enum.GetValues<Resource>().Where(r => Known(first, r) && points.Kept.Select(p => p.Of(r)).Distinct().Count() > 1)];
        return varied.Length == 1 ? varied[0] : throw new InputException("--resource", "none", "parameters, data or compute",
            varied.Length == 0 ? "no resource varies over these points" : "more than one resource varies over these points");
    }

    private static bool Known(ScalingPoint point, Resource resource) => resource switch
    {
        Scaling.Resource.Parameters => point.N is not null,
        Scaling.Resource.Data => point.D is not null,
        _ => point.C is not null,
    };
}

/// <summary>What came out. Bootstrap: null where none was asked for.</summary>
public sealed record FitAnswer(ScalingFit Fit, IReadOnlyList<ParameterInterval> Profile, IReadOnlyList<ParameterInterval>? Bootstrap, int Resamples, int FailedResamples);
