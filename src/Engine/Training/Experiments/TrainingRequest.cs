namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// Asks for an experiment: a family or an experiment to start from, data or where they come from, and single settings over it. Building
/// it prepares the data where need be, and fits the model to them.
/// </summary>
/// <example>
/// <code>
/// Experiment experiment = new TrainingRequest
/// {
///     Family = "painn",
///     Source = new DataSource { Frames = ["md.extxyz"] },
///     Settings = new Dictionary&lt;string, object&gt; { ["training.epochs"] = 100, ["model.features"] = 64 },
/// }.Build("runs/painn");
/// </code>
/// </example>
public sealed record TrainingRequest
{
    // As many molecules or frames are enough to validate by, where only a few are trained on.
    private const long LeastValidation = 50;

    /// <summary>Name of the model family; null: that of the experiment started from, else the first of the list.</summary>
    public string? Family { get; init; }

    /// <summary>The experiment to start from; null: <see cref="Begun"/>, else the family's defaults fitted to the data.</summary>
    public Experiment? Basis { get; init; }

    /// <summary>The experiment of a run to go on with: its data stand where nothing else says which.</summary>
    public Experiment? Begun { get; init; }

    /// <summary>Where the data come from; empty: what the experiment says, else what comes with the program.</summary>
    public DataSource Source { get; init; } = new();

    /// <summary>
    /// Values by key, such as <c>training.batchSize</c>: of the key's type, or text as an experiment file has it. A key that the family
    /// has no use for is refused. With <c>data.subset</c>, and without <c>data.validation</c>, as many are validated as are trained on, at
    /// least 50; <c>training.epochs</c> or <c>training.steps</c> alone replaces the other.
    /// </summary>
    public IReadOnlyDictionary<string, object> Settings { get; init; } = new Dictionary<string, object>();

    /// <summary>Values by key as text, over everything else, later ones over earlier ones.</summary>
    public IReadOnlyList<(string Key, string Value)> Overrides { get; init; } = [];

    /// <summary>Where <see cref="Overrides"/> come from, to name in an error.</summary>
    public string OverridesPlace { get; init; } = "overrides";

    /// <summary>What to start from, fitted to the data, where the weights of a run are to begin with: as <c>InitialWeights.Basis</c> says.</summary>
    public Experiment? Initial { get; init; }

    private Experiment? Start => Basis ?? Begun ?? Initial;

    /// <summary>The family that the experiment will be of.</summary>
    /// <exception cref="InputException">No such family, or not the experiment's; data of another kind, and no family named.</exception>
    public ModelFamily ResolveFamily()
    {
        ModelFamily? named = Family is null ? null : ModelFamily.Named(Family);
        if (named is not null && Start is not null && named != Start.Model.Family)
            throw new InputException("model.family", named.Name, $"{Start.Model.Family.Name}, as the experiment says");
        ModelFamily family = named ?? Start?.Model.Family ?? ModelFamily.All[0];
        // Whoever brings other data must say what to train on them: there may be several.
        DataKind? other = Kinds().FirstOrDefault(k => k != family.Data && (k.HasFiles(Source) || (Source.Store is { } store && k.Holds(store))));
        if (named is null && Start is null && other is not null)
        {
            throw new InputException(Source.Store ?? other.Particulars(Source)[0].Key, $"{other.DocumentName}, and no model family named",
                $"`model.family` {ModelFamily.Names(ModelFamily.All.Where(f => f.Data == other))}");
        }
        return family;
    }

    /// <summary>The experiment, validated, its data prepared. What is wrong with a setting shows before any data are.</summary>
    /// <param name="folder">Where data that must be prepared go, under data.</param>
    /// <param name="observer">Told how a preparation goes; null: nobody.</param>
    /// <param name="stop">Ends a preparation.</param>
    /// <exception cref="InputException">The key, property or file at fault.</exception>
    public Experiment Build(string folder, DataObserver? observer = null, CancellationToken stop = default)
    {
        ModelFamily family = ResolveFamily();
        CheckSource(family);
        foreach ((string key, string _) in Overrides)
        {
            if (key == "model.family") throw new InputException(OverridesPlace, $"key '{key}'", "`model.family`, which is asked for by itself");
            if (key == "data.store" && (Source.Store is not null || family.Data.HasFiles(Source))) throw new InputException(
                OverridesPlace, $"{key}, and data named elsewhere", "one of them");
        }
        Experiment experiment = Start ?? family.Defaults;
        if (experiment.Data.Store == DataSpec.Virtual && Begun is not null) experiment = experiment with { Data = experiment.Data with { Store = Begun.Data.Store } };
        experiment = Set(family, experiment);
        string store = Prepare(family, experiment.Data, folder, observer ?? new DataObserver(), stop);
        // What the data say of the model stands below what was asked for; the model of an experiment is what it is.
        if (Basis is null && Begun is null) experiment = Set(family, experiment with { Model = ModelSpec.Of(family.Fitted(experiment.Model.Config, store)) });
        DataSpec data = family.Data.Describe(experiment.Data with { Store = store });
        // Data that are named take the place of the experiment's.
        if (Source.Store is null && !family.Data.HasFiles(Source)) experiment.Data.RequireFingerprint(store, data.Fingerprint!);
        bool asked = Settings.ContainsKey("data.validation") || Overrides.Any(o => o.Key == "data.validation");
        if (asked && family.Data.Facts(store).Validation is var held && data.Validation > held)
            throw new InputException("data.validation", $"{data.Validation}", $"at most {held}, as many as {store} holds out");
        return (experiment with { Data = data }).Validated();
    }

