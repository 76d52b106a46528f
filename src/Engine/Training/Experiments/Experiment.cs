using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ChemScale.Engine.Files;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// What is trained, on what, how, from which seed: everything that a result depends on, and nothing else. Read from YAML or built in
/// code, written back with every default spelled out. The same experiment runs on any device.
/// </summary>
public sealed record Experiment
{
    public required ModelSpec Model { get; init; }

    public DataSpec Data { get; init; } = new();

    public TrainingSpec Training { get; init; } = new();

    /// <summary>Seeds the initial weights, the order of the data, and what a task draws from its run's scope.</summary>
    public long Seed { get; init; } = 42;

    /// <summary>
    /// First 16 hexadecimal digits of the SHA-256 of the canonical form. Key order, defaults spelled out or left out, and where the run
    /// is written or executed do not change it.
    /// </summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(CanonicalForm.Of(Resolved()))))[..16];

    /// <exception cref="InputException">The file is missing, is not YAML, or says something an experiment cannot mean.</exception>
    public static Experiment Read(string path) => Parse(new StreamReader(new MemoryStream(ReadBytes(path))).ReadToEnd(), path);

    /// <summary>A file that the program wrote for itself, whose seal must be right.</summary>
    /// <exception cref="InputException">As <see cref="Read"/>; or the file is damaged.</exception>
    internal static Experiment ReadSealed(string path) => Parse(Seal.OpenYaml(ReadBytes(path), path), path);

    /// <param name="yaml">The text of an experiment file.</param>
    /// <param name="place">Name of the file in error messages.</param>
    /// <exception cref="InputException">Names file and line, key, what was found and what was expected.</exception>
    public static Experiment Parse(string yaml, string place) => ExperimentYaml.Read(yaml, place);

    /// <summary>The whole experiment as YAML, defaults included; <see cref="Parse"/> gives an equal record back.</summary>
    public string ToYaml() => ExperimentYaml.Write(Resolved());

    /// <summary>Checks what YAML reading checks, for an experiment built in code, and fills in what follows from other fields.</summary>
    /// <exception cref="InputException">A value is out of range or contradicts another.</exception>
    public Experiment Validated(string place = "experiment")
    {
        Experiment resolved = Resolved();
        Bounds.CheckAll(resolved.Data, place, "data");
        Bounds.CheckAll(resolved.Training, place, "training");
        Bounds.CheckAll(resolved.Model.Config, place, "model");
        resolved.Model.Family.Check(resolved.Model.Config, place);
        resolved.Model.Family.Check(resolved.Training, resolved.Model.Config, place);
        resolved.Training.Check(place);
        return resolved;
    }

    /// <summary>Keys of different values, both named; empty where the identity is the same.</summary>
    public string DifferencesFrom(Experiment other) => CanonicalForm.Differences(Resolved(), other.Resolved());

    private static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, e.Message, "a readable experiment file (YAML)");
        }
    }

    private Experiment Resolved() => this with { Data = Data.Resolved() };
}

/// <summary>
/// The text an experiment's identity is the hash of: one line <c>key = value</c> per value that differs from its default, in ordinal order
/// of keys. A field added later with a default leaves every existing identity as it was.
/// </summary>
internal static class CanonicalForm
{
    public static string Of(Experiment experiment)
    {
        var text = new StringBuilder("chemscale experiment 1\n");
        foreach ((string key, string value) in Lines(experiment)) text.Append(key).Append(" = ").Append(value).Append('\n');
        return text.ToString();
    }

    /// <summary>What tells two experiments apart, for people: <c>training.steps: 9 instead of 4</c>.</summary>
    public static string Differences(Experiment wanted, Experiment found)
    {
        SortedDictionary<string, string> a = Lines(wanted), b = Lines(found);
        return string.Join(", ", a.Keys.Union(b.Keys).Where(k => a.GetValueOrDefault(k) != b.GetValueOrDefault(k)).Order(StringComparer.Ordinal)
            .Select(k => $"{k}: {a.GetValueOrDefault(k, "default")} instead of {b.GetValueOrDefault(k, "default")}"));
    }

