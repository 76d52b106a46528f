using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using ChemScale.Engine.Training.Tasks;

namespace ChemScale.Engine.Studies.Runs;

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
            ?? throw new InputException(run.Path, "no tokenizer of its own, as version 0.3 left it", $"its store in {data.Store}", "put the store back, or name where it is under data.store in experiment.yaml");
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
