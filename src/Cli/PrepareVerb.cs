using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Families;
using CommandLine;

namespace ChemScale.Cli;

[Verb("prepare", HelpText = "Turn molecules into a token store (clean, write as SELFIES or SMILES, tokenize) or labelled frames into a frame store "
    + "(eV, Angstrom, statistics) that training reads; split by hash.")]
[Example("chemscale prepare --molecules moses.smi.gz --out runs/moses", "Molecules to SELFIES and tokens.")]
[Example("chemscale prepare --frames ethanol.npz --units kcal/mol --validation-frames 50 --out runs/ethanol", "Frames to eV and A, 50 held out.")]
[Example("chemscale prepare --molecules new.smi --against runs/moses --out runs/new", "And how many molecules another store has, too.")]
internal sealed class PrepareVerb : Verb
{
    [OptionGroup("Input")]
    [Option("molecules", HelpText = "Files: .smi or .txt (first field of each line), .csv or .tsv (a column); each possibly .gz.")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("virtual", HelpText = "Instead of files: this many molecules of the built-in virtual library (synthetic).")]
    public long? Virtual { get; set; }

    [OptionGroup("Frames")]
    [Option("frames", HelpText = "Instead of molecules: frames of atoms with energies and forces (.xyz, .extxyz, .npz, .h5, .hdf5, .db).")]
    public IEnumerable<string> Frames { get; set; } = [];

    [Option("units", HelpText = "Unit of the frames' energies: eV, kcal/mol, kJ/mol, Hartree; forces are in that per length. Needed where the file does not say.")]
    public string? Units { get; set; }

    [Option("length-units", HelpText = "Unit of the frames' positions: Angstrom (default), Bohr or nm.")]
    public string? LengthUnits { get; set; }

    [Option("forces-are-gradients", HelpText = "The files' forces have the opposite sign, as in COMP6.")]
    public bool ForcesAreGradients { get; set; }

    [Option("energy-key", HelpText = "Name of the energies in the files (default: the first of the usual ones).")]
    public string? EnergyKey { get; set; }

    [Option("forces-key", HelpText = "Name of the forces in the files.")]
    public string? ForcesKey { get; set; }

    [Option("stress-key", HelpText = "Name of the stresses in the files.")]
    public string? StressKey { get; set; }

    [Option("missing", Default = MissingLabels.Refuse, HelpText = "Frames without energy or forces: refuse, drop or keep.")]
    public MissingLabels Missing { get; set; }

    [Option("validation-frames", HelpText = "Hold out exactly this many frames, drawn by hash.")]
    public long? ValidationFrames { get; set; }

    [Option("validation-files", HelpText = "Hold out the frames of these files.")]
    public IEnumerable<string> ValidationFiles { get; set; } = [];

    [Option("split-file", HelpText = "An .npz with train_idx and val_idx over the frames, as schnetpack writes.")]
    public string? SplitFile { get; set; }

    [OptionGroup("Store")]
    [Option("out", HelpText = "Folder of the store (default runs/data).")]
    public string Out { get; set; } = Path.Combine("runs", "data");

    [OptionGroup("Molecules")]
    [Option("kind", Default = MoleculeKind.Smiles, HelpText = "What the input holds: smiles or selfies.")]
    public MoleculeKind Kind { get; set; }

    [Option("column", HelpText = "Column of a .csv (default: the one named smiles or selfies).")]
    public string? Column { get; set; }

    [Option("representation", HelpText = "What molecules are stored as: selfies (default), or smiles, a token an atom, a bond, a parenthesis or a ring label. "
        + "Both are of the text that is given, so that nats per molecule can be compared.")]
    public Representation? Representation { get; set; }

