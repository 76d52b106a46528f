using System.Collections;
using System.Globalization;
using System.Reflection;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>
/// What the parser lets pass in silence: an option at the end without its value, a value after a switch, words that belong to nothing.
/// </summary>
internal static class ArgumentCheck
{
    /// <param name="arguments">All of them, the verb first.</param>
    /// <param name="verbs">Classes of the verbs.</param>
    /// <returns>What is wrong; null where nothing is, or where the parser itself will say so.</returns>
    public static string? Mistake(IReadOnlyList<string> arguments, IReadOnlyList<Type> verbs)
    {
        if (arguments.Count == 0 || verbs.FirstOrDefault(v => v.GetCustomAttribute<VerbAttribute>()!.Name == arguments[0]) is not { } verb) return null;
        (OptionAttribute Option, Type Type)[] options =
            [.. Declared(verb).Select(p => (p.GetCustomAttribute<OptionAttribute>()!, p.PropertyType)).Where(p => p.Item1 is not null)];
        bool takesWords = Declared(verb).Any(p => p.GetCustomAttribute<ValueAttribute>() is not null);
        for (int i = 1; i < arguments.Count; i++)
        {
            if (!IsOption(arguments[i]))
            {
                if (!takesWords) return $"unexpected '{arguments[i]}'. HINT: --help lists the options of a verb";
                continue;
            }
            (string name, string? value) = Split(arguments[i]);
            (OptionAttribute? option, Type? type) = options.FirstOrDefault(o => o.Option.LongName == name || (o.Option.ShortName.Length > 0 && o.Option.ShortName == name));
            // Unknown, or --help: the parser's business.
            if (option is null || type is null) return null;
            if (type == typeof(bool))
            {
                if (value is not null) return $"option '{name}' takes no value";
                continue;
            }
            if (value is null && i + 1 < arguments.Count && !IsOption(arguments[i + 1])) value = arguments[++i];
            // What is nothing where it is not given may be given as nothing.
            if (value is null || (value.Length == 0 && option.Default is not "")) return $"option '{name}' has no value";
            if (value.Length > 0 && (Unknown(type, value) ?? UnknownAmong(type, option, value)) is { } values) return $"option '{name}' is '{value}'; expected {values}";
            bool many = type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type);
            while (many && i + 1 < arguments.Count && !IsOption(arguments[i + 1])) i++;
        }
        return null;
    }

    /// <summary>A verb's own options first, then those that it shares, each class's in their order, and after them those of the interfaces that it adds.</summary>
    public static IEnumerable<PropertyInfo> Declared(Type verb)
    {
        for (Type? type = verb; type is not null; type = type.BaseType)
        {
            Type[] inherited = type.BaseType?.GetInterfaces() ?? [];
            foreach (Type declaring in (IEnumerable<Type>)[type, .. type.GetInterfaces().Where(i => !inherited.Contains(i) && i.Assembly == verb.Assembly)])
                foreach (PropertyInfo property in declaring.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
                    yield return property;
        }
    }

    /// <summary>What a single value of such a type may be, where this is none of it; null: it is one, or the parser will see.</summary>
    private static string? Unknown(Type type, string value)
    {
        Type plain = Nullable.GetUnderlyingType(type) ?? type;
        if (plain.IsEnum)
        {
            string[] names = Enum.GetNames(plain);
            return names.Contains(value, StringComparer.OrdinalIgnoreCase) ? null : "one of " + string.Join(", ", names.Select(n => n.ToLowerInvariant()));
        }
        if (plain == typeof(int)) return int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : "a whole number";
        if (plain == typeof(long)) return long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _) ? null : "a whole number";
        return plain != typeof(double) || double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out _) ? null : "a number";
    }

    /// <summary>The same of values that a separator divides.</summary>
    private static string? UnknownAmong(Type type, OptionAttribute option, string values) => option.Separator == '\0' || !type.IsGenericType ? null
        : values.Split(option.Separator).Select(v => Unknown(type.GetGenericArguments()[0], v)).OfType<string>().FirstOrDefault() is { } one
            ? $"{one} each, between {option.Separator}" : null;

    /// <summary>A dash and a letter, or two dashes: -1 is a number.</summary>
    private static bool IsOption(string argument) =>
        argument.StartsWith("--", StringComparison.Ordinal) || (argument.Length >= 2 && argument[0] == '-' && char.IsAsciiLetter(argument[1]));

    private static (string Name, string? Value) Split(string argument)
    {
        if (!argument.StartsWith("--", StringComparison.Ordinal)) return (argument[1..2], argument.Length > 2 ? argument[2..] : null);
        int equals = argument.IndexOf('=');
        return equals < 0 ? (argument[2..], null) : (argument[2..equals], argument[(equals + 1)..]);
    }
}
