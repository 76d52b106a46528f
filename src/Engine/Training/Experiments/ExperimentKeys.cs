using System.Globalization;
using System.Reflection;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>Single values of an experiment by their keys in experiment.yaml, such as <c>training.learningRate</c>.</summary>
public static class ExperimentKeys
{
    private const string FamilyKey = "model.family";

    /// <param name="experiment">Stays as it is.</param>
    /// <param name="values">Text as it would stand in the file; later ones win.</param>
    /// <param name="place">To name in an error.</param>
    /// <returns>Validated.</returns>
    /// <exception cref="InputException">A key an experiment does not have, or a value it cannot take.</exception>
    public static Experiment With(Experiment experiment, IEnumerable<(string Key, string Value)> values, string place)
    {
        experiment = experiment.Validated(place);
        foreach ((string key, string value) in values)
        {
            if (!Has(experiment, key))
                throw new InputException(place, $"key '{key}'", $"a key of experiment.yaml that a {experiment.Model.Family.Name} experiment has, such as training.learningRate");
            experiment = With(experiment, key, value, $"{place}: {key}");
        }
        return experiment.Validated(place);
    }

    /// <param name="text">KEY=VALUE</param>
    /// <param name="place">To name in an error.</param>
    /// <exception cref="InputException">Not KEY=VALUE.</exception>
    public static (string Key, string Value) Parse(string text, string place)
    {
        int equals = text.IndexOf('=');
        return equals > 0
            ? (text[..equals].Trim(), text[(equals + 1)..].Trim())
            : throw new InputException(place, $"'{text}'", "KEY=VALUE, such as model.cutoff=6");
    }

    /// <summary>Every single value by its key, as the file would write it.</summary>
    internal static IReadOnlyDictionary<string, string> Values(Experiment experiment)
    {
        var values = new Dictionary<string, string> { ["seed"] = Scalars.Format(experiment.Seed), [FamilyKey] = experiment.Model.Family.Name };
        Add("model", experiment.Model.Config);
        Add("data", experiment.Data);
        Add("training", experiment.Training);
        return values;

        void Add(string path, object record)
        {
            foreach (PropertyInfo property in Fields.Of(record.GetType()))
            {
                string key = $"{path}.{Fields.Key(property)}";
                object? value = property.GetValue(record);
                if (value is null || Scalars.Holds(property.PropertyType)) values[key] = Scalars.Format(value);
                else Add(key, value);
            }
        }
    }

    /// <summary>Whether the experiment has a single value of that key.</summary>
    internal static bool Has(Experiment experiment, string key)
    {
        if (key is "seed" or FamilyKey) return true;
        string[] path = key.Split('.');
        Type? type = path.Length < 2 ? null : Section(experiment, path[0])?.GetType();
        foreach (string part in path[1..])
        {
            if (type is null || Scalars.Holds(type)) return false;
            type = Fields.Of(type).FirstOrDefault(p => Fields.Key(p) == part)?.PropertyType;
        }
        return type is not null && Scalars.Holds(type);
    }

    /// <summary>One value replaced; not validated but for the range of that value.</summary>
    /// <param name="experiment">Has the key: <see cref="Has"/>.</param>
    /// <param name="key">Its path.</param>
    /// <param name="value">Of the property's type, a number that converts to it, or text as it would stand in the file.</param>
    /// <param name="place">To name in an error.</param>
    internal static Experiment With(Experiment experiment, string key, object value, string place)
    {
        if (key == FamilyKey) return experiment with
        {
            Model = OfFamily(
            experiment.Model, ModelFamily.Named(Convert.ToString(value, CultureInfo.InvariantCulture)!, place), place)
        };
        if (key == "seed") return (Experiment)Set(experiment, ["seed"], value, place);
        string[] path = key.Split('.');
        object section = Set(Section(experiment, path[0])!, path.AsSpan(1), value, place);
        return path[0] switch
        {
            "model" => experiment with { Model = ModelSpec.Of(section) },
            "data" => experiment with { Data = (DataSpec)section },
            _ => experiment with { Training = (TrainingSpec)section },
        };
    }

    private static object? Section(Experiment experiment, string name) => name switch
    {
        "model" => experiment.Model.Config,
        "data" => experiment.Data,
        "training" => experiment.Training,
        _ => null,
    };

    /// <summary>A configuration of another family that has every key of this one.</summary>
    private static ModelSpec OfFamily(ModelSpec model, ModelFamily family, string place)
    {
        if (family == model.Family) return model;
        object config = Activator.CreateInstance(family.ConfigType)!;
        Dictionary<string, PropertyInfo> fields = Fields.Of(family.ConfigType).ToDictionary(Fields.Key);
        foreach (PropertyInfo known in Fields.Of(model.Config.GetType()))
        {
            if (!fields.TryGetValue(Fields.Key(known), out PropertyInfo? field) || field.PropertyType != known.PropertyType)
                throw new InputException(place, family.Name, $"a family with the keys of {model.Family.Name}", $"{family.Name} has no model.{Fields.Key(known)}");
            field.SetValue(config, known.GetValue(model.Config));
        }
        return ModelSpec.Of(config);
    }

    /// <summary>A copy of a record with one value replaced, in itself or in a record below.</summary>
    private static object Set(object record, ReadOnlySpan<string> path, object value, string place)
    {
        string name = path[0];
        PropertyInfo property = record.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).First(p => p.CanWrite && Fields.Key(p) == name);
        object? replaced = path.Length > 1 ? Set(property.GetValue(record)!, path[1..], value, place) : Value(property, value, place);
        object copy = Fields.Copy(record);
        property.SetValue(copy, replaced);
        return copy;
    }

    private static object? Value(PropertyInfo property, object value, string place)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        object? converted = value;
        if (value is string text && type != typeof(string))
        {
            if (Scalars.IsNull(text)) converted = Fields.IsNullable(property) ? null : throw new InputException(place, text.Length == 0 ? "no value" : text, "a value");
            else converted = Scalars.Parse(type, text, out string expected) ?? throw new InputException(place, $"'{text}'", expected);
        }
        else if (value is string word && Scalars.IsNull(word))
        {
            converted = Fields.IsNullable(property) ? null : throw new InputException(place, word.Length == 0 ? "no value" : word, "a value");
        }
        else if (!type.IsInstanceOfType(value))
        {
            converted = Convert.ChangeType(value, type, CultureInfo.InvariantCulture);
        }
        Bounds.Check(property, converted, place);
        return converted;
    }
}