    private static SortedDictionary<string, string> Lines(Experiment experiment)
    {
        var lines = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["seed"] = Scalars.Format(experiment.Seed),
            ["model.family"] = Quote(experiment.Model.Family.Name),
        };
        Add(lines, "model", experiment.Model.Config);
        Add(lines, "data", experiment.Data);
        Add(lines, "training", experiment.Training);
        if (experiment.Data.Fingerprint is not null) lines.Remove("data.store");
        return lines;
    }

    private static void Add(SortedDictionary<string, string> lines, string path, object record)
    {
        object defaults = Activator.CreateInstance(record.GetType())!;
        foreach (PropertyInfo property in Fields.Of(record.GetType()))
        {
            if (property.GetCustomAttribute<OutsideIdentityAttribute>() is not null) continue;
            object? value = property.GetValue(record);
            string key = $"{path}.{Fields.Key(property)}";
            if (value is not null && !Scalars.Holds(property.PropertyType)) Add(lines, key, value);
            else if (!Equals(value, property.GetValue(defaults))) lines[key] = value is string text ? Quote(text) : Scalars.Format(value);
        }
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text);
}

/// <summary>Experiment files: a strict reader that names line and key, and the writer of fully resolved files.</summary>
internal static class ExperimentYaml
{
    private static readonly string[] Sections = ["model", "data", "training", "seed"];

    public static Experiment Read(string yaml, string file)
    {
        YamlMappingNode root = Root(yaml, file);
        Dictionary<string, YamlNode> sections = Children(root, file, "", Sections);
        if (!sections.TryGetValue("model", out YamlNode? model))
            throw new InputException(file, "has no model section", "model, data, training and seed", "add `model: {family: chemgpt}`");
        var experiment = new Experiment { Model = ReadModel(model, file) };
        if (sections.TryGetValue("data", out YamlNode? data))
            experiment = experiment with { Data = (DataSpec)ReadRecord(typeof(DataSpec), data, file, "data") };
        if (sections.TryGetValue("training", out YamlNode? training))
            experiment = experiment with { Training = (TrainingSpec)ReadRecord(typeof(TrainingSpec), training, file, "training") };
        if (sections.TryGetValue("seed", out YamlNode? seed))
            experiment = experiment with { Seed = (long)ReadScalar(typeof(long), seed, file, "seed")! };
        return experiment.Validated(file);
    }

    public static string Write(Experiment experiment)
    {
        var model = new YamlMappingNode { { "family", experiment.Model.Family.Name } };
        WriteFields(model, experiment.Model.Config);
        var root = new YamlMappingNode
        {
            { "model", model },
            { "data", WriteFields(new YamlMappingNode(), experiment.Data) },
            { "training", WriteFields(new YamlMappingNode(), experiment.Training) },
            { "seed", Scalars.Format(experiment.Seed) },
        };
        return Text(root);
    }

