using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies;

/// <summary>
/// One family of models on one data set: how its data are made, which configurations the search tries, which models and data sizes the
/// grid holds.
/// </summary>
public sealed record StudyPartPlan
{
    public required ModelFamily Family { get; init; }

    /// <summary>Where the data come from; nothing: what comes with the program.</summary>
    public DataSource Source { get; init; } = new();

    /// <summary>The models' shape, capacity aside, and everything of their training that the study does not vary.</summary>
    public required Experiment Outline { get; init; }

    /// <summary>Name of the part's folder: that of the family, chemgpt, painn, where nothing else is given to tell parts of one family apart.</summary>
    public string Name
    {
        get => field ?? Family.Name;
        init;
    }

    /// <summary>Name shown: ChemGPT, PaiNN; with its own where a part has one.</summary>
    public string Title => Name == Family.Name ? Family.Title : $"{Family.Title} ({Name})";

    /// <summary>What D and S count: tokens, frames.</summary>
    public string ItemName => Family.ItemName;

    /// <summary>What data sizes count: molecules, frames.</summary>
    public string DocumentName => Family.Data.DocumentName;

    public long Seed { get; init; } = 42;

    /// <summary>Molecules or frames of the fixed validation set.</summary>
    public required long Validation { get; init; }

    /// <summary>Molecules or frames that the search trains on.</summary>
    public required long SearchDocuments { get; init; }

    public required IReadOnlyList<double> LearningRates { get; init; }

    public required IReadOnlyList<int> BatchSizes { get; init; }

    /// <summary>The configuration that is always tried: what people start from.</summary>
    public required Configuration Default { get; init; }

    public int SearchEpochs { get; init; } = 10;

    public int ProbeEpochs { get; init; } = 2;

    /// <summary>Finish every configuration, to show how good the predictions were.</summary>
    public bool ValidateSearch { get; init; } = true;

    /// <summary>By which the search ranks its probes; null: as the folder of the search says, else the usual one of its schedule (<see cref="UsualEstimator"/>).</summary>
    public ProbeEstimator? Estimator { get; init; }

    /// <summary>Data sizes of the grid, in molecules or frames; larger ones than there are shrink to all.</summary>
    public required IReadOnlyList<long> Subsets { get; init; }

    public int MaximumEpochs { get; init; } = 60;

    /// <summary>Cap on the molecules or frames that a point of the grid sees, repeats included.</summary>
    public required long MaximumSeen { get; init; }

    public required ModelShape SearchShape { get; init; }

    public required IReadOnlyList<ModelShape> Shapes { get; init; }

    /// <summary>The model of the search.</summary>
    public GridModel SearchModel => Of(SearchShape);

    /// <summary>The models of the grid, smallest first.</summary>
    public IReadOnlyList<GridModel> Models => [.. Shapes.Select(Of).OrderBy(m => m.Parameters)];

    /// <summary>The rate found at the search's width serves the others as it is.</summary>
    public bool RateServesAllWidths => Family.RateServesAllWidths(Outline.Model.Config);

    /// <summary>What to know of this family's exponents before trusting them.</summary>
    public IEnumerable<string> Cautions => Family.Cautions(Outline.Model.Config);

    /// <summary>The study of a family as it is where nobody says otherwise: a small one on what comes with the program, a larger one on data of one's own.</summary>
    public static StudyPartPlan Of(ModelFamily family, DataSource? source = null) => Of(family, source ?? new DataSource(), budgets: false);

    /// <summary>The same for a study of compute budgets: its sizes and rates, one batch size, more data.</summary>
    public static StudyPartPlan ForBudgets(ModelFamily family, DataSource? source = null) => Of(family, source ?? new DataSource(), budgets: true);

    private static StudyPartPlan Of(ModelFamily family, DataSource source, bool budgets)
    {
        StudyOutline outline = family.Study(own: family.Data.HasFiles(source));
        return new StudyPartPlan
        {
            Family = family,
            Source = source with { Limit = source.Limit ?? (budgets ? outline.Budgets?.Limit : null) ?? outline.Limit },
            Outline = outline.Basis,
            Validation = outline.Validation,
            SearchDocuments = outline.SearchDocuments,
            LearningRates = (budgets ? outline.Budgets?.LearningRates : null) ?? outline.LearningRates,
            BatchSizes = budgets ? [outline.Start.BatchSize] : outline.BatchSizes,
            Default = new Configuration(outline.Start.LearningRate, outline.Start.BatchSize),
            SearchEpochs = outline.SearchEpochs,
            ProbeEpochs = outline.ProbeEpochs,
            Subsets = outline.Subsets,
            MaximumSeen = outline.MaximumSeen,
            SearchShape = outline.SearchShape,
            Shapes = (budgets ? outline.Budgets?.Shapes : null) ?? outline.Shapes,
        };
    }

    /// <summary>Makes the store, or finds the one that is there.</summary>
    /// <param name="folder">Of the store.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="stop">Leaves no half store.</param>
    public DataFacts Prepare(string folder, StudyObserver observer, CancellationToken stop)
    {
        observer.Begin($"preparing {Family.Data.NameOf(Source)}");
        DataSource source = Family.ForStudy(Source with { Seed = Seed }, Outline.Model.Config);
        DataFacts facts = Family.Data.Prepare(source, folder, new DataObserver { Molecules = observer.Preparation }, stop);
        if (Outline.Data.Fingerprint is not null) Outline.Data.RequireFingerprint(folder, FingerprintOf(folder)!);
        return facts;
    }

