using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using ChemScale.Engine;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Estimation.Selection;
using ChemScale.Engine.Scaling.Allocation;
using ChemScale.Engine.Scaling.Claims;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Budgets;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("study", HelpText = "The whole way, for ChemGPT and for force fields: data, training performance estimation, a grid of models and data sizes, "
    + "fitted power laws, one report.")]
[Example("chemscale study", "The whole way on the built-in library, in minutes.")]
[Example("chemscale study --flops 1e11,3e11,1e12 --families chemgpt,painn --out runs/budgets", "The best size for each compute budget.")]
[Example("chemscale study --file docs/studies/budgets.yaml --workers 2 --out runs/budgets", "A committed study once more, in two processes.")]
internal sealed partial class StudyVerb : Verb
{
    [OptionGroup("Study")]
    [Option("file", HelpText = "A study as YAML: families, flops, seed; every study writes its own to OUT/study.yaml. Of what the file says, "
        + "--molecules, --tokenizer, --frames, --units and --seed alone override it.")]
    public string? StudyFilePath { get; set; }

    [OptionGroup("Study")]
    [Option("families", Separator = ',', HelpText = "A part of the study each: chemgpt, schnet, painn, spookynet, allegro (default chemgpt,painn).")]
    public IEnumerable<string> Families { get; set; } = [];

    [OptionGroup("Force fields")]
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

    [OptionGroup("ChemGPT")]
    [Option("molecules", HelpText = "Files of molecules; default: the built-in virtual library (synthetic).")]
    [Key("source.molecules")]
    public IEnumerable<string> Molecules { get; set; } = [];

    [Option("limit", HelpText = "Molecules taken (default 10,000; 20,000 with --molecules).")]
    [Key("source.limit")]
    public long? Limit { get; set; }

    [OptionGroup("Study")]
    [Option("out", HelpText = "Folder of the study (default runs/study-TIME); an interrupted study goes on there.")]
    public string? Out { get; set; }

    [OptionGroup("ChemGPT")]
    [Option("representation", HelpText = "What molecules are stored as: selfies (default) or smiles; the report and points.csv have nats per molecule beside nats per token.")]
    [Key("source.representation")]
    public Representation? Representation { get; set; }

    [Option("grammar", HelpText = "SELFIES grammar: 1.0.4 (default), 2.1 or 2.2.")]
    [Key("source.grammar")]
    public string? Grammar { get; set; }

    [Option("constraints", HelpText = "JSON file of bonds by element and charge of what is prepared, {\"C\": 4, \"N+1\": 4, \"?\": 8} (default: the tokenizer's, else the grammar's).")]
    [Key("source.constraints")]
    public string? Constraints { get; set; }

    [Option("tokenizer", HelpText = "A tokenizer.json; default: the corpus's own symbols.")]
    [Key("source.tokenizer")]
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

    [OptionGroup("Study")]
    [Option("search-epochs", HelpText = "Epochs of a full run of the searches.")]
    public int? SearchEpochs { get; set; }

    [Option("probe-epochs", HelpText = "Epochs of a probe.")]
    public int? ProbeEpochs { get; set; }

    [Option("estimator", HelpText = EstimatorText.Ranks)]
    public string? Estimator { get; set; }

    [Option("seen", HelpText = "Cap on the molecules that a point of the grid sees, repeats included.")]
    public long? Seen { get; set; }

    [Option("no-validate", HelpText = "Do not finish the configurations that the search stopped.")]
    public bool NoValidate { get; set; }

    [Option("flops", Separator = ',', HelpText = "Instead of search and grid: compute budgets, in FLOP of a training (1e11,3e11,1e12). Sizes are trained to each "
        + "at rates tuned at the least of them; budgets.html has the best size, its data and its loss for each.")]
    [Key("flops")]
    public IEnumerable<double> Flops { get; set; } = [];

    [Option("parallel", HelpText = "Runs side by side (default: one for each thread that is ours: see doctor).")]
    public int Parallel { get; set; }

    [Option("seed", HelpText = "Default 42.")]
    public long? Seed { get; set; }

