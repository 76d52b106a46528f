using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using ChemScale.Engine;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>The engine's name for what an option says: a key of the experiment, or the path of a request's property.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class KeyAttribute(string name) : Attribute
{
    public string Name => name;
}

/// <summary>
/// Between options and keys, both ways: settings of a request out of options, and options into the engine's messages, which know keys
/// alone. An option answers to its <see cref="KeyAttribute"/> and to the name of its property.
/// </summary>
internal static partial class OptionKeys
{
    private static readonly Dictionary<string, string> Remedies = new()
    {
        [Remedy.PrepareMolecules] = "chemscale prepare --molecules FILE --out DIR (or --virtual N) makes one",
        [Remedy.PrepareFrames] = "chemscale prepare --frames FILE --out DIR makes one",
        [Remedy.Train] = "chemscale train --out DIR makes one",
        [Remedy.ExamineMachine] = "chemscale doctor says what is missing",
        [Remedy.RetryFailed] = "chemscale sweep --retry-failed tries it again",
    };

    /// <summary>What the options of a verb say of single values of an experiment: those that were given.</summary>
    public static Dictionary<string, object> Settings(Verb verb)
    {
        var settings = new Dictionary<string, object>();
        foreach ((PropertyInfo property, OptionAttribute _) in Options(verb.GetType()))
        {
            if (property.GetCustomAttribute<KeyAttribute>() is { Name: var key } && IsSetting(key) && property.GetValue(verb) is { } value) settings[key] = value;
        }
        return settings;
    }

    /// <summary>A mistake in words of the command line.</summary>
    /// <param name="mistake">As the engine says it.</param>
    /// <param name="verb">Class of the verb that ran; null: none did.</param>
    public static InputException Translated(InputException mistake, Type? verb)
    {
        Dictionary<string, string> names = verb is null ? [] : Names(verb);
        string hint = Remedies.Aggregate(mistake.Hint, (text, remedy) => text.Replace(remedy.Key, remedy.Value, StringComparison.Ordinal));
        return new InputException(Place(mistake.Place, names), Quoted(mistake.Found, names), Quoted(mistake.Expected, names), Quoted(hint, names));
    }

    private static bool IsSetting(string key) =>
        key == "seed" || (key != "model.family" && ((string[])["model.", "data.", "training."]).Any(s => key.StartsWith(s, StringComparison.Ordinal)));

    private static IEnumerable<(PropertyInfo Property, OptionAttribute Option)> Options(Type verb) =>
        ArgumentCheck.Declared(verb).Select(p => (p, p.GetCustomAttribute<OptionAttribute>()!)).Where(p => p.Item2 is not null);

    private static Dictionary<string, string> Names(Type verb)
    {
        var names = new Dictionary<string, string>();
        foreach ((PropertyInfo property, OptionAttribute option) in Options(verb))
        {
            names[JsonNamingPolicy.CamelCase.ConvertName(property.Name)] = "--" + option.LongName;
            if (property.GetCustomAttribute<KeyAttribute>() is { } key) names[key.Name] = "--" + option.LongName;
        }
        return names;
    }

    /// <summary>A place is a key, or a key of an experiment that no file holds, or a key and what it names.</summary>
    private static string Place(string place, Dictionary<string, string> names)
    {
        const string built = "experiment: ";
        string key = place.StartsWith(built, StringComparison.Ordinal) ? place[built.Length..] : place;
        if (names.TryGetValue(key, out string? option)) return option;
        int colon = place.IndexOf(": ", StringComparison.Ordinal);
        return colon > 0 && names.TryGetValue(place[..colon], out string? outer) ? outer + place[colon..] : place;
    }

    private static string Quoted(string text, Dictionary<string, string> names) =>
        QuotedKey().Replace(text, match => names.GetValueOrDefault(match.Groups[1].Value, match.Value));

    [GeneratedRegex("`([A-Za-z.]+)`")]
    private static partial Regex QuotedKey();
}
