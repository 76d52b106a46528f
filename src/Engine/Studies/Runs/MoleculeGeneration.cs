using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Files;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>One sampled molecule. Smiles: null where the SELFIES does not decode. Finished: it ended within the limit.</summary>
public sealed record GeneratedMolecule(string Selfies, string? Smiles, bool Finished);

/// <summary>What a sampling gave; File holds the same.</summary>
public sealed record GeneratedMolecules(string File, IReadOnlyList<GeneratedMolecule> Molecules, int Finished, int Decoded, int Distinct);

/// <summary>Samples molecules from the newest checkpoint of a run.</summary>
public static class MoleculeGeneration
{
    // Narrower models' products are over before a second thread has joined in.
    private const int SharedWidth = 512;

    /// <param name="run">Run directory of a ChemGPT.</param>
    /// <param name="options">How to draw.</param>
    /// <param name="prompt">SELFIES in the grammar of the run's tokenizer; may be empty.</param>
    /// <param name="folder">Receives molecules.tsv, replaced whole.</param>
    /// <param name="threads">CPU threads; 0: one for models too small to gain from more, else the library's choice.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <param name="stop">Ends the sampling; nothing is written then.</param>
    /// <exception cref="InputException">No run, no checkpoint, a prompt with unknown symbols, or a folder that cannot be written.</exception>
    public static GeneratedMolecules Run(
        string run, SamplingOptions options, string prompt, string folder, int threads, Action<string> warn, CancellationToken stop = default)
    {
        options.Validate();
        var directory = new RunDirectory(run);
        if (!directory.IsStarted) throw new InputException(run, "no experiment.yaml", "the run directory of a training", Remedy.Train);
        Experiment experiment = directory.ReadExperiment();
        Checkpoint checkpoint = directory.Checkpoints().OpenNewest(warn) ?? throw new InputException(run, "no checkpoint", "a run that has written one");
        using ChemGpt model = experiment.Model.Family.CreateLanguageModel(experiment.Model.Config, experiment.Seed)
            ?? throw new InputException(run, experiment.Model.Family.Name, "the run of a language model");
        Tokenizer tokenizer = RunTokenizer.Open(directory, experiment, model.Config.VocabularySize);
        checkpoint.LoadWeights(model);

        // Threads that wait spin: on a busy machine a small model's many short calls then take many times as long.
        using ThreadGrant granted = ThreadGrant.Take(threads, model.Config.Width < SharedWidth ? 1 : 0, "threads");
        return Sample(model, tokenizer, options, prompt, folder, stop);
    }

    private static GeneratedMolecules Sample(
        ChemGpt model, Tokenizer tokenizer, SamplingOptions options, string prompt, string folder, CancellationToken stop)
    {
        int[] start = Prompt(tokenizer, prompt);
        // Sampling takes long: what would stop its result from being kept comes first.
        MakeFolder(folder);
        Vocabulary vocabulary = tokenizer.Vocabulary;
        int[] never = [.. Enumerable.Range(0, model.Config.VocabularySize).Where(id => id != vocabulary.End && (id >= vocabulary.Size || vocabulary.IsSpecial(id)))];
        SelfiesCodec codec = SelfiesCodec.Create(tokenizer.Grammar);
        var molecules = new List<GeneratedMolecule>();
        foreach (GeneratedSequence sequence in SequenceGenerator.Generate(model, options, start, vocabulary.Start, vocabulary.End, never, stop))
        {
            string selfies = tokenizer.Decode([.. sequence.Ids.Select(id => (ushort)id)]);
            bool decoded = codec.TryDecode(selfies, out ReadOnlySpan<char> smiles);
            molecules.Add(new GeneratedMolecule(selfies, decoded ? smiles.ToString() : null, sequence.Finished));
        }
        string file = Write(folder, molecules);
        return new GeneratedMolecules(file, molecules, molecules.Count(m => m.Finished), molecules.Count(m => m.Smiles is not null),
            molecules.Where(m => m.Smiles is not null).Select(m => m.Smiles).Distinct().Count());
    }

    private static int[] Prompt(Tokenizer tokenizer, string prompt)
    {
        if (prompt.Length == 0) return [];
        var ids = new ushort[tokenizer.MaximumIds(prompt.Length)];
        int count = tokenizer.EncodeBody(prompt, ids);
        if (ids.AsSpan(0, count).Contains(tokenizer.Vocabulary.Unknown))
            throw new InputException("prompt", $"'{prompt}' has symbols the model does not know", $"SELFIES {tokenizer.Grammar.Name()} symbols of its vocabulary");
        return [.. ids.Take(count).Select(id => (int)id)];
    }

    private static string Write(string folder, List<GeneratedMolecule> molecules)
    {
        string file = Path.Combine(folder, "molecules.tsv");
        try
        {
            DiskStorage.Shared.WriteAtomically(file, string.Concat(molecules
                .Select(m => $"{m.Selfies}\t{m.Smiles ?? "!ERROR"}\t{(m.Finished ? "finished" : "unfinished")}\n").Prepend("selfies\tsmiles\tend\n")));
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw Unwritable(folder, e);
        }
        return file;
    }

    private static void MakeFolder(string folder)
    {
        try
        {
            DiskStorage.Shared.EnsureDirectory(folder);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw Unwritable(folder, e);
        }
    }

    private static InputException Unwritable(string folder, Exception e) => new(folder, e.Message, "a folder that can be written to");
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
        if (experiment.Data.Grammar is { } grammar && tokenizer.Grammar != grammar)
            throw new InputException(run.Path, $"a tokenizer of SELFIES {tokenizer.Grammar.Name()}", $"{grammar.Name()}, as its experiment says");
        return tokenizer;
    }

    private static Tokenizer OfStore(RunDirectory run, DataSpec data)
    {
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
