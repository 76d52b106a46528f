using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using CommandLine;

namespace ChemScale.Cli;

[Verb("study", HelpText = "The whole way, for ChemGPT and for force fields: data, training performance estimation, a grid of models and data sizes, "
    + "fitted power laws, one report.")]
internal sealed class StudyVerb : Verb
{
    [Option("families", Separator = ',', Default = new[] { "chemgpt", "painn" }, HelpText = "A part of the study each: chemgpt, schnet, painn, spookynet, allegro.")]
    public IEnumerable<string> Families { get; set; } = [];

    [Option("frames", HelpText = "Files of labelled frames for the force fields; default: the GFN2-xTB frames that come with the program.")]
    [Key("source.frames")]
    public IEnumerable<string> Frames { get; set; } = [];

    [Option("units", HelpText = "Unit of the energies in --frames, where the files do not say: eV, kcal/mol, kJ/mol or Hartree.")]
    [Key("source.units")]
    public string? Units { get; set; }

    [Option("shapes", Separator = ',', HelpText = "Force fields of the grid, interactions x features: 1x16,2x32,3x64.")]
    public IEnumerable<string> Shapes { get; set; } = [];

    [Option("frame-subsets", Separator = ',', HelpText = "Data sizes of the force fields' grid, in frames.")]
    public IEnumerable<long> FrameSubsets { get; set; } = [];

    [Option("frame-rates", Separator = ',', HelpText = "Learning rates of the force fields' search.")]
    public IEnumerable<double> FrameRates { get; set; } = [];

    [Option("frame-batches", Separator = ',', HelpText = "Batch sizes of the force fields' search.")]
    public IEnumerable<int> FrameBatches { get; set; } = [];

    [Option("frames-seen", HelpText = "Cap on the frames that a point of the force fields' grid sees, repeats included.")]
    public long? FramesSeen { get; set; }

    [Option("molecules", HelpText = "Files of molecules; default: the built-in virtual library (synthetic).")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("limit", HelpText = "Molecules taken (default 10,000; 20,000 with --molecules).")]
    [Key("source.limit")]
    public long? Limit { get; set; }

    [Option("out", HelpText = "Folder of the study (default runs/study-TIME); an interrupted study goes on there.")]
    public string? Out { get; set; }

    [Option("grammar", Default = "1.0.4", HelpText = "SELFIES grammar: 1.0.4 or 2.1.")]
    public string Grammar { get; set; } = "1.0.4";

    [Option("tokenizer", HelpText = "A tokenizer.json; default: the corpus's own symbols.")]
    public string? Tokenizer { get; set; }

    [Option("layers", HelpText = "Layers of every ChemGPT.")]
    public int? Layers { get; set; }

    [Option("widths", Separator = ',', HelpText = "Widths of ChemGPT's grid.")]
    public IEnumerable<int> Widths { get; set; } = [];

    [Option("subsets", Separator = ',', HelpText = "Data sizes of ChemGPT's grid, in molecules.")]
    public IEnumerable<long> Subsets { get; set; } = [];

    [Option("rates", Separator = ',', HelpText = "Learning rates of ChemGPT's search.")]
    public IEnumerable<double> Rates { get; set; } = [];

    [Option("batches", Separator = ',', HelpText = "Batch sizes of ChemGPT's search.")]
    public IEnumerable<int> Batches { get; set; } = [];

    [Option("search-epochs", HelpText = "Epochs of a full run of the searches.")]
    public int? SearchEpochs { get; set; }

    [Option("probe-epochs", HelpText = "Epochs of a probe.")]
    public int? ProbeEpochs { get; set; }

    [Option("seen", HelpText = "Cap on the molecules that a point of the grid sees, repeats included.")]
    public long? Seen { get; set; }

    [Option("no-validate", HelpText = "Do not finish the configurations that the search stopped.")]
    public bool NoValidate { get; set; }

    [Option("parallel", HelpText = "Runs side by side (default: one for each thread that is ours: see doctor).")]
    public int Parallel { get; set; }

    [Option("seed", HelpText = "Default 42.")]
    public long? Seed { get; set; }