    internal static string Text(YamlMappingNode root)
    {
        var text = new StringWriter { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        // YamlDotNet ends a stream with an explicit document end, which readers of plain files do not expect.
        return text.ToString().ReplaceLineEndings("\n").Replace("\n...\n", "\n");
    }

    private static YamlMappingNode Root(string yaml, string file)
    {
        IList<YamlDocument> documents = YamlText.Documents(yaml, file);
        return documents.Count switch
        {
            0 => throw new InputException(file, "is empty", "model, data, training and seed"),
            1 when documents[0].RootNode is YamlMappingNode mapping => mapping,
            1 => throw new InputException(file, "is not a mapping", "model, data, training and seed"),
            int n => throw new InputException(file, $"holds {n} documents", "one experiment"),
        };
    }

    private static ModelSpec ReadModel(YamlNode node, string file)
    {
        YamlMappingNode mapping = Mapping(node, file, "model");
        YamlNode? family = mapping.Children.FirstOrDefault(c => c.Key is YamlScalarNode { Value: "family" }).Value;
        if (family is null) throw new InputException(Place(file, node, "model"), "has no family", $"family: one of {ModelFamily.Names(ModelFamily.All)}");
        string name = (string)ReadScalar(typeof(string), family, file, "model.family")!;
        ModelFamily found = ModelFamily.Named(name, Place(file, family, "model.family"));
        return ModelSpec.Of(ReadRecord(found.ConfigType, mapping, file, "model", "family"));
    }

    /// <summary>A record of single values, lists of them and records, every key checked.</summary>
    internal static object ReadRecord(Type type, YamlNode node, string file, string path, params string[] alsoKnown)
    {
        Dictionary<string, PropertyInfo> fields = Fields.Of(type).ToDictionary(Fields.Key);
        object record = Activator.CreateInstance(type)!;
        foreach ((string key, YamlNode value) in Children(Mapping(node, file, path), file, path, [.. alsoKnown, .. fields.Keys]))
        {
            if (!fields.TryGetValue(key, out PropertyInfo? property)) continue;
            string keyPath = $"{path}.{key}";
            object? bound = Scalars.Holds(property.PropertyType)
                ? ReadScalar(property.PropertyType, value, file, keyPath, Fields.IsNullable(property))
                : Fields.ElementOf(property.PropertyType) is { } element ? ReadList(element, value, file, keyPath)
                : ReadRecord(property.PropertyType, value, file, keyPath);
            Bounds.Check(property, bound as IConvertible, Place(file, value, keyPath));
            property.SetValue(record, bound);
        }
        return record;
    }

    /// <summary>Values of one type; one alone needs no brackets.</summary>
    private static Array ReadList(Type element, YamlNode node, string file, string path)
    {
        YamlNode[] nodes = node is YamlSequenceNode sequence ? [.. sequence] : [node];
        var list = Array.CreateInstance(element, nodes.Length);
        for (int i = 0; i < nodes.Length; i++) list.SetValue(ReadScalar(element, nodes[i], file, path), i);
        return list;
    }

    internal static object? ReadScalar(Type type, YamlNode node, string file, string path, bool nullable = false)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        string place = Place(file, node, path);
        if (node is not YamlScalarNode scalar)
            throw new InputException(place, node is YamlMappingNode ? "a mapping" : "a list", "a single value");
        string text = scalar.Value ?? "";
        if (scalar.Style == ScalarStyle.Plain && Scalars.IsNull(text))
            return nullable ? null : throw new InputException(place, text.Length == 0 ? "no value" : text, "a value");
        object? value = Scalars.Parse(type, text, out string expected);
        return value ?? throw new InputException(place, $"'{text}'", expected);
    }

    internal static Dictionary<string, YamlNode> Children(
        YamlMappingNode mapping, string file, string path, IReadOnlyCollection<string> known)
    {
        var children = new Dictionary<string, YamlNode>();
        foreach ((YamlNode keyNode, YamlNode value) in mapping.Children)
        {
            string key = (keyNode as YamlScalarNode)?.Value ?? keyNode.ToString();
            string keyPath = path.Length > 0 ? $"{path}.{key}" : key;
            if (!known.Contains(key))
                throw new InputException(Place(file, keyNode, keyPath), "unknown key", "", Fields.HintFor(key, known));
            children[key] = value;
        }
        return children;
    }

    internal static YamlMappingNode Mapping(YamlNode node, string file, string path) => node as YamlMappingNode
        ?? throw new InputException(Place(file, node, path), node is YamlScalarNode s ? $"'{s.Value}'" : "a list", "a mapping of keys");

    internal static string Place(string file, YamlNode node, string path) => $"{file}:{node.Start.Line}: {path}";

    /// <param name="node">Receives a key for every property.</param>
    /// <param name="record">To write.</param>
    /// <param name="said">Which properties; null: all.</param>
    internal static YamlMappingNode WriteFields(YamlMappingNode node, object record, Func<PropertyInfo, object?, bool>? said = null)
    {
        foreach (PropertyInfo property in Fields.Of(record.GetType()))
        {
            object? value = property.GetValue(record);
            if (said is not null && !said(property, value)) continue;
            YamlNode child = value is null || Scalars.Holds(property.PropertyType) ? Scalar(value)
                : Fields.ElementOf(property.PropertyType) is not null
                ? new YamlSequenceNode(((System.Collections.IEnumerable)value).Cast<object>().Select(Scalar)) { Style = YamlDotNet.Core.Events.SequenceStyle.Flow }
                : WriteFields(new YamlMappingNode(), value, said);
            node.Add(Fields.Key(property), child);
        }
        return node;
    }

    private static YamlScalarNode Scalar(object? value) =>
        new(Scalars.Format(value)) { Style = value is string text && Scalars.IsNull(text) ? ScalarStyle.SingleQuoted : ScalarStyle.Any };
}
