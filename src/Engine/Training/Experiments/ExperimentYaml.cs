using System.Reflection;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Training.Experiments;

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
        var text = new StringWriter { NewLine = "\n" };
        new YamlStream(new YamlDocument(root)).Save(text, assignAnchors: false);
        // YamlDotNet ends a stream with an explicit document end, which readers of plain files do not expect.
        return text.ToString().ReplaceLineEndings("\n").Replace("\n...\n", "\n");
    }

    private static YamlMappingNode Root(string yaml, string file)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(yaml));
        }
        catch (YamlException e)
        {
            throw new InputException($"{file}:{e.Start.Line}", e.InnerException?.Message ?? e.Message, "YAML");
        }
        return stream.Documents.Count switch
        {
            0 => throw new InputException(file, "is empty", "model, data, training and seed"),
            1 when stream.Documents[0].RootNode is YamlMappingNode mapping => mapping,
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

    private static object ReadRecord(Type type, YamlNode node, string file, string path, params string[] alsoKnown)
    {
        Dictionary<string, PropertyInfo> fields = Fields.Of(type).ToDictionary(Fields.Key);
        object record = Activator.CreateInstance(type)!;
        foreach ((string key, YamlNode value) in Children(Mapping(node, file, path), file, path, [.. alsoKnown, .. fields.Keys]))
        {
            if (!fields.TryGetValue(key, out PropertyInfo? property)) continue;
            string keyPath = $"{path}.{key}";
            object? bound = Scalars.Holds(property.PropertyType)
                ? ReadScalar(property.PropertyType, value, file, keyPath, Fields.IsNullable(property))
                : ReadRecord(property.PropertyType, value, file, keyPath);
            Bounds.Check(property, bound, Place(file, value, keyPath));
            property.SetValue(record, bound);
        }
        return record;
    }

    private static object? ReadScalar(Type type, YamlNode node, string file, string path, bool nullable = false)
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

    private static Dictionary<string, YamlNode> Children(
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

    private static YamlMappingNode Mapping(YamlNode node, string file, string path) => node as YamlMappingNode
        ?? throw new InputException(Place(file, node, path), node is YamlScalarNode s ? $"'{s.Value}'" : "a list", "a mapping of keys");

    private static string Place(string file, YamlNode node, string path) => $"{file}:{node.Start.Line}: {path}";

    private static YamlMappingNode WriteFields(YamlMappingNode node, object record)
    {
        foreach (PropertyInfo property in Fields.Of(record.GetType()))
        {
            object? value = property.GetValue(record);
            ScalarStyle style = value is string text && Scalars.IsNull(text) ? ScalarStyle.SingleQuoted : ScalarStyle.Any;
            YamlNode child = value is null || Scalars.Holds(property.PropertyType)
                ? new YamlScalarNode(Scalars.Format(value)) { Style = style }
                : WriteFields(new YamlMappingNode(), value);
            node.Add(Fields.Key(property), child);
        }
        return node;
    }
}
