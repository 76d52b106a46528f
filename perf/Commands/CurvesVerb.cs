using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using CommandLine;

namespace ChemScale.Perf.Commands;

/// <summary>
/// Trains the searches that estimators are compared on: every configuration to its end, a branch cooled at the end of the probe, another
/// at the end of the run. An interrupted recording goes on.
/// </summary>
[Verb("curves", HelpText = "Record the loss curves that `perf estimators` compares estimators on.")]
internal sealed class CurvesVerb : Verb
{
    private const int Epochs = 50;

    /// <summary>Epochs of the trunk, and of the cooling: a probe of a fifth, and the whole run.</summary>
    private static readonly (int At, int Over)[] Branches = [(8, 2), (40, 10)];

    [Option("set", Required = true, HelpText = "chemgpt32, chemgpt128 (500 molecules) or painn (100 frames).")]
    public string Set { get; set; } = "";

    [Option("data", Required = true, HelpText = "File of molecules, or of frames in kcal/mol.")]
    public string Data { get; set; } = "";

    [Option("seeds", Separator = ',', Default = new long[] { 42, 43, 44 }, HelpText = "Of weights and order. The data are the same.")]
    public IEnumerable<long> Seeds { get; set; } = [];

    [Option("out", Required = true, HelpText = "Folder of the runs.")]
    public string Out { get; set; } = "";

    [Option("csv", Required = true, HelpText = "Receives the curves of all seeds that are complete.")]
    public string Csv { get; set; } = "";

    public override int Run(string[] arguments)
    {
        Experiment basis = Basis();
        var lines = new List<string> { "seed,learning_rate,batch,branch,epoch,train_loss,val_loss" };
        foreach (long seed in Seeds)
        {
            foreach (Configuration configuration in Space().Configurations) lines.AddRange(Record(basis with { Seed = seed }, configuration));
            DiskStorage.Shared.WriteAtomically(Path.GetFullPath(Csv), string.Concat(lines.Select(line => line + "\n")));
            Console.WriteLine($"{Set}, seed {seed}: {Csv}");
        }
        return 0;
    }

    private Experiment Basis() => new TrainingRequest
    {
        Family = IsPaiNN ? "painn" : "chemgpt",
        Source = IsPaiNN ? new DataSource { Frames = [Data], Units = EnergyUnit.Parse("kcal/mol", "units") } : new DataSource { Molecules = [Data] },
        Settings = IsPaiNN
            ? new Dictionary<string, object> { ["data.subset"] = 100L, ["data.validation"] = 50L, ["training.epochs"] = Epochs, ["training.threads"] = 1 }
            : new Dictionary<string, object>
            {
                ["data.subset"] = 500L,
                ["data.validation"] = 150L,
                ["training.epochs"] = Epochs,
                ["training.threads"] = 1,
                ["model.layers"] = 4,
                ["model.width"] = Set == "chemgpt32" ? 32 : 128,
                ["model.heads"] = Set == "chemgpt32" ? 4 : 16,
            },
    }.Build(Path.Combine(Out, Set));

    private bool IsPaiNN => Set switch
    {
        "painn" => true,
        "chemgpt32" or "chemgpt128" => false,
        _ => throw new InputException("--set", $"'{Set}'", "chemgpt32, chemgpt128 or painn"),
    };

    private SearchSpace Space() => IsPaiNN ? SearchSpace.Grid([5e-5, 3e-4, 1e-3, 3e-3], [1, 4, 8]) : SearchSpace.Grid([5e-5, 3e-4, 1e-3, 4e-3], [8, 16, 32]);

    private IEnumerable<string> Record(Experiment basis, Configuration configuration)
    {
        Experiment experiment = basis with { Training = basis.Training with { LearningRate = configuration.LearningRate, BatchSize = configuration.BatchSize } };
        long epoch = TrainingTasks.StepsPerEpoch(experiment);
        // The last epoch's weights, on average.
        experiment = experiment with { Training = experiment.Training with { EmaDecay = Math.Round(1 - 1.0 / Math.Max(10, epoch), 4) } };
        string folder = Path.GetFullPath(Path.Combine(Out, Set, $"seed-{basis.Seed}"));
        var trunk = new PlannedRun(configuration.Name, experiment, Path.Combine(folder, configuration.Name));
        var runner = new LocalRunner { ThreadsPerRun = 1, Warn = Console.Error.WriteLine };
        var lines = new List<string>();
        string start = string.Create(CultureInfo.InvariantCulture, $"{basis.Seed},{configuration.LearningRate:G6},{configuration.BatchSize},");
        foreach ((int at, int over) in Branches)
        {
            PlannedRun branch = Branch(trunk, epoch, at, over);
            if (!new RunDirectory(branch.Directory).IsDone)
            {
                if (runner.Run([trunk], _ => at * epoch)[0].Diverged is not null) break;
                runner.Run([branch]);
            }
            lines.AddRange(Rows(branch, epoch, at, 2).Select(row => $"{start}{at}+{over},{row}"));
        }
        runner.Run([trunk]);
        return [.. Rows(trunk, epoch, 0, 1).Select(row => $"{start},{row}"), .. lines];
    }

    private static PlannedRun Branch(PlannedRun trunk, long epoch, int at, int over)
    {
        TrainingSpec training = trunk.Experiment.Training;
        Experiment cooled = trunk.Experiment with
        {
            Training = training with
            {
                Epochs = null,
                Steps = (at + over) * epoch,
                EmaDecay = null,
                Schedule = new ScheduleSpec { Kind = ScheduleKind.Cooldown, WarmupSteps = training.Schedule.WarmupSteps, Cooldown = over / (double)(at + over) },
            },
        };
        return new PlannedRun($"{trunk.Name}-{at}", cooled, $"{trunk.Directory}-cooled-{at}") { Trunk = trunk.Directory };
    }

    /// <summary>Means of parts of an epoch, and the validation loss at their end.</summary>
    private static IEnumerable<string> Rows(PlannedRun run, long epoch, int from, int parts)
    {
        var curve = LossCurve.ReadCsv(new RunDirectory(run.Directory).MetricsCsvPath, name: run.Name);
        for (int k = from * parts; k * epoch / parts < curve.Steps.Count; k++)
        {
            long first = k * epoch / parts, end = Math.Min(curve.Steps.Count, (k + 1) * epoch / parts);
            double loss = curve.Steps.Skip((int)first).Take((int)(end - first)).Average(s => s.Loss);
            ValidationLoss? validation = curve.Validation.Where(v => v.Step == end - 1).Cast<ValidationLoss?>().LastOrDefault();
            yield return string.Create(CultureInfo.InvariantCulture, $"{(k + 1) / (double)parts},{loss:G6},{validation?.Loss:G6}");
        }
    }
}
