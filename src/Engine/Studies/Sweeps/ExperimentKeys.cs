using ChemScale.Engine.Training.Experiments;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>Single values of an experiment by their keys in experiment.yaml, such as <c>training.learningRate</c>.</summary>
public static class ExperimentKeys
{
    /// <param name="experiment">Stays as it is.</param>
    /// <param name="values">Text as it would stand in the file; later ones win.</param>
    /// <param name="place">Option to name in an error.</param>
    /// <exception cref="InputException">A key an experiment does not have, or a value it cannot take.</exception>
    public static Experiment With(Experiment experiment, IEnumerable<(string Key, string Value)> values, string place)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(experiment.ToYaml()));
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        foreach ((string key, string value) in values) Set(root, key, value, place);
        using var writer = new StringWriter();
        yaml.Save(writer, assignAnchors: false);
        // The end-of-document mark that YamlStream adds is no part of an experiment.
        return Experiment.Parse(writer.ToString().TrimEnd().TrimEnd('.'), place);
    }

    /// <param name="text">KEY=VALUE</param>
    /// <param name="place">Option to name in an error.</param>
    /// <exception cref="InputException">Not KEY=VALUE.</exception>
    public static (string Key, string Value) Parse(string text, string place)
    {
        int equals = text.IndexOf('=');
        return equals > 0
            ? (text[..equals].Trim(), text[(equals + 1)..].Trim())
            : throw new InputException(place, $"'{text}'", "KEY=VALUE, such as model.cutoff=6");
    }

    private static void Set(YamlMappingNode root, string key, string value, string place)
    {
        string[] path = key.Split('.');
        YamlMappingNode node = root;
        foreach (string part in path[..^1])
            node = node.Children.TryGetValue(part, out YamlNode? child) && child is YamlMappingNode mapping ? mapping : throw Unknown(root, key, place);
        if (!node.Children.ContainsKey(path[^1])) throw Unknown(root, key, place);
        node.Children[path[^1]] = new YamlScalarNode(value);
    }

    private static InputException Unknown(YamlMappingNode root, string key, string place)
    {
        string family = ((YamlScalarNode)((YamlMappingNode)root.Children["model"]).Children["family"]).Value!;
        return new InputException(place, $"key '{key}'", $"a key of experiment.yaml that a {family} experiment has, such as training.learningRate");
    }
}