    [Option("canonical", HelpText = "Write every molecule one way first, whatever the input has (default: as given, cleaned).")]
    public bool Canonical { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar: 1.0.4 (default, ChemGPT's), 2.1 or 2.2.")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge, {\"C\": 4, \"N+1\": 4, \"?\": 8}, kept in the store (default: the tokenizer's, else the grammar's).")]
    public string? Constraints { get; set; }

    [Option("split", HelpText = "By what molecules fall on the validation side: molecule (default; all ways of writing one fall together), scaffold (Murcko's) or text (as version 0.3).")]
    public SplitKind? Split { get; set; }

    [Option("against", HelpText = "Another store: count the molecules that both hold, by side. Without input: of the store in --out.")]
    public string? Against { get; set; }

    [Option("tokenizer", HelpText = "A tokenizer.json; default: a vocabulary of the corpus's own symbols is built.")]
    public string? Tokenizer { get; set; }

    [Option("min-count", Default = 1L, HelpText = "Leave rarer symbols out of a vocabulary that is built.")]
    public long MinimumCount { get; set; }

    [OptionGroup("Store")]
    [Option("limit", HelpText = "Stop after this many molecules, or training frames.")]
    public long? Limit { get; set; }

    [OptionGroup("Frames")]
    [Option("strict", HelpText = "Refuse frames that would be warned of.")]
    public bool Strict { get; set; }

    [OptionGroup("Molecules")]
    [Option("keep-stereo", HelpText = "Keep stereo marks (default: strip them, as ChemGPT's corpus was).")]
    public bool KeepStereo { get; set; }

    [Option("fragments", Default = FragmentRule.Largest, HelpText = "Salts and mixtures: largest, all or refuse.")]
    public FragmentRule Fragments { get; set; }

    [OptionGroup("Store")]
    [Option("validation", HelpText = "Share held out (default 0.02 of molecules, 0.1 of frames).")]
    public double? Validation { get; set; }

    [Option("seed", HelpText = "Decides split and order.")]
    public long Seed { get; set; }

    [Option("keep-duplicates", HelpText = "Keep further copies of a molecule (default: drop them).")]
    public bool KeepDuplicates { get; set; }

    [Option("max-tokens", Default = 512, HelpText = "Refuse longer molecules, [CLS] and [SEP] included.")]
    public int MaximumTokens { get; set; }

    [Option("threads", HelpText = "Threads that encode (default: as many as are ours: see doctor).")]
    public int? Threads { get; set; }

    [Option("overwrite", HelpText = "Replace a store that is there.")]
    public bool Overwrite { get; set; }

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        if (Frames.Any()) return RunFrames(stop);
        if (Against is not null && Virtual is null && !Molecules.Any()) return Compare(stop);
        if (Virtual < 1) throw new InputException("--virtual", $"{Virtual}", "1 or more");
        if (Virtual is not null && Molecules.Any()) throw new InputException("--virtual", "given beside --molecules", "one of them");
        if (Virtual is null && !Molecules.Any()) throw new InputException("prepare", "no input", "--molecules FILE..., --frames FILE... or --virtual N");
        RequireNone("--frames", ("--units", Units is not null), ("--length-units", LengthUnits is not null), ("--forces-are-gradients", ForcesAreGradients),
            ("--energy-key", EnergyKey is not null), ("--forces-key", ForcesKey is not null), ("--stress-key", StressKey is not null), ("--strict", Strict),
            ("--missing", Missing != MissingLabels.Refuse), ("--validation-frames", ValidationFrames is not null), ("--validation-files", ValidationFiles.Any()),
            ("--split-file", SplitFile is not null));
        var options = new PreparationOptions
        {
            Files = [.. Molecules],
            Source = Virtual is { } count ? MoleculeStores.VirtualLibrary(count) : null,
            Output = Out,
            Kind = Kind,
            Column = Column,
            Representation = Representation,
            Canonical = Canonical,
            Grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar),
            Constraints = Constraints is null ? null : BondConstraints.Read(Constraints),
            Split = Split,
            TokenizerFile = Tokenizer,
            MinimumCount = MinimumCount,
            Limit = Limit,
            KeepStereo = KeepStereo,
            Fragments = Fragments,
            ValidationFraction = Validation ?? 0.02,
            Seed = Seed,
            KeepDuplicates = KeepDuplicates,
            MaximumTokens = MaximumTokens,
            Threads = Threads ?? ProcessorBudget.Count,
            Overwrite = Overwrite,
        };
        using TokenStore? other = Against is null ? null : TokenStore.Open(Against, stop);
        PreparationReport report;
        using (var display = new PreparationDisplay()) report = MoleculePreparation.Run(options, display, stop);
        if (other is not null)
        {
            using TokenStore store = TokenStore.Open(Out, stop);
            report = report with { Leakage = StoreLeakage.Between(store, other, options.Threads, stop) };
        }
        if (Json) Output.Json(report);
        else PreparationDisplay.Print(report, Out);
        return 0;
    }