    private static readonly string[] UsualFamilies = ["chemgpt", "painn"];

    // What a file leaves to whoever runs it: where its data lie here, the seed, and everything that changes no number.
    private static readonly string[] BesideFile = ["file", "molecules", "tokenizer", "frames", "units", "seed", "out", "json", "parallel", "resubmit", "retry-failed"];

    public override int Run(CancellationToken stop)
    {
        CheckDistribution();
        StudyFile study = StudyFilePath is { } path ? Overridden(StudyFile.Read(path)) : new StudyFile([.. Or(Families, UsualFamilies).Select(Part)], [.. Flops]);
        RefuseIdle(study);
        SayOverridden();
        var plan = new StudyPlan { Parts = study.Parts, Parallel = Parallel, Workers = WorkersOrNull(), Notes = Notes };
        var budgets = new BudgetPlan { Parts = study.Parts, Budgets = study.Budgets, Parallel = Parallel, Workers = plan.Workers };
        if (study.Budgets.Count > 0) budgets.Check();
        else plan.Check();
        string directory = Out ?? Path.Combine("runs", $"study-{DateTime.Now:yyyyMMdd-HHmmss}");
        using var display = new StudyDisplay();
        if (HandOver(study, directory, display, stop) is { } handed) return handed;
        string command = ShellWords.Join(["chemscale", .. Environment.GetCommandLineArgs().Skip(1)]);
        if (study.Budgets.Count > 0)
        {
            BudgetSummary found = BudgetStudy.Run(budgets, directory, command, display.Observer, stop);
            display.Close();
            if (Json) Output.Json(found);
            else Print(found, directory);
            return 0;
        }
        StudySummary summary = Study.Run(plan, directory, command, display.Observer, stop);
        display.Close();
        if (Json) Output.Json(summary);
        else Print(summary, directory);
        return 0;
    }

    /// <summary>Data that lie elsewhere here, or another seed. Everything else is the file's.</summary>
    private StudyFile Overridden(StudyFile study)
    {
        foreach (PropertyInfo property in ArgumentCheck.Declared(typeof(StudyVerb)).Where(p => p.DeclaringType != typeof(IDistributed)))
        {
            if (property.GetCustomAttribute<OptionAttribute>() is not { LongName: var name } || BesideFile.Contains(name)) continue;
            if (property.GetValue(this) is not (null or false) and var value && (value is not IEnumerable many || many.Cast<object>().Any()))
                throw new InputException("--" + name, "given beside --file", "one of them",
                    "the file says what the study is; --molecules, --tokenizer, --frames, --units and --seed override it");
        }
        StudyPartPlan[] parts = [.. study.Parts.Select(part => part with
        {
            Seed = Seed ?? part.Seed,
            Source = part.DocumentName == "frames"
                ? part.Source with { Frames = Or(Frames, part.Source.Frames), Units = Units is null ? part.Source.Units : EnergyUnit.Parse(Units, "units") }
                : part.Source with { Molecules = Or(Molecules, part.Source.Molecules), Tokenizer = Tokenizer ?? part.Source.Tokenizer },
        })];
        return study with { Parts = parts };
    }

    private void SayOverridden()
    {
        if (StudyFilePath is null) return;
        foreach ((string option, bool given) in (ReadOnlySpan<(string, bool)>)[
            ("--molecules", Molecules.Any()), ("--tokenizer", Tokenizer is not null), ("--frames", Frames.Any()), ("--units", Units is not null), ("--seed", Seed is not null)])
            if (given) Console.Error.WriteLine($"{option} overrides {StudyFilePath}");
    }

