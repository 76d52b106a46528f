using System.Globalization;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Scaling.Families;
using ChemScale.Engine.Scaling.Fitting;
using ChemScale.Engine.Scaling.Intervals;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Runs;

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

    /// <summary>Column of the CSV; of run directories <c>loss</c>, or <c>loss_per_molecule</c>: nats per molecule.</summary>
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

    /// <summary>Heard between resamples.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Resources to predict the loss at, each in the order of the family's: R, or N and D.</summary>
    public IReadOnlyList<IReadOnlyList<double>> At { get; init; } = [];

    /// <summary>What does each of these losses take?</summary>
    public IReadOnlyList<double> TargetLosses { get; init; } = [];

    /// <summary>Which model on how much data is best for each of these, in FLOP? Families of parameters and data.</summary>
    public IReadOnlyList<double> Computes { get; init; } = [];

    /// <summary>KEY=VALUE or KEY=VALUE,VALUE each: columns of the CSV; keys of the runs' experiments, parameters and items. Points without them are no part of it.</summary>
    public IReadOnlyList<string> Where { get; init; } = [];

    /// <summary>Columns or keys: a series, and a claim, for each combination of their values.</summary>
    public IReadOnlyList<string> By { get; init; } = [];

    /// <summary>Mix points of different values of another resource in one fit.</summary>
    public bool Pool { get; init; }

    /// <summary>Of a law in compute: only the runs that nothing cheaper equals.</summary>
    public bool Frontier { get; init; }

    /// <summary>The answer of the only series.</summary>
    /// <exception cref="InputException">The sources, columns or family do not fit together, or there is more than one series.</exception>
    public FitAnswer Run()
    {
        if (By.Count > 0) throw new InputException("by", string.Join(", ", By), "none", "RunSeries answers for each");
        return RunSeries().Single();
    }

    /// <summary>One answer for each series of <see cref="By"/>; what points cannot carry is refused in its claim.</summary>
    /// <exception cref="InputException">The sources, columns or family do not fit together.</exception>
    public IReadOnlyList<FitAnswer> RunSeries()
    {
        if (DropHighest < 0) throw new InputException("dropHighest", $"{DropHighest}", "0 or more");
        if (Resamples < 0) throw new InputException("resamples", $"{Resamples}", "0 (none) or more");
        ScalingFamily family = ScalingFamilies.ByName(Family);
        double delta = Huber ?? (family.Inputs == 2 ? 1e-3 : 0);
        if (!(delta >= 0)) throw new InputException("huber", $"{delta}", "0 (squares) or more");
        Check(family);
        ScalingPoints all = WithDerivedData(Read());
        Resource[] resources = family.Inputs == 2 ? [Scaling.Resource.Parameters, Scaling.Resource.Data] : [Resource ?? OnlyResource(all)];
        if (Frontier && (resources.Length > 1 || resources[0] != Scaling.Resource.Compute))
            throw new InputException("frontier", "given", "a law in compute", "set `resource` to compute");
        var options = new FitOptions { Loss = delta > 0 ? ResidualLoss.Huber(delta) : ResidualLoss.Squared };
        return [.. PointFilter.Groups(all, By).Select(series => Answer(series, family, resources, options))];
    }

    private FitAnswer Answer(PointSeries series, ScalingFamily family, Resource[] resources, FitOptions options)
    {
        ScalingPoints points = series.Points;
        if (DropHighest > 0) points = points.DropHighest(DropHighest);
        if (Frontier) points = ComputeFrontier.Of(points);
        Claim claim = Inference.Of(points, resources, new ClaimOptions
        {
            Family = family.Name,
            Level = Level,
            Held = Held(series, resources),
            Pool = Pool || Frontier,
            Fit = options,
            Cautions = [.. Frontier ? (string[])[FrontierCaution] : [], .. Mixed(points)],
            Bootstrap = new BootstrapOptions { Kind = Resampling, Resamples = Resamples, Seed = Seed, Cancellation = Cancellation },
        }, out Bootstrap? bootstrap);
        var questions = new FitQuestions(claim, bootstrap, Level);
        bool joint = resources.Length == 2;
        return new FitAnswer(claim)
        {
            Series = series.Values,
            Diagnostics = claim.Fit is { } found ? FitDiagnostics.Of(found, bootstrap) : null,
            Evidence = claim.Fit is { } fit ? FitEvidence.Of(points, fit, options, Level) : null,
            Predictions = [.. At.Select(questions.Predict)],
            Requirements = joint ? [] : [.. TargetLosses.Select(questions.Require)],
            Optima = [.. Computes.Select(questions.Optimum)],
            LeastComputes = joint ? [.. TargetLosses.Select(questions.Least)] : [],
        };
    }

    /// <summary>Said of every law through a frontier.</summary>
    internal const string FrontierCaution = "the runs of a frontier are chosen by their losses, so the scatter about the law is less than that of runs";

    /// <summary>Losses that are not of the same text.</summary>
    private IEnumerable<string> Mixed(ScalingPoints points)
    {
        bool Several(string key) => points.Kept.Select(p => p.Fields.GetValueOrDefault(key)).Distinct().Count() > 1;
        if (LossColumn != RunPoints.LossPerMolecule && Several("data.representation"))
            yield return $"some losses are of tokens of SELFIES, some of SMILES: only those per molecule can be compared ({RunPoints.LossPerMolecule})";
        if (Several(RunPoints.Writing)) yield return "some runs have their molecules written one way each, some as they were given: their losses are of other texts";
    }

    private string Held(PointSeries series, Resource[] resources)
    {
        List<string> held = [.. series.Values.Select(v => $"{v.Key} = {v.Value}"), .. Where.Select(w => w.Replace("=", " = ", StringComparison.Ordinal))];
        if (Frontier) held.Insert(0, "frontier");
        if (held.Count == 0 && resources is [var resource])
        {
            Resource other = resource == Scaling.Resource.Parameters ? Scaling.Resource.Data : Scaling.Resource.Parameters;
            if (series.Points.Kept.All(p => Known(p, other)) && Inference.Distinct(series.Points.Kept.Select(p => p.Of(other))) is [var only])
                held.Add(string.Create(CultureInfo.InvariantCulture, $"{(other == Scaling.Resource.Data ? "D" : "N")} = {only:G6}"));
        }
        return string.Join(", ", held);
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

    private ScalingPoints Read()
    {
        if (Sources.Count == 0) throw new InputException("fit", "no input", "a .csv, or run directories");
        IReadOnlyList<PointFilter> filters = [.. Where.Select(PointFilter.Parse)];
        if (Sources.Any(s => File.Exists(s) || (s.EndsWith(".csv", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(s))))
        {
            if (Sources.Count > 1) throw new InputException("fit", $"{Sources.Count} inputs", "one .csv, or run directories");
            CsvTable table = CsvTable.Read(Sources[0]);
            var columns = filters.Select(f => (Filter: f, Column: table.Column(f.Key))).ToArray();
            foreach (string key in By) table.Column(key);
            return ScalingPoints.Of(table, NColumn, DColumn, CColumn, LossColumn, WeightColumn, SeedColumn, NameColumn,
                row => columns.All(c => c.Filter.Holds(table.Text(row, c.Column))));
        }
        bool perMolecule = LossColumn == RunPoints.LossPerMolecule;
        if (!perMolecule && LossColumn != "loss") throw new InputException("lossColumn", LossColumn, $"loss or {RunPoints.LossPerMolecule}, of run directories");
        // What is not wanted need not be complete.
        string[] runs = [.. Sources.SelectMany(RunPoints.Find)];
        string[] wanted = filters.Count == 0 ? runs : [.. runs.Where(run => RunPoints.Fields(run) is var fields && filters.All(f => f.Holds(f.Of(fields, run))))];
        // A run that is named twice, linked or copied is one point: repeated, it would make an interval narrower than it is.
        return wanted.Length > 0
            ? new ScalingPoints([.. wanted.Select(run => (new RunDirectory(run).ReadExperiment().Id, Point: RunPoints.Read(run, perMolecule)))
                .DistinctBy(run => (run.Id, run.Point.Loss)).Select(run => run.Point)])
            : throw new InputException("where", string.Join(' ', Where), $"what at least one of {runs.Length} runs has");
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
