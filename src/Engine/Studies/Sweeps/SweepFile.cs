using System.Globalization;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Training.Experiments;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>
/// A sweep as a file: <c>experiment</c> (its sections, or the path of an experiment file), <c>vary</c> (a key and its values a line: every
/// combination), <c>runs</c> (single settings beside the grid) and <c>selection</c> (epochs, probeEpochs, validate, estimator).
/// </summary>
/// <param name="Experiment">Everything that is not varied.</param>
/// <param name="Variations">The first varies slowest.</param>
/// <param name="Singles">Settings of single runs.</param>
/// <param name="Selection">Null: every run to its end.</param>
public sealed record SweepFile(Experiment Experiment, IReadOnlyList<Variation> Variations, IReadOnlyList<IReadOnlyList<Variation>> Singles, SelectionSpec? Selection)
{
    /// <summary>The file says by what the probes are ranked; else <see cref="UsualEstimator"/> does.</summary>
    internal bool StatesEstimator { get; init; }

    private static readonly string[] Keys = ["experiment", "vary", "runs", "selection"];

    /// <exception cref="InputException">File, line and key of what is wrong.</exception>
    public static SweepFile Read(string path)
    {
        YamlMappingNode root = Root(path);
        if (root.Children.Keys.OfType<YamlScalarNode>().FirstOrDefault(k => !Keys.Contains(k.Value)) is { } unknown)
            throw new InputException($"{path}:{unknown.Start.Line}", $"key '{unknown.Value}'", string.Join(", ", Keys));
        if (Child(root, "experiment") is not { } experiment) throw new InputException(path, "no experiment", "experiment: its sections, or the path of an experiment file");
        IReadOnlyList<Variation> variations = Child(root, "vary") is { } vary ? Settings(vary, path, "vary") : [];
        IReadOnlyList<Variation>[] singles = Child(root, "runs") is { } runs ? [.. Sequence(runs, path, "runs").Select(r => Settings(r, path, "runs"))] : [];
        if (variations.Count == 0 && singles.Length == 0) throw new InputException(path, "nothing is varied", "vary, or runs");
        if (singles.SelectMany(s => s).FirstOrDefault(v => v.Values.Count != 1) is { } list)
            throw new InputException(path, $"runs: {list.Key} has {list.Values.Count} values", "one value a key", "vary takes lists");
        YamlNode? selecting = Child(root, "selection");
        SelectionSpec? selection = selecting is null ? null : ReadSelection(selecting, path, EpochsOf(experiment));
        return new SweepFile(Base(experiment, path, selection), variations, singles, selection)
        {
            StatesEstimator = selecting is YamlMappingNode settings && Child(settings, "estimator") is not null,
        };
    }

    /// <summary>How the runs that were planned are selected from; null: every one goes to its end.</summary>
    /// <param name="runs">Of <see cref="Plan"/>.</param>
    /// <param name="directory">Of the sweep; what was begun there goes on as it began.</param>
    public SelectionSpec? SelectionOf(IReadOnlyList<PlannedRun> runs, string directory) =>
        Selection is null || StatesEstimator ? Selection : Selection with { Estimator = UsualEstimator.Of(directory, runs) };

    /// <summary>Runs of the sweep, each in a folder below.</summary>
    /// <param name="basis">The experiment, its data prepared.</param>
    /// <param name="directory">Of the sweep.</param>
    /// <exception cref="InputException">A key an experiment does not have, or a value it cannot take.</exception>
    public IReadOnlyList<PlannedRun> Plan(Experiment basis, string directory)
    {
        if (Selection is { } selection) basis = basis with { Training = basis.Training with { Epochs = selection.Epochs, Steps = null, Patience = null } };
        PlannedRun[] runs = [.. Variations.Count > 0 ? Sweep.Plan(basis, Variations, directory) : [], .. Singles.SelectMany(single => Sweep.Plan(basis, single, directory))];
        // A single run that is also of the grid, or another's equal, is one run.
        runs = [.. runs.DistinctBy(r => (r.Experiment.Id, r.Name))];
        if (SelectionOf(runs, directory) is { } spec) new RunSelection(runs, spec).Check();
        string? shared = runs.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        return shared is null ? runs : throw new InputException("runs", $"two different runs would be called {shared}", "settings that differ in the last words of their keys");
    }

