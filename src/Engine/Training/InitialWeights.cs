using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training;

/// <summary>
/// Weights of one run as the beginning of another, to fine-tune them. Symbols have the rows of the token table that they had, whatever their ids are now;
/// new symbols, positions and elements keep those of the seed.
/// </summary>
public static class InitialWeights
{
    private const string TokenTable = "wte";

    // What may differ: how many rows tables have, and what only a fresh model asks.
    private static readonly string[] Free = ["VocabularySize", "Positions", "InitStd", "MaxAtomicNumber"];

    /// <summary>The experiment that a fine-tuning starts from where nobody says otherwise: the model, and the family's defaults.</summary>
    /// <exception cref="InputException">No run.</exception>
    public static Experiment Basis(string run)
    {
        Experiment experiment = Started(run).ReadExperiment();
        Experiment defaults = experiment.Model.Family.Defaults;
        return defaults with
        {
            Model = experiment.Model,
            Data = defaults.Data with { Representation = experiment.Data.Representation, Grammar = experiment.Data.Grammar },
        };
    }

    /// <summary>
    /// The experiment, its data prepared, with what the weights are filled in, and what else the model takes over; where the run is gone, it must be known
    /// already.
    /// </summary>
    /// <exception cref="InputException">No run, another model, or other weights than the experiment names.</exception>
    public static Experiment Resolved(Experiment experiment)
    {
        TrainingSpec training = experiment.Training;
        if (training.InitFrom is not { } run)
        {
            if (training.InitWeights is not null) throw new InputException("training.initFrom", "not given", $"the run of {training.InitWeights}");
            return training.InitSymbols is null ? experiment : throw new InputException("training.initSymbols", $"'{training.InitSymbols}'", "nothing, without training.initFrom");
        }
        if (!Directory.Exists(run) && training.InitWeights is not null) return experiment;
        RunDirectory directory = Started(run);
        RequireAlike(directory.ReadExperiment().Model, experiment.Model, run);
        string found = Identity(directory, Open(directory, _ => { }));
        if (training.InitWeights is { } known && known != found) throw new InputException(run, $"weights {found}", $"{known}, as the experiment says");
        Experiment begun = experiment with { Training = training with { InitFrom = directory.Path, InitWeights = found } };
        // An experiment that says nothing of symbols was begun without them, and stays as it is.
        if (training.InitWeights is not null && training.InitSymbols is null) return begun;
        begun = begun.Model.Family.BegunWith(begun with { Training = begun.Training with { InitSymbols = null } }, directory.ModelFiles.Find);
        if (training.InitSymbols is { } given && given != begun.Training.InitSymbols)
            throw new InputException("training.initSymbols", $"'{given}'", $"'{begun.Training.InitSymbols}', which the data lack");
        return begun;
    }

    /// <summary>Copies them into the task's model.</summary>
    /// <param name="task">At its beginning.</param>
    /// <param name="experiment">Names the run.</param>
    /// <param name="say">Gets a line about rows that are new or left out.</param>
    /// <exception cref="InputException">The run is gone, or its tensors are of other shapes.</exception>
    internal static void Load(ITrainingTask task, Experiment experiment, Action<string> say)
    {
        string run = experiment.Training.InitFrom!;
        if (experiment.Training.InitWeights is null)
            throw new InputException("training.initWeights", "not given", "what the weights of training.initFrom are", "InitialWeights.Resolved fills it in");
        RunDirectory directory = Started(run);
        Checkpoint checkpoint = Open(directory, say);
        if (Identity(directory, checkpoint) is var found && found != experiment.Training.InitWeights)
            throw new InputException(run, $"weights {found}", $"{experiment.Training.InitWeights}, as the experiment says");
        Experiment before = directory.ReadExperiment();
        ScalarType dtype = before.Training.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        using nn.Module source = before.Model.Family.CreateLanguageModel(before.Model.Config, 0, dtype)
            ?? (nn.Module?)before.Model.Family.CreateForceField(before.Model.Config, 0, dtype)
            ?? throw new InputException(run, before.Model.Family.Name, "a family that makes models of its own");
        checkpoint.LoadWeights(source);
        using IDisposable gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> from = source.state_dict();
        foreach ((string name, Tensor target) in task.Model.state_dict())
        {
            if (!from.TryGetValue(name, out Tensor? values)) throw new InputException(run, $"no tensor {name}", "the same model");
            if (name == TokenTable) Tokens(task, directory, experiment.Training.InitSymbols, values, target, say);
            else if (values.shape.SequenceEqual(target.shape)) target.copy_(values);
            else Rows(name, run, values, target, say);
        }
    }

