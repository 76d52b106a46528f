using System.ComponentModel.DataAnnotations;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Studies;

/// <summary>
/// A study as a file: <c>families</c> (each with its source, model, training, shapes, rates, batch sizes, search and grid), <c>flops</c> (compute
/// budgets instead of search and grid) and <c>seed</c>. What is left out is as it is where nobody says otherwise; every study writes itself
/// into its folder with nothing left out.
/// </summary>
/// <param name="Parts">A family each.</param>
/// <param name="Budgets">In FLOP; empty: search and grid.</param>
public sealed record StudyFile(IReadOnlyList<StudyPartPlan> Parts, IReadOnlyList<double> Budgets)
{
    /// <summary>In the folder of a study.</summary>
    public const string FileName = "study.yaml";

    // What a study decides for each of its runs.
    private static readonly string[] Decided =
        ["training.learningRate", "training.batchSize", "training.epochs", "training.steps", "training.patience", "training.validationInterval"];

    private const string MoleculeDocuments = "molecules";

    private static readonly string[] DecidedByBudgets = ["training.emaDecay", "training.schedule.kind", "training.schedule.cooldown"];

    /// <summary>Paths of data in the file are from its folder.</summary>
    /// <exception cref="InputException">File, line and key of what is wrong.</exception>
    public static StudyFile Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, Path.Exists(path) ? e.Message : "no such file", "a readable study file (YAML)");
        }
        return Parse(text, path);
    }

    /// <summary>What a study wrote into its own folder; that of a version without seals, too.</summary>
    /// <exception cref="InputException">Some byte is not what was written.</exception>
    internal static StudyFile ReadSealed(string path) => Parse(Seal.OpenYaml(File.ReadAllBytes(path), path), path);

    /// <inheritdoc cref="Read"/>
    /// <param name="yaml">Text of the file.</param>
    /// <param name="path">Its name in errors; its folder is where paths begin.</param>
    public static StudyFile Parse(string yaml, string path)
    {
        IList<YamlDocument> documents = YamlText.Documents(yaml, path);
        if (documents.Count != 1 || documents[0].RootNode is not YamlMappingNode root) throw new InputException(path, "no mapping", "families, flops and seed");
        Dictionary<string, YamlNode> children = ExperimentYaml.Children(root, path, "", ["families", "flops", "seed"]);
        long? seed = children.TryGetValue("seed", out YamlNode? seeded) ? (long)ExperimentYaml.ReadScalar(typeof(long), seeded, path, "seed")! : null;
        double[] budgets = children.TryGetValue("flops", out YamlNode? flops)
            ? [.. Elements(flops).Select(n => (double)ExperimentYaml.ReadScalar(typeof(double), n, path, "flops")!)] : [];
        YamlNode[] families = children.TryGetValue("families", out YamlNode? listed) ? Elements(listed) : [];
        if (families.Length == 0) throw new InputException(path, "no families", $"families: one or more of {ModelFamily.Names(ModelFamily.All)}");
        return new StudyFile(Together([.. families.Select((node, i) => new FamilyReader(path, $"families[{i}]", budgets.Length > 0).Read(node, seed))]), budgets);
    }

    /// <summary>
    /// One family in several representations: parts have names of their own, and the virtual library, which falls by text where nobody says otherwise, has the same
    /// molecules on the same sides in each.
    /// </summary>
    private static IReadOnlyList<StudyPartPlan> Together(IReadOnlyList<StudyPartPlan> parts)
    {
        StudyPartPlan[] molecules = [.. parts.Where(p => p.DocumentName == MoleculeDocuments)];
        if (molecules.Select(Of).Distinct().Count() < 2) return parts;
        return [.. parts.Select(part => !molecules.Contains(part) ? part : Named(part) with
        {
            Source = part.Source with { Split = part.Source.Split ?? (part.Source.Molecules.Count == 0 ? SplitKind.Molecule : null) },
        })];

        StudyPartPlan Named(StudyPartPlan part) => part.Name == part.Family.Name && molecules.Count(p => p.Name == part.Name) > 1
            ? part with { Name = $"{part.Name}-{Scalars.Format(Of(part))}" } : part;

        static Representation Of(StudyPartPlan part) => part.Source.Representation ?? Representation.Selfies;
    }

    /// <summary>The whole study, defaults included; <see cref="Parse"/> gives an equal one back.</summary>
    public string ToYaml()
    {
        long seed = Parts[0].Seed;
        var root = new YamlMappingNode { { "seed", Scalars.Format(seed) } };
        if (Budgets.Count > 0)
            root.Add("flops", new YamlSequenceNode(Budgets.Select(b => new YamlScalarNode(Scalars.Format(b)))) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow });
        root.Add("families", new YamlSequenceNode(Parts.Select(part => Node(part, seed))));
        return ExperimentYaml.Text(root);
    }

    /// <summary>Writes it into the folder of the study, with the identity of the data that are prepared there.</summary>
    internal void Write(string directory)
    {
        string Of(StudyPartPlan part, string folder) => Path.Combine(directory, part.Name, folder);
        foreach (StudyPartPlan part in Parts) part.RequireFiles(Of(part, PreparedPart.StoreName));
        StudyPartPlan[] parts = [.. Parts.Select(part => part.Identified(Of(part, PreparedPart.StoreName), Of(part, PreparedPart.SearchName)))];
        DiskStorage.Shared.EnsureDirectory(Path.GetFullPath(directory));
        DiskStorage.Shared.WriteAtomically(Path.Combine(Path.GetFullPath(directory), FileName), Seal.Yaml((this with { Parts = parts }).ToYaml()));
    }

    private static YamlNode[] Elements(YamlNode node) => node is YamlSequenceNode sequence ? [.. sequence] : [node];

    private YamlMappingNode Node(StudyPartPlan part, long seed)
    {
        bool grid = Budgets.Count == 0;
        DataSource source = part.Source;
        var section = new FamilySection
        {
            Family = part.Family.Name,
            Name = part.Name == part.Family.Name ? null : part.Name,
            Seed = part.Seed == seed ? null : part.Seed,
            Source = new SourceSection
            {
                Molecules = source.Molecules.Count > 0 ? [.. source.Molecules.Select(Path.GetFullPath)] : null,
                Representation = source.Representation,
                Grammar = source.Grammar,
                Constraints = source.Constraints?.ToJson().ToJsonString(),
                Canonical = source.Canonical,
                Split = source.Split,
                Tokenizer = source.Tokenizer is { } tokenizer ? Path.GetFullPath(tokenizer) : null,
                Limit = source.Limit,
                MaximumTokens = source.Molecules.Count > 0 ? source.MaximumTokens : null,
                Frames = source.Frames.Count > 0 ? [.. source.Frames.Select(Path.GetFullPath)] : null,
                Units = source.Units?.Name,
                Fingerprint = part.Outline.Data.Fingerprint,
            },
            Validation = part.Validation,
            Shapes = [.. part.Shapes.Select(Text)],
            LearningRates = part.LearningRates,
            BatchSizes = part.BatchSizes,
            Search = !grid ? null : new SearchSection
            {
                Documents = part.SearchDocuments,
                Shape = Text(part.SearchShape),
                Start = new StartSection { LearningRate = part.Default.LearningRate, BatchSize = part.Default.BatchSize },
                Epochs = part.SearchEpochs,
                ProbeEpochs = part.ProbeEpochs,
                Validate = part.ValidateSearch,
                Estimator = (part.Estimator ?? UsualEstimator.For(part.Outline.Training)).Name(),
            },
            Grid = !grid ? null : new GridSection { Subsets = part.Subsets, MaximumEpochs = part.MaximumEpochs, MaximumSeen = part.MaximumSeen },
        };
        YamlMappingNode node = ExperimentYaml.WriteFields([], section, (_, value) => value is not null);
        HashSet<string> decided = [.. DecidedKeys(part, !grid)];
        foreach ((string name, object record) in ((string, object)[])[("model", part.Outline.Model.Config), ("training", part.Outline.Training)])
            node.Add(name, Pruned(ExperimentYaml.WriteFields([], record), name, key => decided.Contains(key) || IsUnused(part.Family, key)));
        return node;
    }

    private static YamlMappingNode Pruned(YamlMappingNode node, string path, Func<string, bool> without) => new(node.Children
        .Where(c => !without($"{path}.{((YamlScalarNode)c.Key).Value}"))
        .Select(c => KeyValuePair.Create(c.Key, c.Value is YamlMappingNode below ? Pruned(below, $"{path}.{((YamlScalarNode)c.Key).Value}", without) : c.Value)));

    private static bool IsUnused(ModelFamily family, string key) => family.Unused.Any(u => key == u || key.StartsWith(u + ".", StringComparison.Ordinal));

    private static string Text(ModelShape shape) => shape.Depth is { } depth ? FormattableString.Invariant($"{depth}x{shape.Width}") : Scalars.Format(shape.Width);

    /// <summary>Keys of the outline that the study sets for every run: those that shapes stand for, too.</summary>
    private static IEnumerable<string> DecidedKeys(StudyPartPlan part, bool budgets) =>
        [.. Decided, .. budgets ? DecidedByBudgets : [], .. ShapeKeys(part.Family, part.Outline.Model.Config, part.Shapes.Concat(budgets ? [] : [part.SearchShape]))];

    /// <summary>What every shape says of the model: a width alone leaves the depth to the outline.</summary>
    private static IEnumerable<string> ShapeKeys(ModelFamily family, object config, IEnumerable<ModelShape> shapes)
    {
        return shapes.DistinctBy(s => s.Depth is null).Select(Keys).Aggregate((a, b) => a.Intersect(b));

        IEnumerable<string> Keys(ModelShape shape)
        {
            IReadOnlyDictionary<string, string> one = Values(shape), two = Values(new ModelShape(2 * shape.Depth, 2 * shape.Width));
            return one.Keys.Where(k => one[k] != two[k]);
        }

        IReadOnlyDictionary<string, string> Values(ModelShape shape) => ExperimentKeys.Values(new Experiment { Model = ModelSpec.Of(family.Shaped(config, shape)) });
    }

    /// <summary>One entry of <c>families</c>.</summary>
    private sealed record FamilyReader(string File, string Path, bool HasBudgets)
    {
        public StudyPartPlan Read(YamlNode node, long? seed)
        {
            if (node is YamlScalarNode) node = new YamlMappingNode { { "family", node } };
            FamilySection section = (FamilySection)ExperimentYaml.ReadRecord(typeof(FamilySection), node, File, Path, "model", "training");
            var mapping = (YamlMappingNode)node;
            if (section.Family is null) throw new InputException(ExperimentYaml.Place(File, node, Path), "has no family", $"family: one of {ModelFamily.Names(ModelFamily.All)}");
            ModelFamily family = ModelFamily.Named(section.Family, Place(mapping, "family"));
            if (HasBudgets)
            {
                foreach ((string key, bool given) in (ReadOnlySpan<(string, bool)>)[("search", section.Search is not null), ("grid", section.Grid is not null)])
                    if (given) throw new InputException(Place(mapping, key), "given beside flops", "nothing: budgets alone say how long a training is");
                if (section.BatchSizes?.Count > 1) throw new InputException(Place(mapping, "batchSizes"), "several, beside flops", "one batch size");
            }
            DataSource source = Source(section.Source ?? new SourceSection(), family, mapping);
            StudyPartPlan plan = HasBudgets ? StudyPartPlan.ForBudgets(family, source) : StudyPartPlan.Of(family, source);
            SearchSection search = section.Search ?? new SearchSection();
            GridSection grid = section.Grid ?? new GridSection();
            if (section.Name is { } name && (name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')))
                throw new InputException(Place(mapping, "name"), $"'{name}'", "letters, digits, - and _: it names a folder");
            if (section.Name is not null) plan = plan with { Name = section.Name };
            plan = plan with
            {
                Seed = section.Seed ?? seed ?? plan.Seed,
                Validation = section.Validation ?? plan.Validation,
                Shapes = section.Shapes is { } shapes ? [.. shapes.Select(s => Shape(s, Place(mapping, "shapes")))] : plan.Shapes,
                LearningRates = section.LearningRates ?? plan.LearningRates,
                BatchSizes = section.BatchSizes ?? plan.BatchSizes,
                SearchDocuments = search.Documents ?? plan.SearchDocuments,
                SearchShape = search.Shape is { } shape ? Shape(shape, Place(mapping, "search")) : plan.SearchShape,
                Default = new Configuration(search.Start?.LearningRate ?? plan.Default.LearningRate, search.Start?.BatchSize ?? plan.Default.BatchSize),
                SearchEpochs = search.Epochs ?? plan.SearchEpochs,
                ProbeEpochs = search.ProbeEpochs ?? plan.ProbeEpochs,
                ValidateSearch = search.Validate ?? plan.ValidateSearch,
                Estimator = search.Estimator is { } estimator ? ProbeEstimators.Parse(estimator, Place(mapping, "search") + ".estimator") : plan.Estimator,
                Subsets = grid.Subsets ?? plan.Subsets,
                MaximumEpochs = grid.MaximumEpochs ?? plan.MaximumEpochs,
                MaximumSeen = grid.MaximumSeen ?? plan.MaximumSeen,
            };
            Experiment outline = plan.Outline;
            if (section.Source?.Fingerprint is { } fingerprint) outline = outline with { Data = outline.Data with { Fingerprint = fingerprint } };
            return plan with { Outline = Set(outline, plan, mapping) };
        }

        private DataSource Source(SourceSection section, ModelFamily family, YamlMappingNode mapping)
        {
            string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(File))!;
            string Placed(string path) => System.IO.Path.GetFullPath(System.IO.Path.Combine(folder, path));
            var source = new DataSource
            {
                Molecules = [.. (section.Molecules ?? []).Select(Placed)],
                Representation = section.Representation,
                Grammar = section.Grammar,
                Constraints = section.Constraints is not { } constraints ? null
                    : constraints.TrimStart().StartsWith('{') ? BondConstraints.Parse(constraints, Place(mapping, "source") + ".constraints")
                    : BondConstraints.Read(Placed(constraints)),
                Canonical = section.Canonical,
                Split = section.Split,
                Tokenizer = section.Tokenizer is { } tokenizer ? Placed(tokenizer) : null,
                Limit = section.Limit,
                Frames = [.. (section.Frames ?? []).Select(Placed)],
                Units = section.Units is { } units ? EnergyUnit.Parse(units, Place(mapping, "source") + ".units") : null,
            };
            if (section.MaximumTokens is { } most) source = source with { MaximumTokens = most };
            foreach (DataKind other in ModelFamily.All.Select(f => f.Data).Distinct().Where(k => k != family.Data))
            {
                if (other.Particulars(source).FirstOrDefault(p => p.Given) is { Key: { } key })
                    throw new InputException(Place(mapping, key), $"given for {family.Name}", $"what {family.Data.DocumentName} have");
            }
            return source;
        }

        /// <summary>Single values of the sections model and training.</summary>
        private Experiment Set(Experiment outline, StudyPartPlan plan, YamlMappingNode mapping)
        {
            HashSet<string> decided = [.. DecidedKeys(plan, HasBudgets)];
            IReadOnlyDictionary<string, string> known = ExperimentKeys.Values(outline);
            foreach ((string key, YamlNode value) in Leaves(mapping))
            {
                string place = ExperimentYaml.Place(File, value, $"{Path}.{key}");
                if (!known.ContainsKey(key))
                {
                    string above = key[..(key.LastIndexOf('.') + 1)], last = key[above.Length..];
                    string[] near = [.. known.Keys.Where(k => k.StartsWith(above, StringComparison.Ordinal)).Select(k => k[above.Length..].Split('.')[0]).Distinct()];
                    throw new InputException(place, "unknown key", "", Fields.HintFor(last, near.Length > 0 ? near : [.. known.Keys]));
                }
                if (key == "model.family") throw new InputException(place, "given beside family", "family alone");
                if (decided.Contains(key)) throw new InputException(place, "given", "nothing: the study sets it for each of its runs", Instead(key));
                if (IsUnused(plan.Family, key)) throw new InputException(place, $"given for {plan.Family.Name}", "a setting that it has");
                if (value is not YamlScalarNode { Value: { } text }) throw new InputException(place, "a list", "a single value");
                outline = ExperimentKeys.With(outline, key, text, place);
            }
            return outline.Validated(File);
        }

        private static string Instead(string key) => key switch
        {
            "training.learningRate" => "learningRates holds those tried",
            "training.batchSize" => "batchSizes holds those tried",
            _ when key.StartsWith("model.", StringComparison.Ordinal) => "shapes say it",
            _ => "search, grid and flops say how long a run is",
        };

        private static IEnumerable<(string Key, YamlNode Value)> Leaves(YamlMappingNode mapping)
        {
            foreach (string section in (string[])["model", "training"])
                if (mapping.Children.TryGetValue(new YamlScalarNode(section), out YamlNode? node))
                    foreach ((string, YamlNode) leaf in Below(section, node)) yield return leaf;

            static IEnumerable<(string, YamlNode)> Below(string path, YamlNode node) => node is YamlMappingNode below
                ? below.Children.SelectMany(c => Below($"{path}.{((YamlScalarNode)c.Key).Value}", c.Value)) : [(path, node)];
        }

        private static ModelShape Shape(string text, string place) => Scalars.Parse(typeof(int), text, out _) is int and > 0 and var width
            ? new ModelShape(null, width) : ModelShape.Parse(text, place);

        private string Place(YamlMappingNode mapping, string key) =>
            ExperimentYaml.Place(File, mapping.Children.TryGetValue(new YamlScalarNode(key), out YamlNode? node) ? node : mapping, $"{Path}.{key}");
    }

    private sealed record FamilySection
    {
        public string? Family { get; init; }

        /// <summary>Of the part's folder, where the family's own is not enough.</summary>
        public string? Name { get; init; }

        public long? Seed { get; init; }

        public SourceSection? Source { get; init; }

        [Range(1, long.MaxValue)]
        public long? Validation { get; init; }

        public IReadOnlyList<string>? Shapes { get; init; }

        public IReadOnlyList<double>? LearningRates { get; init; }

        public IReadOnlyList<int>? BatchSizes { get; init; }

        public SearchSection? Search { get; init; }

        public GridSection? Grid { get; init; }
    }

    private sealed record SourceSection
    {
        public IReadOnlyList<string>? Molecules { get; init; }

        public Representation? Representation { get; init; }

        public SelfiesGrammar? Grammar { get; init; }

        /// <summary>JSON of them, or the path of a file of it.</summary>
        public string? Constraints { get; init; }

        public bool? Canonical { get; init; }

        public SplitKind? Split { get; init; }

        public string? Tokenizer { get; init; }

        [Range(1, long.MaxValue)]
        public long? Limit { get; init; }

        [Range(3, int.MaxValue)]
        public int? MaximumTokens { get; init; }

        public IReadOnlyList<string>? Frames { get; init; }

        public string? Units { get; init; }

        public string? Fingerprint { get; init; }
    }

    private sealed record SearchSection
    {
        [Range(1, long.MaxValue)]
        public long? Documents { get; init; }

        public string? Shape { get; init; }

        public StartSection? Start { get; init; }

        [Range(2, int.MaxValue)]
        public int? Epochs { get; init; }

        [Range(1, int.MaxValue)]
        public int? ProbeEpochs { get; init; }

        public bool? Validate { get; init; }

        public string? Estimator { get; init; }
    }

    private sealed record StartSection
    {
        [Range(0, 1e3, MinimumIsExclusive = true)]
        public double? LearningRate { get; init; }

        [Range(1, int.MaxValue)]
        public int? BatchSize { get; init; }
    }

    private sealed record GridSection
    {
        public IReadOnlyList<long>? Subsets { get; init; }

        [Range(1, int.MaxValue)]
        public int? MaximumEpochs { get; init; }

        [Range(1, long.MaxValue)]
        public long? MaximumSeen { get; init; }
    }
}
