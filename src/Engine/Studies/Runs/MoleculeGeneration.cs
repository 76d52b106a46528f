using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Tokens;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>One sampled molecule. Smiles: null where the SELFIES does not decode. Finished: it ended within the limit.</summary>
public sealed record GeneratedMolecule(string Selfies, string? Smiles, bool Finished);

/// <summary>What is to be sampled.</summary>
public sealed record GenerationRequest
{
    /// <summary>Run directory of a ChemGPT.</summary>
    public required string Run { get; init; }

    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>What every molecule begins with; may be empty.</summary>
    public string Prompt { get; init; } = "";

    public PromptForm PromptForm { get; init; }

    /// <summary>Draws whatever the tokenizer has, pieces of symbols too: what is drawn may then decode to nothing.</summary>
    public bool AllTokens { get; init; }

    /// <summary>Folder that receives molecules.tsv; one there is replaced when the new one is complete.</summary>
    public required string Output { get; init; }

    /// <summary>Go on with what an interrupted sampling of the same request left there.</summary>
    public bool Resume { get; init; }

    /// <summary>CPU threads; 0: one for models too small to gain from more, else the library's choice.</summary>
    public int Threads { get; init; }
}

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
        SymbolRule? rule = request.AllTokens ? null : new SymbolRule(tokenizer, model.Config.VocabularySize);
        IReadOnlyList<int> never = rule?.Never ?? [.. Enumerable.Range(0, model.Config.VocabularySize)
            .Where(id => id != vocabulary.End && (id >= vocabulary.Size || vocabulary.IsSpecial(id)))];
        // Before the file is touched: what cannot be drawn is refused here.
        _ = Sequences(0);
        using var file = MoleculeStream.Open(request, prompt, trained);
        SelfiesCodec codec = tokenizer.CreateCodec();
        try
        {
            foreach (GeneratedSequence sequence in Sequences(file.Counts.Sequences))
            {
                string selfies = tokenizer.Decode([.. sequence.Ids.Select(id => (ushort)id)]);
                bool decoded = codec.TryDecode(selfies, out ReadOnlySpan<char> smiles);
                file.Add(new GeneratedMolecule(selfies, decoded ? smiles.ToString() : null, sequence.Finished), sequence.Ids.Length);
                progress?.Invoke(file.Counts.Sequences);
            }
        }
        catch (OperationCanceledException)
        {
            file.PutAside();
            throw;
        }
        return file.Complete(prompt);

        IEnumerable<GeneratedSequence> Sequences(long first) => SequenceGenerator.Generate(
            model, request.Sampling, prompt.Ids, vocabulary.Start, vocabulary.End, never, rule, first, stop);
    }
}

/// <summary>What a sampling gave.</summary>
public sealed record GeneratedMolecules
{
    /// <summary>Most molecules that <see cref="Molecules"/> holds.</summary>
    public const int MostShown = 1000;

    /// <summary>All of it: SELFIES, SMILES and whether it ended, a line each.</summary>
    public required string File { get; init; }

    /// <summary>What all begin with, as SELFIES and SMILES.</summary>
    public required MoleculePrompt Prompt { get; init; }

    public required GenerationCounts Counts { get; init; }

    /// <summary>The first of them.</summary>
    public required IReadOnlyList<GeneratedMolecule> Molecules { get; init; }
}

/// <summary>What became of the sequences of a sampling: each is valid, empty, refused or unfinished.</summary>
public sealed record GenerationCounts
{
    public long Sequences { get; set; }

    /// <summary>Ended in time, and decode to molecules with atoms.</summary>
    public long Valid { get; set; }

    /// <summary>Different molecules among the valid ones.</summary>
    public long Distinct { get; set; }

    /// <summary>Ended in time and decode to nothing.</summary>
    public long Empty { get; set; }

    /// <summary>Ended in time and do not decode.</summary>
    public long Refused { get; set; }

    /// <summary>Did not end in time.</summary>
    public long Unfinished { get; set; }

    /// <summary>Symbols drawn or given, start and end tokens not counted.</summary>
    public long Tokens { get; set; }
}