    private int Compare(CancellationToken stop)
    {
        using TokenStore store = TokenStore.Open(Out, stop), other = TokenStore.Open(Against!, stop);
        StoreLeakage leakage = StoreLeakage.Between(store, other, Threads ?? ProcessorBudget.Count, stop);
        if (Json) Output.Json(leakage);
        else PreparationDisplay.Print(leakage, store.Manifest.Train.Documents, store.Manifest.Validation.Documents, Out);
        return 0;
    }

    /// <exception cref="InputException">An option that says nothing to what is prepared.</exception>
    private static void RequireNone(string input, params ReadOnlySpan<(string Option, bool Given)> options)
    {
        foreach ((string option, bool given) in options)
            if (given) throw new InputException(option, $"given without {input}", $"{input}, which it is for");
    }

    private int RunFrames(CancellationToken stop)
    {
        if (Virtual is not null || Molecules.Any()) throw new InputException("--frames", "given beside --molecules or --virtual", "one of them");
        RequireNone("--molecules", ("--column", Column is not null), ("--grammar", Grammar is not null), ("--tokenizer", Tokenizer is not null), ("--keep-stereo", KeepStereo),
            ("--representation", Representation is not null), ("--canonical", Canonical),
            ("--constraints", Constraints is not null), ("--split", Split is not null), ("--against", Against is not null),
            ("--keep-duplicates", KeepDuplicates), ("--kind", Kind != MoleculeKind.Smiles), ("--min-count", MinimumCount != 1), ("--fragments", Fragments != FragmentRule.Largest),
            ("--max-tokens", MaximumTokens != 512));
        if (Validation is not null && (ValidationFrames is not null || ValidationFiles.Any() || SplitFile is not null))
            throw new InputException("--validation", "given beside another way to hold frames out", "one of them");
        var options = new FramePreparation
        {
            Files = [.. Frames],
            Output = Out,
            Energy = Units is null ? null : EnergyUnit.Parse(Units, "--units"),
            Length = LengthUnits is null ? null : LengthUnit.Parse(LengthUnits, "--length-units"),
            ForcesAreGradients = ForcesAreGradients,
            EnergyKey = EnergyKey,
            ForcesKey = ForcesKey,
            StressKey = StressKey,
            Missing = Missing,
            ValidationFraction = Validation ?? 0.1,
            ValidationFrames = ValidationFrames,
            ValidationFiles = [.. ValidationFiles],
            SplitFile = SplitFile,
            Limit = Limit,
            Strict = Strict,
            Seed = Seed,
            Overwrite = Overwrite,
        };
        FramePreparationReport report;
        using (var display = new PreparationDisplay()) report = FramePreparer.Run(options, display.Report, stop);
        foreach (string warning in report.Warnings) Console.Error.WriteLine("chemscale: warning: " + warning);
        if (Json) Output.Json(report);
        else PreparationDisplay.Print(report, Out);
        return 0;
    }
}

/// <summary>The bar of a preparation in progress, on standard error, and its closing account.</summary>
internal sealed class PreparationDisplay : IProgress<PreparationProgress>, IDisposable
{
    private const int Width = 30;

    private readonly bool live = !Console.IsErrorRedirected;
    private readonly TimeSpan period = Console.IsErrorRedirected ? TimeSpan.FromSeconds(5) : TimeSpan.FromMilliseconds(200);
    private long last = Stopwatch.GetTimestamp();
    private bool open;

    public void Report(PreparationProgress value)
    {
        if (!Due()) return;
        string bar = "";
        if (value.Fraction is { } fraction)
        {
            int filled = (int)(Width * Math.Clamp(fraction, 0, 1));
            bar = $"[{new string('#', filled)}{new string('.', Width - filled)}] {OneLine.Percent(fraction, 0)} ";
        }
        Show($"{bar}{value.Stage}: {value.Molecules:N0} molecules, {value.Refused:N0} refused, {value.MoleculesPerSecond:N0}/s");
    }

    public void Report(FramePreparationProgress value)
    {
        if (Due()) Show($"{value.Stage}: {value.Frames:N0} frames, {value.Elapsed.TotalSeconds:F0} s");
    }