    /// <summary>With what its search ranks by, and the identity of its data where they are prepared.</summary>
    /// <param name="store">Of the part.</param>
    /// <param name="search">Folder of the search.</param>
    internal StudyPartPlan Identified(string store, string search)
    {
        StudyPartPlan whole = this with { Estimator = Estimator ?? UsualEstimator.RecordedIn(search) ?? UsualEstimator.For(Outline.Training) };
        return !Family.Data.Holds(store) ? whole : whole with { Outline = Outline with { Data = Outline.Data with { Fingerprint = FingerprintOf(store) } } };
    }

    /// <summary>Everything but model, data size, learning rate, batch size and length.</summary>
    /// <param name="store">The store that <see cref="Prepare"/> made.</param>
    public Experiment Basis(string store) =>
        Family.OnStore(Outline with { Model = ModelSpec.Of(SearchModel.Config), Data = Outline.Data with { Validation = Validation }, Seed = Seed }, store);

    /// <summary>The model of a grid point as the store needs it.</summary>
    public object Fitted(GridModel model, string store) => Family.Fitted(model.Config, store);

    /// <exception cref="InputException">Sizes that do not fit together.</exception>
    public void Check()
    {
        Family.Data.Check(Source);
        if (Shapes.Count == 0) throw new InputException($"{Name} grid", "no models", "one or more");
        foreach (GridModel model in Models.Append(SearchModel)) Family.Check(model.Config, $"{Name} grid");
        if (Subsets.Count == 0 || Subsets.Any(s => s < 1)) throw new InputException($"{Name} subsets", string.Join(",", Subsets), "one or more sizes of at least 1");
        if (SearchEpochs < 2) throw new InputException("searchEpochs", $"{SearchEpochs}", "2 or more: a probe is a part of a full run");
        if (ProbeEpochs < 1 || ProbeEpochs >= SearchEpochs)
            throw new InputException("probeEpochs", $"{ProbeEpochs}", $"1 to {SearchEpochs - 1}, less than the {SearchEpochs} epochs of a full run");
        _ = SearchSpace.Grid(LearningRates, BatchSizes, Default);
    }

    /// <summary>Asked of every part before the first is run: the last one's missing file is no news for the end.</summary>
    /// <param name="store">Of the part; where it is prepared already, the files are not needed.</param>
    /// <exception cref="InputException">A file that is not there.</exception>
    internal void RequireFiles(string store)
    {
        if (Family.Data.Holds(store)) return;
        foreach ((string key, IEnumerable<string> files) in ((string, IEnumerable<string>)[])[("source.molecules", Source.Molecules), ("source.frames", Source.Frames),
            ("source.tokenizer", Source.Tokenizer is { } tokenizer ? (string[])[tokenizer] : [])])
        {
            if (files.FirstOrDefault(f => !Path.Exists(f)) is { } missing) throw new InputException($"{key}: {missing}", "no such file", "one that can be read");
        }
    }

    private string? FingerprintOf(string store) => Family.Data.Describe(new DataSpec { Store = store }).Fingerprint;

    private GridModel Of(ModelShape shape)
    {
        object config = Family.Shaped(Outline.Model.Config, shape);
        return new GridModel(Family.NameOf(shape), config, Family.NonEmbeddingParameters(config), shape.Width);
    }
}

/// <summary>A part with all of its runs: what commands that go on from it are made of.</summary>
/// <param name="Plan">What was run.</param>
/// <param name="Part">What came of it.</param>
/// <param name="Directory">Of the part: tpe/, grid/, points.csv.</param>
/// <param name="Store">Of its data.</param>
/// <param name="BestRun">Directory of the run of the grid with the least loss; null where there is none.</param>
/// <param name="Frames">A file of frames like those trained on; null for molecules.</param>
public sealed record FinishedPart(StudyPartPlan Plan, StudyPart Part, string Directory, string Store, string? BestRun, string? Frames)
{
    internal const string PointsName = "points.csv";

    /// <summary>The table of the grid's points.</summary>
    public string Points => Path.Combine(Directory, PointsName);

    /// <summary>Some series of this resource carries a law.</summary>
    /// <param name="resource">parameters, items or compute.</param>
    public bool Carries(string resource) => Part.Grid.Fits.Any(f => f.Resource == resource && f.IsPlain && f.Claim.Grade > Scaling.Claims.ClaimGrade.Refused);

    internal static FinishedPart Of(StudyPartPlan plan, StudyPart part, string directory, string store)
    {
        GridPoint? best = part.Grid.Points.Where(p => double.IsFinite(p.Loss)).MinBy(p => p.Loss);
        string? frames = plan.DocumentName != "frames" ? null
            : plan.Source.Frames.Count > 0 ? plan.Source.Frames[0] : EmbeddedFrames.ExtractTo(Path.Combine(directory, "frames"), EmbeddedFrames.Molecules.Take(1))[0];
        return new FinishedPart(plan, part, directory, store, best is null ? null : Path.Combine(directory, "grid", best.Name), frames);
    }
}

/// <summary>Who wants to know how a study goes on.</summary>
public record StudyObserver
{
    /// <summary>A stage begins.</summary>
    public Action<string> Begin { get; init; } = static _ => { };

    public Action<string> Say { get; init; } = static _ => { };

    public Action<string> Warn { get; init; } = static _ => { };

    public IProgress<PreparationProgress>? Preparation { get; init; }

    /// <summary>Every step of every run, from the runs' threads.</summary>
    public IProgress<RunProgress>? Steps { get; init; }
}