    /// <summary>Options that say nothing to this study.</summary>
    private void RefuseIdle(StudyFile study)
    {
        foreach ((string option, bool given, string kind) in (ReadOnlySpan<(string, bool, string)>)[
            ("--molecules", Molecules.Any(), "molecules"), ("--limit", Limit is not null, "molecules"),
            ("--representation", Representation is not null, "molecules"), ("--grammar", Grammar is not null, "molecules"),
            ("--constraints", Constraints is not null, "molecules"),
            ("--tokenizer", Tokenizer is not null, "molecules"), ("--layers", Layers is not null, "molecules"), ("--widths", Widths.Any(), "molecules"),
            ("--subsets", Subsets.Any(), "molecules"), ("--rates", Rates.Any(), "molecules"), ("--batches", Batches.Any(), "molecules"), ("--seen", Seen is not null, "molecules"),
            ("--frames", Frames.Any(), "frames"), ("--units", Units is not null, "frames"), ("--shapes", Shapes.Any(), "frames"), ("--frame-subsets", FrameSubsets.Any(), "frames"),
            ("--frame-rates", FrameRates.Any(), "frames"), ("--frame-batches", FrameBatches.Any(), "frames"), ("--frames-seen", FramesSeen is not null, "frames")])
            if (given && study.Parts.All(p => p.DocumentName != kind)) throw new InputException(option, $"given for a study without {kind}", "a family that is trained on them");
        if (study.Budgets.Count == 0) return;
        (string Name, bool Given)[] idle =
        [
            ("--subsets", Subsets.Any()), ("--frame-subsets", FrameSubsets.Any()), ("--search-epochs", SearchEpochs is not null), ("--probe-epochs", ProbeEpochs is not null),
            ("--seen", Seen is not null), ("--frames-seen", FramesSeen is not null), ("--no-validate", NoValidate), ("--estimator", Estimator is not null),
            ("--batches", Batches.Skip(1).Any()), ("--frame-batches", FrameBatches.Skip(1).Any()),
        ];
        if (idle.FirstOrDefault(o => o.Given) is { Name: { } name })
        {
            throw new InputException(name, "given beside --flops",
                name.EndsWith("batches", StringComparison.Ordinal) ? "one batch size" : "nothing: budgets alone say how long a training is");
        }
    }

    private static void Print(BudgetSummary summary, string directory)
    {
        foreach (BudgetPart part in summary.Parts)
        {
            Console.WriteLine($"{part.Family}{(part.Data.Synthetic ? " (SYNTHETIC molecules)" : "")}");
            foreach (IsoFlopMinimum m in part.Minima)
            {
                Console.WriteLine($"  C = {m.Compute:G3}: " + (m.Problem ?? $"N = {m.Parameters:G3} [{m.ParametersInterval?.Low?.ToString("G3") ?? "-"}, "
                    + $"{m.ParametersInterval?.High?.ToString("G3") ?? "-"}], D = {m.Data:G3} {part.ItemName}, loss {m.Loss:G4}"));
            }
            foreach (Claim claim in (Claim[])[part.Loss, part.Parameters, part.Items]) Console.WriteLine("  " + claim.Words);
            foreach (string caution in part.Cautions) Console.WriteLine("  caution: " + caution);
        }
        Console.WriteLine($"{Path.Combine(directory, "budgets.html")}, after {summary.Seconds:F0} s");
    }

