using System.Reflection;
using System.Text;
using System.Text.Json;

namespace ChemScale.Engine.Training.Experiments;

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
