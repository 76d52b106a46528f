using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Cli;
using ChemScale.Engine.Training.Experiments;
using CommandLine;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>The command line owns options: the engine names keys, and knows no family by name outside the families' own folder.</summary>
public sealed partial class OptionNameTests
{
    // Slurm's language, not ours.
    private static readonly string[] OfSbatch =
    [
        "job-name", "array", "output", "open-mode", "requeue", "nodes", "ntasks", "cpus-per-task", "signal", "partition", "account", "time", "gpus", "mem", "qos",
        "dependency", "kill-on-invalid-dep", "parsable",
    ];

    private static readonly string Engine = Path.Combine(Repository.Root, "src", "Engine");

    [Test]
    public void No_text_of_the_engine_names_an_option()
    {
        IEnumerable<string> named = from line in Lines(Engine)
                                    from Match text in Text().Matches(line.Text)
                                    from Match option in Option().Matches(text.Value)
                                    where !(line.File.StartsWith("Studies/Cluster/", StringComparison.Ordinal) && OfSbatch.Contains(option.Groups[1].Value))
                                    select $"{line.File}:{line.Number} {text.Value}";
        Assert.That(named, Is.Empty);
    }

    [Test]
    public void No_file_outside_the_families_switches_on_a_family()
    {
        string names = string.Join('|', ModelFamily.All.Select(f => f.Name));
        var switches = new Regex($"""is (not )?(ForceFieldFamily|ChemGptFamily)|Family\.Name [=!]=|Model\.Config is|"({names})"|config\.GetType\(\) ==""");
        string[] folders = [Engine, Path.Combine(Repository.Root, "src", "Cli")];
        IEnumerable<string> found = folders.SelectMany(Lines).Where(l => switches.IsMatch(l.Text) && !l.Text.TrimStart().StartsWith("///", StringComparison.Ordinal))
            .Where(l => !l.File.StartsWith("Training/Families/", StringComparison.Ordinal))
            // A task takes the configuration it was written for.
            .Where(l => l.File is not ("Training/Tasks/ForceFieldTask.cs" or "Training/Tasks/LanguageModelTask.cs"))
            // The study that runs when nobody names its parts.
            .Where(l => !l.Text.Contains("string[] UsualFamilies", StringComparison.Ordinal))
            .Select(l => $"{l.File}:{l.Number} {l.Text.Trim()}");
        Assert.That(found, Is.Empty);
    }

    [Test]
    public void Help_names_every_family()
    {
        foreach ((Type verb, string property) in ((Type, string)[])[(typeof(TrainVerb), "ModelName"), (typeof(StudyVerb), "Families")])
        {
            string help = verb.GetProperty(property)!.GetCustomAttribute<OptionAttribute>()!.HelpText;
            string[] named = [.. Regex.Matches(help, "[a-z]+").Select(m => m.Value).Where(w => ModelFamily.All.Any(f => f.Name == w)).Distinct()];
            Assert.That(named, Is.EqualTo(ModelFamily.All.Select(f => f.Name)), help);
        }
    }

    [Test]
    public void Each_key_of_an_option_is_one_that_some_experiment_or_source_has()
    {
        foreach (PropertyInfo option in typeof(TrainingVerb).GetProperties().Where(p => p.GetCustomAttribute<KeyAttribute>() is not null))
        {
            string key = option.GetCustomAttribute<KeyAttribute>()!.Name;
            bool known = key.StartsWith("source.", StringComparison.Ordinal)
                ? typeof(DataSource).GetProperties().Any(p => string.Equals(p.Name, key["source.".Length..], StringComparison.OrdinalIgnoreCase))
                : ModelFamily.All.Any(f => ExperimentKeys.Has(f.Defaults, key) || f.Shorthands.ContainsKey(key));
            Assert.That(known, Is.True, $"{option.Name}: {key}");
        }
    }

    private static IEnumerable<(string File, int Number, string Text)> Lines(string folder) =>
        from file in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
        let name = Path.GetRelativePath(folder, file).Replace('\\', '/')
        where !name.StartsWith("obj/", StringComparison.Ordinal) && !name.StartsWith("bin/", StringComparison.Ordinal)
        from line in File.ReadLines(file).Select((text, i) => (name, i + 1, text))
        select line;

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Text();

    [GeneratedRegex("(?<![-A-Za-z0-9])--([a-z][a-z-]*[a-z])")]
    private static partial Regex Option();
}