    private static YamlMappingNode Root(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, Path.Exists(path) ? e.Message : "no such file", "a readable sweep file (YAML)");
        }
        IList<YamlDocument> documents = YamlText.Documents(text, path);
        return documents.Count == 1 && documents[0].RootNode is YamlMappingNode root ? root
            : throw new InputException(path, "no mapping", string.Join(", ", Keys));
    }

    private static Experiment Base(YamlNode node, string path, SelectionSpec? selection)
    {
        if (node is YamlScalarNode { Value: { } file }) return Experiment.Read(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, file));
        // A selection says how long to train.
        if (selection is not null && node is YamlMappingNode mapping)
        {
            if (Child(mapping, "training") is not YamlMappingNode training) mapping.Children[new YamlScalarNode("training")] = training = new YamlMappingNode();
            if (Child(training, "epochs") is null && Child(training, "steps") is null) training.Add("epochs", selection.Epochs.ToString(CultureInfo.InvariantCulture));
        }
        var text = new StringWriter { NewLine = "\n" };
        new YamlStream(new YamlDocument(node)).Save(text, assignAnchors: false);
        return Experiment.Parse(text.ToString().TrimEnd().TrimEnd('.'), $"{path} (experiment)");
    }

    private static Variation[] Settings(YamlNode node, string path, string key) => node is YamlMappingNode mapping
        ? [.. mapping.Children
            .Select(c => new Variation(Text(c.Key, path, key), c.Value is YamlSequenceNode values ? [.. values.Select(v => Text(v, path, key))] : [Text(c.Value, path, key)]))]
        : throw Wrong(node, path, key, "keys of an experiment and their values, such as training.learningRate: [1e-4, 1e-3]");

    private static IEnumerable<YamlNode> Sequence(YamlNode node, string path, string key) =>
        node as YamlSequenceNode ?? throw Wrong(node, path, key, "a list of settings, such as - {training.learningRate: 5e-5, training.batchSize: 8}");

    /// <summary>What an inline experiment says of its length.</summary>
    private static int? EpochsOf(YamlNode experiment) => experiment is YamlMappingNode sections && Child(sections, "training") is YamlMappingNode training
        && Child(training, "epochs") is YamlScalarNode { Value: { } text } && int.TryParse(text, out int epochs) ? epochs : null;

    private static SelectionSpec ReadSelection(YamlNode node, string path, int? epochsOfExperiment)
    {
        var spec = new SelectionSpec();
        if (epochsOfExperiment is { } known) spec = spec with { Epochs = known };
        int? probe = null;
        foreach (Variation setting in Settings(node, path, "selection"))
        {
            string value = setting.Values is [var only] ? only : throw Wrong(node, path, setting.Key, "one value");
            switch (setting.Key)
            {
                case "epochs":
                    spec = spec with { Epochs = int.TryParse(value, out int epochs) ? epochs : throw Wrong(node, path, "selection.epochs", "a whole number") };
                    break;
                case "probeEpochs":
                    probe = int.TryParse(value, out int probed) ? probed : throw Wrong(node, path, "selection.probeEpochs", "a whole number");
                    break;
                case "validate":
                    spec = spec with { Validate = bool.TryParse(value, out bool validate) ? validate : throw Wrong(node, path, "selection.validate", "true or false") };
                    break;
                case "estimator":
                    spec = spec with { Estimator = EstimatorOf(value) ?? throw Wrong(node, path, "selection.estimator", string.Join(", ", Enum.GetNames<ProbeEstimator>())) };
                    break;
                default:
                    throw Wrong(node, path, $"selection.{setting.Key}", "epochs, probeEpochs, validate or estimator");
            }
        }
        spec = spec with { ProbeEpochs = probe ?? Math.Max(1, spec.Epochs / 5) };
        spec.Check();
        return spec;
    }

    private static ProbeEstimator? EstimatorOf(string text) =>
        Enum.TryParse(text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out ProbeEstimator estimator) && Enum.IsDefined(estimator) ? estimator : null;

    private static YamlNode? Child(YamlMappingNode root, string key) => root.Children.FirstOrDefault(c => c.Key is YamlScalarNode scalar && scalar.Value == key).Value;

    private static string Text(YamlNode node, string path, string key) => node is YamlScalarNode { Value: { } value } ? value : throw Wrong(node, path, key, "a plain value");

    private static InputException Wrong(YamlNode node, string path, string key, string expected) => new($"{path}:{node.Start.Line}: {key}", "something else", expected);
}