    private StudyPartPlan Part(string name)
    {
        ModelFamily family = ModelFamily.Named(name, "families");
        bool frames = family.Data.DocumentName == "frames";
        DataSource source = frames
            ? new DataSource { Frames = [.. Frames], Units = Units is null ? null : EnergyUnit.Parse(Units, "units") }
            : new DataSource
            {
                Molecules = [.. Molecules],
                Representation = Representation,
                Grammar = Grammar is null ? null : SelfiesGrammars.Parse(Grammar),
                Constraints = Constraints is null ? null : BondConstraints.Read(Constraints),
                Tokenizer = Tokenizer,
                Limit = Limit,
            };
        StudyPartPlan plan = Flops.Any() ? StudyPartPlan.ForBudgets(family, source) : StudyPartPlan.Of(family, source);
        // Two groups of options: one for each kind of data.
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
            Estimator = Estimator is null ? plan.Estimator : ProbeEstimators.Parse(Estimator, "--estimator"),
            Seed = Seed ?? plan.Seed,
        };
    }

    private static IReadOnlyList<T> Or<T>(IEnumerable<T> given, IReadOnlyList<T> otherwise) => given.Any() ? [.. given] : otherwise;

    /// <summary>Commands that go on from a part: of its claims and of the experiment that was chosen.</summary>
    private static IReadOnlyList<CommandNote> Notes(FinishedPart part)
    {
        var notes = new List<CommandNote>();
        foreach ((string resource, string series, string what) in ((string, string, string)[])
            [(ResourceNames.Parameters, "items", "The laws in model size again, one for each data size"),
                (ResourceNames.Items, "parameters", "The laws in data size again, one for each model")])
        {
            if (part.Carries(resource))
                notes.Add(new(what, Fit(part, "--resource", resource == ResourceNames.Items ? "data" : resource, "--by", series)));
        }
        if (part.Carries(ResourceNames.Compute)) notes.Add(new("The law along the compute frontier again", Fit(part, "--resource", "compute", "--frontier")));
        notes.Add(new("The curves of the search, for every estimator and pruner",
            ShellWords.Join(["chemscale", "estimate", Path.Combine(part.Directory, "tpe"), "--probe-epochs", $"{part.Plan.ProbeEpochs}",
                .. part.Part.Selection.Estimator is "annealed" or "annealed-validation" ? (string[])[] : ["--estimator", part.Part.Selection.Estimator]])));
        if (part.BestRun is not { } run) return notes;
        // Its experiment holds the chosen rate and batch, its own shape, its data.
        long steps = 4 * (ExperimentOf(run).Training.Steps ?? 1000);
        notes.Add(new("The best model of the grid, trained four times as long at most", ShellWords.Join("chemscale", "train", "--experiment",
            Path.Combine(run, "experiment.yaml"), "--steps", $"{steps}", "--out", Path.Combine(part.Directory, "longer"))));
        notes.Add(part.Frames is { } frames
            ? new("Energies and forces of frames, by the best model of the grid", ShellWords.Join("chemscale", "predict", "--run", run, "--frames", frames, "--limit", "10",
                "--out", Path.Combine(part.Directory, "predicted.extxyz")))
            : new("Molecules from the best model of the grid",
                ShellWords.Join("chemscale", "generate", "--run", run, "--count", "20", "--out", Path.Combine(part.Directory, "generated"))));
        return notes;
    }

    private static string Fit(FinishedPart part, params string[] rest) => ShellWords.Join(
        ["chemscale", "fit", part.Points, "--n", "parameters", "--d", "items", "--c", "compute", "--loss", "loss", "--name", "name", "--bootstrap", "0", .. rest]);

    private static Experiment ExperimentOf(string run) => new RunDirectory(run).ReadExperiment();

    private static void Print(StudySummary summary, string directory)
    {
        foreach (StudyPart part in summary.Parts)
        {
            SelectionSummary selection = part.Selection;
            Console.WriteLine($"{part.Family}{(part.Data.Synthetic ? " (SYNTHETIC molecules)" : "")}: TPE R2 {SelectionTable.Number(selection.R2)}, "
                + $"Spearman rho {SelectionTable.Number(selection.Spearman)}, {OneLine.Percent(selection.ComputeSaved, 0)} of the training steps saved");
            foreach (string caution in selection.Cautions) Console.WriteLine("  caution: " + caution);
            foreach (FitSummary fit in part.Grid.Fits.Where(f => f.IsPlain)) Console.WriteLine($"  {fit.Claim.GradeName}: {fit.Claim.Words}");
            foreach (string caution in part.Grid.Cautions) Console.WriteLine("  caution: " + caution);
        }
        Console.WriteLine($"{Path.Combine(directory, "report.html")} and summary.json, after {summary.Seconds:F0} s");
    }
}

/// <summary>Words as a shell takes them for the same words.</summary>
internal static partial class ShellWords
{
    public static string Join(params IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    private static string Quoted(string word) => Plain().IsMatch(word) ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    [GeneratedRegex(@"^[\w./=,:+@%-]+$")]
    private static partial Regex Plain();
}
