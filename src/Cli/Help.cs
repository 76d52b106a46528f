using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>Begins a group of options in a verb's help: this one and those declared after it, up to the next.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class OptionGroupAttribute(string name) : Attribute
{
    public string Name { get; } = name;
}

/// <summary>A command of a verb, as its help shows it.</summary>
/// <param name="command">As typed.</param>
/// <param name="meaning">What it does.</param>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true, Inherited = false)]
internal sealed class ExampleAttribute(string command, string meaning) : Attribute
{
    public string Command { get; } = command;

    public string Meaning { get; } = meaning;
}

/// <summary>What --help prints, at the terminal's width, and the names that a misspelt one may have meant.</summary>
internal static class Help
{
    // Names that other tools give to what is here.
    private static readonly Dictionary<string, string> OtherNames = new[]
    {
        "learning-rate lr", "batch-size batch", "output out", "output-dir out", "n-epochs epochs", "num-epochs epochs", "max-steps steps", "hidden width", "hidden-size width",
        "d-model width", "n-layers layers", "num-layers layers", "n-heads heads", "num-heads heads", "gpu device", "cuda device", "r-max cutoff", "num-samples count",
        "n-samples count", "temp temperature", "time-step timestep", "config experiment", "num-workers workers", "val-split validation", "max-length max-tokens",
    }.ToDictionary(pair => pair.Split(' ')[0], pair => pair.Split(' ')[1], StringComparer.OrdinalIgnoreCase);

