using ChemScale.Engine;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("generate", HelpText = "Sample molecules from a trained ChemGPT; writes OUT/molecules.tsv (what was drawn, SMILES) and prints the first thousand.")]
[Example("chemscale generate --run runs/train --count 100 --temperature 0.8 --top-k 50", "A hundred molecules.")]
[Example("chemscale generate --run runs/train --prompt c1ccccc1 --prompt-as smiles --count 20", "That begin with a benzene ring.")]
[Example("chemscale generate --run runs/train --count 1000000 --out runs/million --resume", "A million, going on where it stopped.")]
internal sealed class GenerateVerb : Verb
{
    [OptionGroup("Run")]
    [Option("run", HelpText = "Run directory of a training (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("out", HelpText = "Folder to write to (default runs/generate).")]
    public string Out { get; set; } = Path.Combine("runs", "generate");

    [Option("resume", HelpText = "Go on with what an interrupted sampling of the same molecules left in OUT, or add to a complete one.")]
    public bool Resume { get; set; }

    [OptionGroup("Sampling")]
    [Option("count", Default = 10, HelpText = "How many sequences.")]
    public int Count { get; set; }

    [Option("temperature", Default = 1.0, HelpText = "Divides the scores; 0 takes the likeliest token.")]
    public double Temperature { get; set; }

    [Option("top-k", HelpText = "Draw from the k likeliest tokens only; 0 (default): from all.")]
    public int TopK { get; set; }

    [Option("top-p", Default = 1.0, HelpText = "Draw from the fewest likeliest tokens whose probabilities add up to this (nucleus sampling).")]
    public double TopP { get; set; }

    [Option("repetition-penalty", Default = 1.0, HelpText = "Divides the scores of tokens that a molecule has already (those below zero are multiplied); 1: none.")]
    public double RepetitionPenalty { get; set; }

    [Option("no-repeat", HelpText = "No run of this many tokens comes twice in a molecule; 0 (default): any may.")]
    public int NoRepeat { get; set; }

    [Option("prompt", Default = "", HelpText = "What every molecule starts with, such as a scaffold: SELFIES or SMILES; of a model of SMILES a beginning, as c1ccc(.")]
    public string Prompt { get; set; } = "";

    [Option("prompt-as", Default = PromptForm.Auto, HelpText = "smiles, selfies, or auto: SELFIES where the model knows every symbol, else SMILES; of a model of SMILES, SMILES.")]
    public PromptForm PromptForm { get; set; }

    [Option("all-tokens", HelpText = "Draw whatever the tokenizer has, pieces of symbols too: some of it decodes to nothing.")]
    public bool AllTokens { get; set; }

    [Option("seed", HelpText = "Same seed, same molecules.")]
    public long Seed { get; set; }

    [OptionGroup("Limits and machine")]
    [Option("max-tokens", HelpText = "Longer sequences are given up as unfinished (default 512, or the model's positions where they are fewer).")]
    [Key("maximumTokens")]
    public int? MaximumTokens { get; set; }

    [Option("batch", Default = 64, HelpText = "Sequences decoded side by side: memory and speed, not what is drawn.")]
    [Key("batchSize")]
    public int Batch { get; set; }

    [Option("threads", HelpText = "CPU threads (default: one for small models, all of ours for large ones).")]
    public int Threads { get; set; }

    public override int Run(CancellationToken stop)
    {
        if (Threads < 0) throw new InputException("threads", $"{Threads}", "1 or more");
        if (MaximumTokens is 0) throw new InputException("maximumTokens", "0", "2 or more");
        var request = new GenerationRequest
        {
            Run = RunDirectory,
            Sampling = new SamplingOptions
            {
                Count = Count,
                Temperature = Temperature,
                TopK = TopK,
                TopP = TopP,
                RepetitionPenalty = RepetitionPenalty,
                NoRepeat = NoRepeat,
                Seed = Seed,
                MaximumTokens = MaximumTokens ?? 0,
                BatchSize = Batch,
            },
            Prompt = Prompt,
            PromptForm = PromptForm,
            AllTokens = AllTokens,
            Output = Out,
            Resume = Resume,
            Threads = Threads,
        };
        GeneratedMolecules molecules;
        using (var display = new CountDisplay("molecules"))
            molecules = MoleculeGeneration.Run(request, message => Console.Error.WriteLine("chemscale: warning: " + message), display.Report, stop);
        if (Json)
        {
            Output.Json(molecules);
            return 0;
        }
        foreach (GeneratedMolecule molecule in molecules.Molecules) Console.WriteLine($"{molecule.Selfies}\t{molecule.Smiles}");
        MoleculePrompt prompt = molecules.Prompt;
        if (prompt.Selfies.Length > 0) Console.Error.WriteLine($"prompt: {prompt.Selfies}{(prompt.Smiles == prompt.Selfies ? "" : $", {prompt.Smiles}")}");
        GenerationCounts n = molecules.Counts;
        Console.Error.WriteLine($"{molecules.File}: {n.Sequences:N0} sequences: {n.Valid:N0} molecules, {n.Distinct:N0} of them different; "
            + $"{n.Empty:N0} empty, {n.Refused:N0} that do not decode, {n.Unfinished:N0} unfinished");
        foreach ((string reason, long count) in molecules.RefusedByReason.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal))
            Console.Error.WriteLine($"  {count:N0}: {reason}");
        Console.Error.WriteLine(molecules.Toolkit is { Read: { } read, Asked: var asked }
            ? $"RDKit reads {read:N0} of {(asked == n.Valid ? "the" : "a sample of")} {asked:N0} molecules"
            : $"RDKit: not computed, {OneLine.Of(molecules.Toolkit.NotComputed!)}");
        return 0;
    }
}