    /// <summary>Refuses what was asked for and did not come to stand in the experiments, and settings that say nothing to any of them.</summary>
    /// <param name="built">What came of it: an experiment, or those of a sweep.</param>
    /// <exception cref="InputException">The first key that is not honoured.</exception>
    public void RequireHonoured(IReadOnlyCollection<Experiment> built)
    {
        GivenKeys.RequireHonoured(built, Overrides, OverridesPlace);
        foreach (string key in Settings.Keys.Where(key => built.All(e => ExperimentKeys.Has(e, key)))) GivenKeys.RequireEffect(built, key, key);
    }

    private static IEnumerable<DataKind> Kinds() => ModelFamily.All.Select(f => f.Data).Distinct();

    private void CheckSource(ModelFamily family)
    {
        foreach (DataKind kind in Kinds().Where(k => k != family.Data))
        {
            (string? key, bool given) = kind.Particulars(Source).FirstOrDefault(p => p.Given);
            if (given)
                throw new InputException(key!, $"given for {family.Name}", $"what {family.Data.DocumentName} have", $"`model.family` names a model of {kind.DocumentName}");
        }
        if (Source.Store is not null && family.Data.HasFiles(Source))
            throw new InputException("source.store", $"given beside `{family.Data.Particulars(Source)[0].Key}`", "one of them");
        family.Data.Check(Source);
    }

    private Experiment Set(ModelFamily family, Experiment experiment)
    {
        foreach ((string shorthand, IReadOnlyList<string> whole) in family.Shorthands)
        {
            if (!Settings.TryGetValue(shorthand, out object? value)) continue;
            string[] beside = [.. whole.Where(Settings.ContainsKey).Select(k => $"`{k}`")];
            if (beside.Length > 0) throw new InputException(shorthand, $"given beside {string.Join(", ", beside)}", "one or the other");
            experiment = experiment with { Model = ModelSpec.Of(family.Expand(experiment.Model.Config, shorthand, value)) };
        }
        foreach ((string key, object value) in Settings)
        {
            if (family.Shorthands.ContainsKey(key)) continue;
            if (family.Unused.Any(u => key == u || key.StartsWith(u + ".", StringComparison.Ordinal)) || !ExperimentKeys.Has(experiment, key))
                throw new InputException(key, $"given for {family.Name}", $"a setting that {family.Name} has", Hint(family, key));
            experiment = ExperimentKeys.With(experiment, key, value, key);
        }
        TrainingSpec training = experiment.Training;
        bool epochs = Settings.ContainsKey("training.epochs"), steps = Settings.ContainsKey("training.steps");
        if (epochs && !steps) training = training with { Steps = null };
        if (steps && !epochs) training = training with { Epochs = null };
        if (training.Epochs is null && training.Steps is null) training = training with { Epochs = 1 };
        DataSpec data = experiment.Data;
        if (Settings.ContainsKey("data.subset") && data.Subset is { } subset && !Settings.ContainsKey("data.validation"))
            data = data with { Validation = Math.Min(data.Validation, Math.Max(LeastValidation, subset)) };
        experiment = experiment with { Training = training, Data = data };
        return Overrides.Count > 0 ? ExperimentKeys.With(experiment, Overrides, OverridesPlace) : experiment.Validated();
    }

    private static string Hint(ModelFamily family, string key)
    {
        ModelFamily[] others = [.. ModelFamily.All.Where(f => f != family && !f.Unused.Any(u => key == u || key.StartsWith(u + ".", StringComparison.Ordinal))
            && (f.Shorthands.ContainsKey(key) || ExperimentKeys.Has(f.Defaults, key)))];
        return others.Length > 0 ? $"`model.family` {ModelFamily.Names(others)} has it" : "";
    }

    private string Prepare(ModelFamily family, DataSpec data, string folder, DataObserver observer, CancellationToken stop)
    {
        string? prepared = Source.Store is { } given ? Path.GetFullPath(given) : !family.Data.HasFiles(Source) && data.Store != DataSpec.Virtual
            ? Path.GetFullPath(data.Store) : null;
        if (prepared is not null)
        {
            family.Data.Agree(Source, prepared);
            return prepared;
        }
        string target = Path.GetFullPath(Path.Combine(folder, "data"));
        family.Data.Prepare(family.Data.For(Source, data), target, observer, stop);
        return target;
    }
}