    /// <summary>Columns: the terminal's, or $COLUMNS where there is none, from 40 to 120.</summary>
    public static int Width
    {
        get
        {
            bool told = int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), NumberStyles.None, CultureInfo.InvariantCulture, out int columns);
            try
            {
                if (!told) columns = Console.IsOutputRedirected ? 80 : Console.WindowWidth;
            }
            catch (IOException)
            {
                columns = 80;
            }
            return Math.Clamp(columns, 40, 120);
        }
    }

    /// <summary>All verbs, a line or two each.</summary>
    public static string Overview(IReadOnlyList<Type> verbs, int width)
    {
        var text = new StringBuilder();
        Wrap(text, "usage: chemscale VERB [options]", 0, 7, width);
        text.AppendLine();
        int column = verbs.Max(v => NameOf(v).Length) + 4;
        foreach (Type verb in verbs) Entry(text, "  " + NameOf(verb), verb.GetCustomAttribute<VerbAttribute>()!.HelpText, column, width);
        text.AppendLine();
        Wrap(text, "chemscale VERB --help lists a verb's options; --version says which version this is.", 0, 0, width);
        return text.ToString();
    }

    /// <summary>Usage, purpose, options in their groups and examples of one verb.</summary>
    public static string Of(Type verb, int width)
    {
        var text = new StringBuilder();
        PropertyInfo[] properties = [.. Declared(verb)];
        var words = properties.Select(p => (Property: p, Value: p.GetCustomAttribute<ValueAttribute>()!)).Where(p => p.Value is not null).ToList();
        var options = properties.Select(p => (Property: p, Option: p.GetCustomAttribute<OptionAttribute>()!)).Where(p => p.Option is { Hidden: false }).ToList();
        IEnumerable<string> usage =
        [
            .. words.Select(w => (w.Value.MetaName.ToUpperInvariant() + (IsMany(w.Property) ? "..." : "")) is var word && w.Value.Required ? word : $"[{word}]"),
            .. options.Where(o => o.Option.Required).Select(o => $"--{o.Option.LongName} {Placeholder(o.Property, o.Option)}"), "[options]",
        ];
        Wrap(text, $"usage: chemscale {NameOf(verb)} {string.Join(' ', usage)}", 0, 7, width);
        text.AppendLine();
        Wrap(text, verb.GetCustomAttribute<VerbAttribute>()!.HelpText, 0, 0, width);
        text.AppendLine();
        // A long name stands on a line of its own.
        int column = Math.Min(width / 3, Math.Max(options.Max(o => Left(o.Property, o.Option).Length), words.Max(w => (int?)w.Value.MetaName.Length + 2) ?? 0) + 2);
        foreach ((PropertyInfo property, ValueAttribute value) in words) Entry(text, "  " + value.MetaName.ToUpperInvariant(), value.HelpText, column, width);
        if (words.Count > 0) text.AppendLine();
        bool first = true;
        foreach (IGrouping<string, (PropertyInfo Property, OptionAttribute Option)> part in options.Zip(Groups(options.Select(o => o.Property)))
                     .GroupBy(p => p.Second, p => p.First))
        {
            if (!first) text.AppendLine();
            first = false;
            text.AppendLine(part.Key);
            foreach ((PropertyInfo property, OptionAttribute option) in part)
                Entry(text, Left(property, option), option.HelpText + Default(option), column, width);
        }
        ExampleAttribute[] examples = [.. verb.GetCustomAttributes<ExampleAttribute>()];
        if (examples.Length == 0) return text.ToString();
        text.AppendLine();
        text.AppendLine("Examples");
        foreach (ExampleAttribute example in examples)
        {
            Wrap(text, example.Meaning, 2, 2, width);
            // A command that is copied may not be broken: only between its words, as a shell takes it.
            Wrap(text, example.Command, 4, 6, width - 2, " \\");
        }
        return text.ToString();
    }

    /// <summary>A hint at what an unknown verb may have meant.</summary>
    public static string VerbHint(string unknown, IReadOnlyList<Type> verbs) =>
        Nearest(unknown, [.. verbs.Select(NameOf)]) is { } near ? $"did you mean {near}?" : "chemscale --help lists what each does";

    /// <summary>A hint at what an unknown option may have meant.</summary>
    public static string OptionHint(string unknown, Type? verb)
    {
        string[] known = verb is null ? [] : [.. Declared(verb).Select(p => p.GetCustomAttribute<OptionAttribute>()?.LongName).OfType<string>()];
        if (OtherNames.TryGetValue(unknown, out string? ours) && known.Contains(ours)) return $"did you mean --{ours}?";
        return Nearest(unknown, known) is { } near ? $"did you mean --{near}?" : "--help lists the options of a verb";
    }

    public static string NameOf(Type verb) => verb.GetCustomAttribute<VerbAttribute>()!.Name;

    /// <summary>Options and words of a verb.</summary>
    public static IEnumerable<PropertyInfo> Declared(Type verb) => ArgumentCheck.Declared(verb);

    /// <summary>A group goes on up to the next one of its class.</summary>
    private static IEnumerable<string> Groups(IEnumerable<PropertyInfo> options)
    {
        string group = "Options";
        Type? declaring = null;
        foreach (PropertyInfo option in options)
        {
            if (option.DeclaringType != declaring) group = "Options";
            declaring = option.DeclaringType;
            yield return group = option.GetCustomAttribute<OptionGroupAttribute>()?.Name ?? group;
        }
    }

    private static string Left(PropertyInfo property, OptionAttribute option)
    {
        string name = option.LongName.Length > 0 ? "--" + option.LongName : "-" + option.ShortName, value = Placeholder(property, option);
        return "  " + name + (value.Length > 0 ? " " + value : "");
    }

    private static string Placeholder(PropertyInfo property, OptionAttribute option)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        if (type == typeof(bool)) return "";
        if (!string.IsNullOrEmpty(option.MetaValue)) return option.MetaValue;
        bool many = IsMany(property);
        if (many && type.IsGenericType) type = type.GetGenericArguments()[0];
        string one = type.IsEnum ? string.Join('|', Enum.GetNames(type).Select(n => n.ToLowerInvariant()))
            : type == typeof(int) || type == typeof(long) || type == typeof(ulong) ? "N" : type == typeof(double) ? "X" : "VALUE";
        if (one.Length > 30) one = "VALUE";
        return many ? one + "..." : one;
    }

    private static bool IsMany(PropertyInfo property) => property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType);

    /// <summary>What the declaration says beside the text, where the text does not.</summary>
    private static string Default(OptionAttribute option) => option.Default switch
    {
        null or false => "",
        IEnumerable many when option.Default is not string => $" (default {string.Join(' ', many.Cast<object>())})",
        var one => $" (default {Convert.ToString(one, CultureInfo.InvariantCulture)!.ToLowerInvariant()})",
    };

    private static void Entry(StringBuilder text, string left, string right, int column, int width)
    {
        bool fits = left.Length + 2 <= column;
        if (!fits) text.AppendLine(left);
        var body = new StringBuilder();
        Wrap(body, right, column, column, width);
        string lines = body.ToString();
        text.Append(fits ? left.PadRight(column) + lines[Math.Min(column, lines.Length)..] : lines);
    }

    /// <summary>Words in lines of at most this width; one that is longer has a line to itself.</summary>
    private static void Wrap(StringBuilder text, string words, int first, int indent, int width, string link = "")
    {
        var line = new StringBuilder(new string(' ', first));
        int start = first;
        foreach (string word in words.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > start && line.Length + 1 + word.Length > width)
            {
                text.Append(line).AppendLine(link);
                line.Clear().Append(' ', start = indent);
            }
            if (line.Length > start) line.Append(' ');
            line.Append(word);
        }
        text.Append(line).AppendLine();
    }

    private static string? Nearest(string word, IReadOnlyList<string> known)
    {
        string? nearest = known.MinBy(k => Distance(word.ToLowerInvariant(), k));
        int allowed = nearest is null ? 0 : Math.Max(1, Math.Max(word.Length, nearest.Length) / 3);
        return nearest is not null && Distance(word.ToLowerInvariant(), nearest) <= allowed ? nearest : null;
    }

    /// <summary>Changes from one word to the other: letters put in, left out, replaced, or two neighbours swapped (Damerau 1964, restricted).</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (int j = 0; j <= b.Length; j++) d[0, j] = j;
        for (int i = 1; i <= a.Length; i++)
        {
            for (int j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
