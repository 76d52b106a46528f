using System.Globalization;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Experiments;
using YamlDotNet.RepresentationModel;

namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>One experiment, some of its keys varied over a grid: every combination a run of its own.</summary>
public static class Sweep
{
    /// <param name="basis">Everything that is not varied.</param>
    /// <param name="variations">The first varies slowest.</param>
    /// <param name="directory">Each run gets a folder below, named after what is varied.</param>
    /// <exception cref="InputException">A key an experiment does not have, or a value it cannot take.</exception>
    public static IReadOnlyList<PlannedRun> Plan(Experiment basis, IReadOnlyList<Variation> variations, string directory)
    {
        if (variations.Count == 0) throw new InputException("--vary", "none", "one or more of KEY=VALUE,VALUE...");
        IEnumerable<string[]> grid = [[]];
        foreach (Variation variation in variations) grid = [.. grid.SelectMany(chosen => variation.Values.Select(value => (string[])[.. chosen, value]))];
        PlannedRun[] runs =
        [
            .. grid.Select(values =>
            {
                string name = string.Join("-", variations.Zip(values, (v, value) => $"{v.Key[(v.Key.LastIndexOf('.') + 1)..]}-{value}"));
                // A path among the values must not lead out of the folder.
                name = string.Join('_', name.Split(Path.GetInvalidFileNameChars()));
                return new PlannedRun(name, With(basis, variations, values), Path.Combine(directory, name));
            }),
        ];
        string? twice = runs.GroupBy(r => r.Name).FirstOrDefault(g => g.Count() > 1)?.Key;
        return twice is null ? runs : throw new InputException("--vary", $"{twice} comes twice", "different values");
    }

    /// <summary>Writes sweep.csv: a line per complete run, ready for <c>fit</c>.</summary>
    /// <returns>Its path.</returns>
    public static string WriteTable(string directory, IReadOnlyList<RunOutcome> outcomes)
    {
        string path = Path.Combine(directory, "sweep.csv"), temporary = path + ".incomplete";
        var lines = new List<string> { "name,parameters,items,compute,loss,steps,seconds,diverged" };
        foreach (RunOutcome outcome in outcomes)
        {
            if (outcome.Result is null)
            {
                lines.Add($"{outcome.Run.Name},,,,,,,yes");
                continue;
            }
            ScalingPoint point = RunPoints.Read(outcome.Run.Directory);
            lines.Add(string.Create(CultureInfo.InvariantCulture,
                $"{outcome.Run.Name},{point.N},{point.D},{point.C:R},{point.Loss:R},{outcome.Result.Steps},{outcome.Result.Seconds:F2},no"));
        }
        File.WriteAllLines(temporary, lines);
        File.Move(temporary, path, overwrite: true);
        return path;
    }

    private static Experiment With(Experiment basis, IReadOnlyList<Variation> variations, string[] values)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(basis.ToYaml()));
        var root = (YamlMappingNode)yaml.Documents[0].RootNode;
        for (int i = 0; i < values.Length; i++) Set(root, variations[i].Key, values[i]);
        using var writer = new StringWriter();
        yaml.Save(writer, assignAnchors: false);
        // The end-of-document mark that YamlStream adds is no part of an experiment.
        return Experiment.Parse(writer.ToString().TrimEnd().TrimEnd('.'), "--vary");
    }

    private static void Set(YamlMappingNode root, string key, string value)
    {
        string[] path = key.Split('.');
        YamlMappingNode node = root;
        foreach (string part in path[..^1])
        {
            node = node.Children.TryGetValue(part, out YamlNode? child) && child is YamlMappingNode mapping
                ? mapping
                : throw new InputException("--vary", $"key '{key}'", "a key of experiment.yaml, such as training.learningRate");
        }
        if (!node.Children.ContainsKey(path[^1]))
            throw new InputException("--vary", $"key '{key}'", "a key of experiment.yaml, such as training.learningRate");
        node.Children[path[^1]] = new YamlScalarNode(value);
    }
}
