using ChemScale.Engine;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("generate", HelpText = "Sample molecules from a trained ChemGPT; writes OUT/molecules.tsv (SELFIES, SMILES) and prints them.")]
internal sealed class GenerateVerb : Verb
{
    [Option("run", HelpText = "Run directory of a training (default runs/train).")]
    public string RunDirectory { get; set; } = Path.Combine("runs", "train");

    [Option("out", HelpText = "Folder to write to (default runs/generate).")]
    public string Out { get; set; } = Path.Combine("runs", "generate");

    [Option("count", Default = 10, HelpText = "How many sequences.")]
    public int Count { get; set; }

    [Option("temperature", Default = 1.0, HelpText = "Divides the scores; 0 takes the likeliest token.")]
    public double Temperature { get; set; }

    [Option("top-k", HelpText = "Draw from the k likeliest tokens only; 0: from all.")]
    public int TopK { get; set; }

    [Option("prompt", Default = "", HelpText = "SELFIES that every molecule starts with.")]
    public string Prompt { get; set; } = "";

    [Option("seed", HelpText = "Same seed, same molecules.")]
    public long Seed { get; set; }

    [Option("max-tokens", Default = 512, HelpText = "Longer sequences are given up as unfinished.")]
    public int MaximumTokens { get; set; }

    [Option("threads", HelpText = "CPU threads (default: one for small models, all of ours for large ones).")]
    public int Threads { get; set; }

    public override int Run(CancellationToken stop)
    {
        if (Threads < 0) throw new InputException("--threads", $"{Threads}", "1 or more");
        var options = new SamplingOptions { Count = Count, Temperature = Temperature, TopK = TopK, Seed = Seed, MaximumTokens = MaximumTokens };
        GeneratedMolecules molecules = MoleculeGeneration.Run(
            RunDirectory, options, Prompt, Out, Threads, message => Console.Error.WriteLine("chemscale: warning: " + message), stop);
        if (Json)
        {
            Output.Json(molecules);
            return 0;
        }
        foreach (GeneratedMolecule molecule in molecules.Molecules) Console.WriteLine($"{molecule.Selfies}\t{molecule.Smiles}");
        Console.Error.WriteLine(
            $"{molecules.File}: {molecules.Molecules.Count} sequences, {molecules.Finished} finished, {molecules.Decoded} decode to SMILES, {molecules.Distinct} distinct");
        return 0;
    }
}