    /// <summary>Parameters whose names fit are not trained.</summary>
    /// <exception cref="InputException">A pattern that fits none, or nothing is left.</exception>
    internal static void Freeze(nn.Module model, string? patterns)
    {
        if (patterns is null) return;
        foreach (string pattern in patterns.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var fits = new Regex("^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal) + "$", RegexOptions.CultureInvariant);
            bool any = false;
            foreach ((string name, var parameter) in model.named_parameters().Where(p => fits.IsMatch(p.name)))
            {
                parameter.requires_grad = false;
                any = true;
            }
            if (!any) throw new InputException("training.freeze", $"'{pattern}'", $"names such as {string.Join(", ", model.named_parameters().Take(6).Select(p => p.name))}, or * for any letters");
        }
        if (!model.parameters().Any(p => p.requires_grad)) throw new InputException("training.freeze", $"'{patterns}', which is all", "something that is trained");
    }

    private static RunDirectory Started(string run)
    {
        var directory = new RunDirectory(run);
        return directory.IsStarted ? directory : throw new InputException(run, "no experiment.yaml", "the run directory of a training, or of an imported model", Remedy.Train);
    }

    private static Checkpoint Open(RunDirectory directory, Action<string> warn)
    {
        CheckpointStore checkpoints = directory.Checkpoints();
        return checkpoints.OpenBest(warn) ?? checkpoints.OpenNewest(warn) ?? throw new InputException(directory.Path, "no checkpoint", "a run that has written one");
    }

    private static string Identity(RunDirectory directory, Checkpoint checkpoint) =>
        $"{directory.ReadExperiment().Id}@{checkpoint.Step} {FileChecksum.ReadList(Path.Combine(checkpoint.Path, Checkpoint.SumsFile))[Checkpoint.ModelFile][..16]}";

    private static void RequireAlike(ModelSpec before, ModelSpec now, string run)
    {
        if (before.Family != now.Family) throw new InputException("model.family", now.Family.Name, $"{before.Family.Name}, as in {run}");
        foreach (PropertyInfo field in Fields.Of(before.Config.GetType()).Where(f => !Free.Contains(f.Name)))
        {
            object? there = field.GetValue(before.Config), here = field.GetValue(now.Config);
            if (!Equals(there, here)) throw new InputException($"model.{Fields.Key(field)}", $"{here}", $"{there}, as in {run}");
        }
    }

    private static void Tokens(ITrainingTask task, RunDirectory directory, string? symbols, Tensor values, Tensor target, Action<string> say)
    {
        Tokenizer learned = Tokenizer.Load(directory.ModelFiles.Find(LanguageModelTask.TokenizerFile));
        Tokenizer data = Tokenizer.Parse(System.Text.Encoding.UTF8.GetString(task.ModelFiles[LanguageModelTask.TokenizerFile]), "the data's tokenizer");
        if (learned.Representation != data.Representation)
            throw new InputException("training.initFrom", $"{directory.Path}, a model of {learned.Notation.Name}", $"one of {data.Notation.Name}, as the data are");
        Vocabulary before = learned.Vocabulary, now = data.Vocabulary;
        if (values.size(1) != target.size(1)) throw new InputException(directory.Path, $"width {values.size(1)}", $"{target.size(1)}");
        var rows = new List<(long To, long From)>();
        var fresh = new List<string>();
        for (int id = 0; id < now.Size; id++)
        {
            if (before.TryFind(now.Text(id), out ushort from)) rows.Add((id, from));
            else fresh.Add(now.Text(id));
        }
        string[] left = [.. Enumerable.Range(0, before.Size).Select(before.Text).Where(text => !now.TryFind(text, out _))];
        target.index_copy_(0, tensor(rows.Select(r => r.To).ToArray(), device: target.device),
            values.index_select(0, tensor(rows.Select(r => r.From).ToArray(), device: values.device)).to(target.dtype).to(target.device));
        int kept = symbols?.Split(' ').Length ?? 0;
        say($"{rows.Count} tokens begin with what {directory.Path} has learned of them{(kept > 0 ? $", {kept} of which these data lack" : "")}; {Listed(fresh, "new")}"
            + (left.Length > 0 ? $"; {Listed(left, "left out: no symbols of these data's kind")}" : ""));
    }

    private static string Listed(IReadOnlyCollection<string> texts, string what) =>
        $"{texts.Count} {what}{(texts.Count > 0 ? $" ({string.Join(", ", texts.Take(8))}{(texts.Count > 8 ? ", ..." : "")})" : "")}";

    /// <summary>A table that has more rows now, or fewer: positions, elements.</summary>
    private static void Rows(string name, string run, Tensor values, Tensor target, Action<string> say)
    {
        if (values.dim() != 2 || target.dim() != 2 || values.size(1) != target.size(1))
            throw new InputException(run, $"{name} of shape ({string.Join(", ", values.shape)})", $"({string.Join(", ", target.shape)})", "the same model, but for rows of tables");
        long common = Math.Min(values.size(0), target.size(0));
        target.narrow(0, 0, common).copy_(values.narrow(0, 0, common));
        say($"{common} of the {target.size(0)} rows of {name} begin with those of {run}, which has {values.size(0)}");
    }
}
