using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
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

    /// <summary>Weights of the points; null: all alike.</summary>
    public string? WeightColumn { get; init; }

    /// <summary>Runs that differ in their seed alone tell the noise; null: no such column.</summary>
    public string? SeedColumn { get; init; }

    /// <summary>Names of the points; null: file:line.</summary>
    public string? NameColumn { get; init; }

    /// <summary>A name of <see cref="ScalingFamilies"/>.</summary>
    public string Family { get; init; } = LogSumExpFamily.PowerLaw.Name;

    /// <summary>What a family of one resource is a function of; null: the only one known.</summary>
    public Resource? Resource { get; init; }

    /// <summary>Delta of Huber's loss on log residuals; 0: squares; null: 1e-3 for families of two resources, squares otherwise.</summary>
    public double? Huber { get; init; }

    public int DropHighest { get; init; }

    /// <summary>Bootstrap resamples; 0: profile-likelihood intervals only.</summary>
    public int Resamples { get; init; } = 1000;

    public BootstrapKind Resampling { get; init; } = BootstrapKind.Pairs;

    public double Level { get; init; } = 0.95;

    public ulong Seed { get; init; } = 1;

    /// <summary>Resources to predict the loss at, each in the order of the family's: R, or N and D.</summary>
    public IReadOnlyList<IReadOnlyList<double>> At { get; init; } = [];

    /// <summary>What does each of these losses take?</summary>
    public IReadOnlyList<double> TargetLosses { get; init; } = [];

    /// <summary>Which model on how much data is best for each of these, in FLOP? Families of parameters and data.</summary>
    public IReadOnlyList<double> Computes { get; init; } = [];

    /// <exception cref="InputException">The sources, columns or family do not fit together, or the points cannot support the form.</exception>
    public FitAnswer Run()
    {
        if (DropHighest < 0) throw new InputException("dropHighest", $"{DropHighest}", "0 or more");
        if (Resamples < 0) throw new InputException("resamples", $"{Resamples}", "0 (none) or more");
        ScalingFamily family = ScalingFamilies.ByName(Family);
        ScalingPoints points = WithDerivedData(Read());
        if (DropHighest > 0) points = points.DropHighest(DropHighest);
        Resource[] resources = family.Inputs == 2 ? [Scaling.Resource.Parameters, Scaling.Resource.Data] : [Resource ?? OnlyResource(points)];
        double delta = Huber ?? (family.Inputs == 2 ? 1e-3 : 0);
        if (!(delta >= 0)) throw new InputException("huber", $"{delta}", "0 (squares) or more");
        Check(family);
        var options = new FitOptions { Loss = delta > 0 ? ResidualLoss.Huber(delta) : ResidualLoss.Squared };
        ScalingFit fit = ScalingFitter.Fit(family, points, resources, options);
        Bootstrap? bootstrap = Resamples > 0 ? Bootstrap.Run(fit, new BootstrapOptions { Kind = Resampling, Resamples = Resamples, Seed = Seed }) : null;
        bool joint = resources.Length == 2;
        return new FitAnswer(fit, ProfileLikelihood.Parameters(fit, Level), bootstrap?.Parameters(Level), bootstrap?.Resamples ?? 0, bootstrap?.Failed ?? 0)
        {
            Evidence = FitEvidence.Of(points, fit, options, Level),
            Predictions = [.. At.Select(place => Predict(fit, bootstrap, [.. place]))],
            Requirements = joint ? [] : [.. TargetLosses.Select(loss => Requirement.For(fit, resources[0], loss, [], bootstrap, Level))],
            Optima = [.. Computes.Select(compute => ComputeOptimum.At(fit, compute, bootstrap, Level))],
            LeastComputes = joint ? [.. TargetLosses.Select(loss => Least(fit, bootstrap, loss))] : [],
        };
    }

    // Before the fit, which may take a while.
    private void Check(ScalingFamily family)
    {
        string resources = family.Inputs == 1 ? "R" : "N,D";
        if (At.FirstOrDefault(place => place.Count != family.Inputs) is { } wrong)
            throw new InputException("at", string.Join(',', wrong), $"{resources}, as in {family.Formula}");
        if (At.SelectMany(place => place).Where(r => !(r > 0) || double.IsInfinity(r)).Cast<double?>().FirstOrDefault() is { } resource)
            throw new InputException("at", $"{resource}", "numbers above 0");
        if (TargetLosses.Where(l => !(l > 0) || double.IsInfinity(l)).Cast<double?>().FirstOrDefault() is { } loss)
            throw new InputException("targetLosses", $"{loss}", "numbers above 0");
        if (Computes.Where(c => !(c > 0) || double.IsInfinity(c)).Cast<double?>().FirstOrDefault() is { } compute)
            throw new InputException("computes", $"{compute}", "numbers above 0, in FLOP");
        if (Computes.Count > 0 && family.Inputs == 1)
            throw new InputException("computes", family.Name, "a family of parameters and data, such as chinchilla", "use `at` for a law of one resource");
    }

    private FitPrediction Predict(ScalingFit fit, Bootstrap? bootstrap, double[] place)
    {
        double beyond = 1;
        for (int k = 0; k < place.Length; k++)
        {
            double[] known = [.. fit.Points.Select(p => p.Of(fit.Resources[k]))];
            beyond = Math.Max(beyond, Math.Max(place[k] / known.Max(), known.Min() / place[k]));
        }
        return new FitPrediction(place, fit.Predict(place), ProfileLikelihood.Curve(fit, Level, place), bootstrap?.CurveInterval(Level, place),
            bootstrap?.PredictionInterval(Level, place), beyond);
    }

    private LeastCompute Least(ScalingFit fit, Bootstrap? bootstrap, double loss) =>
        ComputeOptimum.ForLoss(fit, loss, bootstrap, Level) is var (optimum, interval) ? new(loss, optimum, interval) : new(loss, null, null);

    private ScalingPoints Read()
    {
        if (Sources.Count == 0) throw new InputException("fit", "no input", "a .csv, or run directories");
        if (Sources.Any(s => File.Exists(s) || (s.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(s))))
        {
            if (Sources.Count > 1) throw new InputException("fit", $"{Sources.Count} inputs", "one .csv, or run directories");
            return ScalingPoints.ReadCsv(Sources[0], NColumn, DColumn, CColumn, LossColumn, WeightColumn, SeedColumn, NameColumn);
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
        return varied.Length == 1 ? varied[0] : throw new InputException("resource", "none", "parameters, data or compute",
            varied.Length == 0 ? "no resource varies over these points" : "more than one resource varies over these points");
    }

    private static bool Known(ScalingPoint point, Resource resource) => resource switch
    {
        Scaling.Resource.Parameters => point.N is not null,
        Scaling.Resource.Data => point.D is not null,
        _ => point.C is not null,
    };
}