    public void Dispose()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }

    public static void Print(FramePreparationReport report, string folder)
    {
        FrameStoreManifest store = report.Store;
        FrameStatistics statistics = store.Statistics;
        Console.WriteLine($"{folder}: {store.Train.Frames:N0} train, {store.Validation.Frames:N0} validation frames ({store.Split}); eV, Angstrom");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  {string.Join(", ", statistics.Elements.Select(Elements.Symbol))}; {OneLine.Number((double)store.Train.Atoms / store.Train.Frames, 1)} atoms a frame, {OneLine.Number(statistics.NeighborsPerAtom, 1)} neighbours an atom within {statistics.NeighborCutoff} A"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"  energy {OneLine.Number(statistics.MeanEnergyPerAtom, 4)} eV/atom, {OneLine.Number(statistics.EnergyResidual, 4)} eV rms around reference energies of the elements; forces {OneLine.Number(statistics.ForceRms, 4)} eV/A rms"));
        foreach (FrameSource source in store.Sources) Console.WriteLine(
            $"  {source.File}: {source.Frames:N0} frames{(source.Validation ? " (validation)" : "")}; {string.Join("; ", source.Keys)}");
        Console.WriteLine($"  {report.Read:N0} frames read, {report.Duplicates:N0} duplicates ({report.Shared:N0} of validation frames), {report.Unlabelled:N0} without labels, {report.Unassigned:N0} on neither side; {report.Elapsed.TotalSeconds:F1} s");
        if (report.IsolatedAtoms.Count > 0)
        {
            IEnumerable<string> atoms = report.IsolatedAtoms.Select(pair => $"{Elements.Symbol(pair.Key)} {OneLine.Number(pair.Value, 4)}");
            Console.WriteLine($"  isolated atoms, eV: {string.Join(", ", atoms)}; on neither side");
        }
    }

    public static void Print(StoreLeakage leakage, long train, long validation, string folder)
    {
        if (leakage.Caution is { } caution) Console.Error.WriteLine("chemscale: warning: " + caution);
        Console.WriteLine($"{folder} against {leakage.Against}, by molecule:");
        Console.WriteLine($"  of {train:N0} train: {leakage.TrainInTrain:N0} in its train, {leakage.TrainInValidation:N0} in its validation");
        Console.WriteLine($"  of {validation:N0} validation: {leakage.ValidationInTrain:N0} in its train, {leakage.ValidationInValidation:N0} in its validation, "
            + $"{leakage.ValidationInOwnTrain:N0} in its own train");
    }

    public static void Print(PreparationReport report, string folder)
    {
        Console.WriteLine($"{folder}: {report.Molecules:N0} molecules ({report.Store.Train.Documents:N0} train, {report.Store.Validation.Documents:N0} validation)"
            + (report.Store.Synthetic ? ", SYNTHETIC" : ""));
        string notation = report.Store.Representation == Representation.Smiles ? "SMILES" : $"SELFIES {report.Store.Grammar.Name()}";
        Console.WriteLine($"  {report.Tokens:N0} tokens, {OneLine.Number((double)report.Tokens / Math.Max(1, report.Molecules), 1)} a molecule, longest {report.Longest}; "
            + $"vocabulary {report.Store.VocabularySize}, {report.Store.UnknownTokens:N0} unknown; {notation}");
        Console.WriteLine($"  {report.Lines:N0} lines read, {report.Store.Duplicates:N0} duplicates ({(report.Store.Split.Kind == SplitKind.Text ? "by text" : "by molecule")}), {report.RefusedCount:N0} refused; "
            + $"{report.MoleculesPerSecond:N0} molecules/s, peak memory {PeakMemory.Text()}");
        foreach ((string what, RefusedLines lines) in report.Refused.Select(r => ("refused", r)).Concat(report.Changed.Select(r => ("changed", r))))
        {
            Console.WriteLine($"  {what} {lines.Count:N0}: {lines.Reason}");
            foreach (string example in lines.Examples) Console.WriteLine($"    {OneLine.Of(example)}");
        }
        if (report.Leakage is { } leakage) Print(leakage, report.Store.Train.Documents, report.Store.Validation.Documents, folder);
    }

    private bool Due()
    {
        if (Stopwatch.GetElapsedTime(last) < period) return false;
        last = Stopwatch.GetTimestamp();
        return true;
    }

    private void Show(string line)
    {
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }
}
