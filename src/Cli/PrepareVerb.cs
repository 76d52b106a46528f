using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Tokens.Preparation;
using CommandLine;

namespace ChemScale.Cli;

[Verb("prepare", HelpText = "Turn molecules into a token store that training reads: clean, encode as SELFIES, tokenize, split by hash.")]
internal sealed class PrepareVerb : Verb
{
    [Option("molecules", HelpText = "Files: .smi or .txt (first field of each line), .csv (a column); each possibly .gz.")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("virtual", HelpText = "Instead of files: this many molecules of the built-in virtual library (synthetic).")]
    public long? Virtual { get; set; }

    [Option("out", HelpText = "Folder of the store (default runs/data).")]
    public string Out { get; set; } = Path.Combine("runs", "data");

    [Option("kind", Default = MoleculeKind.Smiles, HelpText = "What the input holds: smiles or selfies.")]
    public MoleculeKind Kind { get; set; }

    [Option("column", HelpText = "Column of a .csv (default: the one named smiles or selfies).")]
    public string? Column { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar: 1.0.4 (default, ChemGPT's) or 2.1.")]
    public string? Grammar { get; set; }

    [Option("tokenizer", HelpText = "A tokenizer.json; default: a vocabulary of the corpus's own symbols is built.")]
    public string? Tokenizer { get; set; }

    [Option("min-count", Default = 1L, HelpText = "Leave rarer symbols out of a vocabulary that is built.")]
    public long MinimumCount { get; set; }

    [Option("limit", HelpText = "Stop after this many molecules.")]
    public long? Limit { get; set; }

    [Option("keep-stereo", HelpText = "Keep stereo marks (default: strip them, as ChemGPT's corpus was).")]
    public bool KeepStereo { get; set; }

    [Option("fragments", Default = FragmentRule.Largest, HelpText = "Salts and mixtures: largest, all or refuse.")]
    public FragmentRule Fragments { get; set; }

    [Option("validation", Default = 0.02, HelpText = "Share of molecules held out.")]
    public double Validation { get; set; }

    [Option("seed", HelpText = "Decides split and order.")]
    public long Seed { get; set; }

    [Option("keep-duplicates", HelpText = "Keep exact duplicates (default: drop them).")]
    public bool KeepDuplicates { get; set; }

    [Option("max-tokens", Default = 512, HelpText = "Refuse longer molecules, [CLS] and [SEP] included.")]
    public int MaximumTokens { get; set; }

    [Option("threads", HelpText = "Threads that encode (default: all cores).")]
    public int? Threads { get; set; }

    [Option("overwrite", HelpText = "Replace a store that is there.")]
    public bool Overwrite { get; set; }

    public override int Run(CancellationToken stop)
    {
        if (Virtual < 1) throw new InputException("--virtual", $"{Virtual}", "1 or more");
        if (Virtual is not null && Molecules.Any()) throw new InputException("--virtual", "given beside --molecules", "one of them");
        if (Virtual is null && !Molecules.Any()) throw new InputException("prepare", "no input", "--molecules FILE... or --virtual N");
        var options = new PreparationOptions
        {
            Files = [.. Molecules],
            Source = Virtual is { } count ? MoleculeStores.VirtualLibrary(count) : null,
            Output = Out,
            Kind = Kind,
            Column = Column,
            Grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar),
            TokenizerFile = Tokenizer,
            MinimumCount = MinimumCount,
            Limit = Limit,
            KeepStereo = KeepStereo,
            Fragments = Fragments,
            ValidationFraction = Validation,
            Seed = Seed,
            KeepDuplicates = KeepDuplicates,
            MaximumTokens = MaximumTokens,
            Threads = Threads ?? Environment.ProcessorCount,
            Overwrite = Overwrite,
        };
        PreparationReport report;
        using (var display = new PreparationDisplay()) report = MoleculePreparation.Run(options, display, stop);
        if (Json) Output.Json(report);
        else PreparationDisplay.Print(report, Out);
        return 0;
    }
}
