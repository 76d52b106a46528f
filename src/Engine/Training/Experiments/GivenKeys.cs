using System.Reflection;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// Values that somebody gave to single keys of an experiment: each has its effect, or is refused. None is overwritten or ignored without a
/// word.
/// </summary>
internal static class GivenKeys
{
    /// <summary>Refuses values that did not come to stand in the experiments, and keys that say nothing to any of them.</summary>
    /// <param name="built">What came of them: an experiment, or those of a sweep.</param>
    /// <param name="given">Keys and text as it would stand in the file; later ones win.</param>
    /// <param name="place">Option to name in an error.</param>
    /// <exception cref="InputException">The first key that is not honoured.</exception>
    public static void RequireHonoured(IReadOnlyCollection<Experiment> built, IEnumerable<(string Key, string Value)> given, string place)
    {
        foreach ((string key, string text) in given.GroupBy(g => g.Key).Select(g => g.Last()))
        {
            foreach (Experiment experiment in built)
            {
                (object? found, Type type) = Find(experiment, key);
                object? wanted = Scalars.IsNull(text) ? null : Scalars.Parse(Nullable.GetUnderlyingType(type) ?? type, text, out _);
                if (!Equals(found, wanted) && !IsSameStore(key, found, wanted))
                    throw new InputException(place, $"{key}={text} cannot be honoured", $"{key}={Scalars.Format(found)}, as the data or other options want it");
            }
            RequireEffect(built, key, place);
        }
    }

    /// <summary>Refuses a key that says nothing to any of these experiments, unless it is left at its default.</summary>
    /// <inheritdoc cref="RequireHonoured"/>
    public static void RequireEffect(IReadOnlyCollection<Experiment> built, string key, string place)
    {
        string? why = null;
        foreach (Experiment experiment in built)
        {
            why = Idle(experiment, key);
            if (why is null || Equals(Find(experiment, key).Value, Find(DefaultOf(experiment), key).Value)) return;
        }
        if (why is not null) throw new InputException(place, $"{key} has no effect", $"a key that has one: {why}");
    }

    /// <summary>Why the experiment has no use for a key; null where it has.</summary>
    private static string? Idle(Experiment experiment, string key)
    {
        TrainingSpec training = experiment.Training;
        return experiment.Model.Family.Idle(experiment.Model.Config, key) ?? key switch
        {
            "training.schedule.factor" or "training.schedule.patience" or "training.schedule.threshold"
                when training.Schedule.Kind != ScheduleKind.Plateau => "training.schedule.kind is not plateau",
            "training.schedule.floor" when training.Schedule.Kind == ScheduleKind.Constant => "training.schedule.kind is constant",
            "training.schedule.cooldown" when training.Schedule.Kind != ScheduleKind.Cooldown => "training.schedule.kind is not cooldown",
            "training.labelLoss.huberDelta" when training.LabelLoss.Error != ErrorMeasure.Huber => "training.labelLoss.error is not huber",
            "training.batchSize" when (training.BatchAtoms ?? training.BatchEdges) is not null => "batches are filled to training.batchAtoms or training.batchEdges",
            "training.patience" when training.ValidationInterval.Unit == IntervalUnit.Never => "training.validationInterval is never",
            _ => null,
        };
    }

    private static Experiment DefaultOf(Experiment experiment) => new() { Model = ModelSpec.Of(Activator.CreateInstance(experiment.Model.Family.ConfigType)!) };

    /// <summary>A store is the same however its path is written; "virtual" has become the folder that was made of it.</summary>
    private static bool IsSameStore(string key, object? found, object? wanted) =>
        key == "data.store" && found is string there && wanted is string named && (named == DataSpec.Virtual || Path.GetFullPath(there) == Path.GetFullPath(named));

    private static (object? Value, Type Type) Find(Experiment experiment, string key)
    {
        string[] steps = key.Split('.');
        if (key == "model.family") return (experiment.Model.Family.Name, typeof(string));
        object? value = steps[0] == "model" ? experiment.Model.Config : experiment;
        Type type = value.GetType();
        foreach (string step in steps[0] == "model" ? steps[1..] : steps)
        {
            PropertyInfo property = Fields.Of(type).FirstOrDefault(p => Fields.Key(p) == step) ?? throw new InputException(key, "no key of an experiment", "", "");
            (value, type) = (property.GetValue(value), property.PropertyType);
        }
        return (value, type);
    }
}