    public override int Run(CancellationToken stop)
    {
        var plan = new StudyPlan { Parts = [.. Families.Select(Part)], Parallel = Parallel, Notes = Notes };
        string directory = Out ?? Path.Combine("runs", $"study-{DateTime.Now:yyyyMMdd-HHmmss}");
        using var display = new StudyDisplay();
        StudySummary summary = Study.Run(plan, directory, "chemscale " + string.Join(' ', Environment.GetCommandLineArgs().Skip(1)), display.Observer, stop);
        display.Close();
        if (Json) Output.Json(summary);
        else Print(summary, directory);
        return 0;
    }

    private StudyPartPlan Part(string name)
    {
        ModelFamily family = ModelFamily.Named(name, "families");
        var source = new DataSource
        {
            Molecules = [.. Molecules],
            Grammar = SelfiesGrammars.Parse(Grammar),
            Tokenizer = Tokenizer,
            Limit = Limit,
            Frames = [.. Frames],
            Units = Units is null ? null : EnergyUnit.Parse(Units, "units"),
        };
        var plan = StudyPartPlan.Of(family, source);
        // Two groups of options: one for each kind of data.
        bool frames = plan.DocumentName == "frames";
        IEnumerable<ModelShape> shapes = frames ? Shapes.Select(shape => ModelShape.Parse(shape, "shapes")) : Widths.Select(width => new ModelShape(null, width));
        return plan with
        {
            Outline = !frames && Layers is { } layers ? ExperimentKeys.With(plan.Outline, [("model.layers", $"{layers}")], "layers") : plan.Outline,
            Shapes = Or(shapes, plan.Shapes),
            Subsets = Or(frames ? FrameSubsets : Subsets, plan.Subsets),
            LearningRates = Or(frames ? FrameRates : Rates, plan.LearningRates),
            BatchSizes = Or(frames ? FrameBatches : Batches, plan.BatchSizes),
            SearchEpochs = SearchEpochs ?? plan.SearchEpochs,
            ProbeEpochs = ProbeEpochs ?? plan.ProbeEpochs,
            MaximumSeen = (frames ? FramesSeen : Seen) ?? plan.MaximumSeen,
            ValidateSearch = !NoValidate,
            Seed = Seed ?? plan.Seed,
        };
    }

    private static IReadOnlyList<T> Or<T>(IEnumerable<T> given, IReadOnlyList<T> otherwise) => given.Any() ? [.. given] : otherwise;

    /// <summary>Commands that go on from a part.</summary>
    private static IReadOnlyList<CommandNote> Notes(StudyPartPlan plan, string directory, string store)
    {
        string table = Path.Combine(directory, "points.csv"), run = Path.Combine(directory, "grid", "<run>");
        return
        [
            new("The learning curves, in any tool that reads Lightning's metrics.csv", $"ls {Path.Combine(directory, "grid")}/*/metrics.csv"),
            new("One fit again, from the table of points", $"chemscale fit {table} --n parameters --d items --c compute --loss loss --resource parameters"),
            new("A longer training on the same data", $"chemscale train --model {plan.Name} --data {store} --epochs 100 --out runs/longer"),
            plan.DocumentName == "frames"
                ? new("Forces of frames of your own", $"chemscale predict --run {run} --frames FILE --out predicted.extxyz")
                : new("Molecules from a model of the grid", $"chemscale generate --run {run} --count 20"),
        ];
    }

    private static void Print(StudySummary summary, string directory)
    {
        foreach (StudyPart part in summary.Parts)
        {
            SelectionSummary selection = part.Selection;
            Console.WriteLine($"{part.Family}{(part.Data.Synthetic ? " (SYNTHETIC molecules)" : "")}: TPE R2 {selection.R2:F3}, Spearman rho {selection.Spearman:F3}, "
                + $"compute saved {selection.ComputeSaved:P0}");
            foreach (FitSummary fit in part.Grid.Fits.Where(f => f.Form == "power-law" && !f.WithoutStillFalling))
            {
                Console.WriteLine($"  L = {fit.Alpha:G4} {fit.Resource}^-{fit.Beta:F4} [{fit.BetaLow:F4}, {fit.BetaHigh:F4}] at {fit.Held}, R2 {fit.R2:F3}"
                    + (fit.Caution.Length > 0 ? $" ({fit.Caution})" : ""));
            }
            foreach (string caution in part.Grid.Cautions) Console.WriteLine("  caution: " + caution);
        }
        Console.WriteLine($"{Path.Combine(directory, "report.html")} and summary.json, after {summary.Seconds:F0} s");
    }
}
