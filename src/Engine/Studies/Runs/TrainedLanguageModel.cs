using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;
using static TorchSharp.torch;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>A language model out of a run directory, with the tokenizer it was trained with.</summary>
internal sealed class TrainedLanguageModel : IDisposable
{
    private TrainedLanguageModel(ChemGpt model, Tokenizer tokenizer, Experiment experiment, long step, string identity) =>
        (Model, Tokenizer, Experiment, Step, Identity) = (model, tokenizer, experiment, step, identity);

    public ChemGpt Model { get; }

    public Tokenizer Tokenizer { get; }

    public Experiment Experiment { get; }

    /// <summary>Of the checkpoint.</summary>
    public long Step { get; }

    /// <summary>Experiment, step, and the first 16 digits of the SHA-256 of the weights: the same wherever the run is copied to.</summary>
    public string Identity { get; }

    /// <summary>With the weights of the newest checkpoint; averaged ones where the run averages. Dispose of it.</summary>
    /// <param name="run">Run directory of a language model.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <exception cref="InputException">No run, no checkpoint, or a run of another kind of model.</exception>
    public static TrainedLanguageModel Open(string run, Action<string> warn)
    {
        var directory = new RunDirectory(run);
        if (!directory.IsStarted) throw new InputException(run, "no experiment.yaml", "the run directory of a training", Remedy.Train);
        Experiment experiment = directory.ReadExperiment();
        Checkpoint checkpoint = directory.Checkpoints().OpenNewest(warn) ?? throw new InputException(run, "no checkpoint", "a run that has written one");
        checkpoint.RequireOf(experiment.Id, directory.ExperimentPath);
        ScalarType dtype = experiment.Training.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        ChemGpt model = experiment.Model.Family.CreateLanguageModel(experiment.Model.Config, experiment.Seed, dtype)
            ?? throw new InputException(run, experiment.Model.Family.Name, "the run of a language model");
        try
        {
            Tokenizer tokenizer = RunTokenizer.Open(directory, experiment, model.Config.VocabularySize);
            checkpoint.LoadWeights(model);
            string sum = FileChecksum.ReadList(Path.Combine(checkpoint.Path, Checkpoint.SumsFile))[Checkpoint.ModelFile];
            return new TrainedLanguageModel(model, tokenizer, experiment, checkpoint.Step, $"{experiment.Id}@{checkpoint.Step} {sum[..16]}");
        }
        catch (Exception e)
        {
            model.Dispose();
            if (e is SafetensorsException damaged) throw damaged.AsInput("this checkpoint is of another model");
            throw;
        }
    }

    public void Dispose() => Model.Dispose();
}

/// <summary>The tokenizer that a language model was trained with.</summary>
internal static class RunTokenizer
{
    /// <summary>The run's own; for runs of version 0.3, which kept none, that of the store, where it still is the one that was trained on.</summary>
    /// <param name="run">Of a language model.</param>
    /// <param name="experiment">Of the run.</param>
    /// <param name="vocabularySize">Rows of the model's token table.</param>
    /// <exception cref="InputException">There is none, it is damaged, or it is another than the model's.</exception>
    public static Tokenizer Open(RunDirectory run, Experiment experiment, int vocabularySize)
    {
        Tokenizer tokenizer = run.ModelFiles.Exist ? Tokenizer.Load(run.ModelFiles.Find(LanguageModelTask.TokenizerFile)) : OfStore(run, experiment.Data);
        if (tokenizer.Vocabulary.Size > vocabularySize)
            throw new InputException(run.Path, $"a tokenizer of {tokenizer.Vocabulary.Size} tokens", $"at most {vocabularySize}, as the model has");
        if ((experiment.Data.Representation ?? Representation.Selfies) != tokenizer.Representation)
            throw new InputException(run.Path, $"a tokenizer of {tokenizer.Representation.ToString().ToUpperInvariant()}", "one of the representation that its experiment says");
        if (experiment.Data.Grammar is { } grammar && tokenizer.Grammar != grammar)
            throw new InputException(run.Path, $"a tokenizer of SELFIES {tokenizer.Grammar.Name()}", $"{grammar.Name()}, as its experiment says");
        return tokenizer;
    }

    private static Tokenizer OfStore(RunDirectory run, DataSpec data)
    {
        run.ModelFiles.RequireNone();
        // Where data are prepared for one run alone, they lie in its folder, and move with it.
        string[] folders = [.. new[] { data.Store, run.In("data") }.Where(TokenStore.Exists)];
        string folder = folders.FirstOrDefault(f => FingerprintOf(f) == data.Fingerprint) ?? folders.FirstOrDefault()
            ?? throw new InputException(run.Path, "no tokenizer of its own, as version 0.3 left it", $"its store in {data.Store}",
                "put the store back, or name where it is under data.store in experiment.yaml");
        using TokenStore store = TokenStore.Open(folder);
        data.RequireFingerprint(folder, store.Manifest.Fingerprint);
        return store.Tokenizer;
    }

    private static string FingerprintOf(string folder)
    {
        using TokenStore store = TokenStore.Open(folder);
        return store.Manifest.Fingerprint;
    }
}
