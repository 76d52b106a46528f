using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Tokens;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Samples molecules from the newest checkpoint of a run, straight to a file: memory does not depend on how many.</summary>
public static class MoleculeGeneration
{
    // Narrower models' products are over before a second thread has joined in.
    private const int SharedWidth = 512;

    /// <param name="request">What is to be sampled.</param>
    /// <param name="warn">Gets a line where the newest checkpoint is damaged and the one before is used.</param>
    /// <param name="progress">Told the number of sequences after each one.</param>
    /// <param name="stop">Ends the sampling; what was drawn is kept, to go on with.</param>
    /// <exception cref="InputException">No run, no checkpoint, a prompt that is none for the model, or a folder that cannot be written, or holds another
    /// sampling.</exception>
    public static GeneratedMolecules Run(GenerationRequest request, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        request.Sampling.Validate();
        using TrainedLanguageModel trained = TrainedLanguageModel.Open(request.Run, warn);
        MoleculePrompt prompt = MoleculePrompt.Read(trained.Tokenizer, request.Prompt, request.PromptForm);

        // Threads that wait spin: on a busy machine a small model's many short calls then take many times as long.
        using ThreadGrant granted = ThreadGrant.Take(request.Threads, trained.Model.Config.Width < SharedWidth ? 1 : 0, "threads");
        return Sample(trained, request, prompt, progress, stop);
    }

    private static GeneratedMolecules Sample(
        TrainedLanguageModel trained, GenerationRequest request, MoleculePrompt prompt, Action<long>? progress, CancellationToken stop)
    {
        (ChemGpt model, Tokenizer tokenizer) = (trained.Model, trained.Tokenizer);
        Vocabulary vocabulary = tokenizer.Vocabulary;
        // No rule of the next token alone keeps SMILES valid.
        SymbolRule? rule = request.AllTokens || tokenizer.Representation == Representation.Smiles ? null : new SymbolRule(tokenizer, model.Config.VocabularySize);
        IReadOnlyList<int> never = rule?.Never ?? [.. Enumerable.Range(0, model.Config.VocabularySize)
            .Where(id => id != vocabulary.End && (id >= vocabulary.Size || vocabulary.IsSpecial(id) || (!request.AllTokens && !tokenizer.IsSymbol(id))))];
        // Before the file is touched: what cannot be drawn is refused here.
        _ = Sequences(0);
        using var file = MoleculeStream.Open(request, prompt, trained);
        var molecules = new DrawnText(tokenizer);
        try
        {
            foreach (GeneratedSequence sequence in Sequences(file.Counts.Sequences))
            {
                string drawn = tokenizer.Decode([.. sequence.Ids.Select(id => (ushort)id)]);
                file.Add(new GeneratedMolecule(drawn, molecules.Smiles(drawn), sequence.Finished), sequence.Ids.Length, molecules.Reason);
                progress?.Invoke(file.Counts.Sequences);
            }
        }
        catch (OperationCanceledException)
        {
            file.PutAside();
            throw;
        }
        return file.Complete(prompt, stop);

        IEnumerable<GeneratedSequence> Sequences(long first) => SequenceGenerator.Generate(
            model, request.Sampling, prompt.Ids, vocabulary.Start, vocabulary.End, never, rule, first, stop);
    }
}
