using System.Globalization;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Grid;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Parts;

/// <summary>A force field on frames; capacity is depth times width.</summary>
public sealed record ForceFieldPartPlan : StudyPartPlan
{
    private readonly ModelFamily family = Known("painn");

    /// <summary>painn, schnet, spookynet or allegro.</summary>
    /// <exception cref="InputException">No force field.</exception>
    public override string Name => family.Name;

    /// <inheritdoc cref="Name"/>
    public string Model { init => family = Known(value); }

    /// <summary>Files of labelled frames; none: the data set that comes with the program.</summary>
    public IReadOnlyList<string> Frames { get; init; } = [];

    /// <summary>Unit of the files' energies, where they do not say it.</summary>
    public EnergyUnit? Energy { get; init; }

    public Shape SearchShape { get; init; } = new(2, 32);

    public IReadOnlyList<Shape> Shapes { get; init; } = [new(1, 16), new(2, 32), new(3, 64)];

    public override string Family => ((ForceFieldConfig)Activator.CreateInstance(family.ConfigType)!).Title;

    public override string LossUnit => "0.05 eV² + 0.95 (eV/A)²";

    public override string ItemName => "frames";

    public override string DocumentName => "frames";

    /// <summary>Learning rate 1e-3, batches of 10: PaiNN's published setting.</summary>
    public override Configuration Default => new(1e-3, 10);

    public override GridModel SearchModel => Of(SearchShape);

    public override IReadOnlyList<GridModel> Models => [.. Shapes.Select(Of).OrderBy(m => m.Parameters)];

    /// <summary>About a minute and a quarter on two cores.</summary>
    public static ForceFieldPartPlan Quick { get; } = new()
    {
        Validation = 100,
        SearchDocuments = 200,
        LearningRates = [3e-4, 1e-3, 3e-3],
        BatchSizes = [4, 8, 16],
        SearchEpochs = 8,
        Subsets = [30, 100, 300],
        MaximumSeen = 2500,
    };

    /// <summary>About half an hour on two cores, on a thousand frames or more.</summary>
    public static ForceFieldPartPlan Standard { get; } = Quick with
    {
        Validation = 200,
        SearchDocuments = 200,
        SearchEpochs = 20,
        ProbeEpochs = 4,
        Shapes = [new(1, 16), new(2, 32), new(3, 64), new(3, 128)],
        Subsets = [50, 150, 450, 900],
        MaximumSeen = 10_000,
    };

    /// <inheritdoc/>
    public override DataFacts Prepare(string folder, StudyObserver observer, CancellationToken stop)
    {
        observer.Begin($"preparing {(Frames.Count == 0 ? "the frames that come with the program" : string.Join(", ", Frames))}");
        var options = new FramePreparation { Files = Frames, Output = folder, Energy = Energy, ValidationFraction = 0.1, Seed = Seed };
        FramePreparationReport? report = Frames.Count == 0 ? FrameStores.EnsureEmbedded(options, null, stop) : FrameStores.Ensure(options, null, stop);
        return FrameFacts.Of(folder, report);
    }

    /// <inheritdoc/>
    public override Experiment Basis(string store)
    {
        Experiment defaults = ForceFieldDefaults.Experiment(family);
        return defaults with
        {
            Model = ModelSpec.Of(FrameStores.Fitted((ForceFieldConfig)SearchModel.Config, store)),
            Data = FrameStores.Describe(new DataSpec { Store = store, Validation = Validation }),
            Training = defaults.Training with
            {
                Schedule = new ScheduleSpec { WarmupSteps = 20 },
                ClipNorm = 10,
                // What is validated is then smooth although the rate does not fall.
                EmaDecay = 0.99,
                Threads = 1,
                CheckpointInterval = Interval.Minutes(2),
                KeepBest = false,
            },
            Seed = Seed,
        };
    }

    /// <summary>For the elements that the store turned out to have.</summary>
    public override object Fitted(GridModel model, Experiment basis) => FrameStores.Fitted((ForceFieldConfig)model.Config, basis.Data.Store);

    /// <inheritdoc/>
    public override IEnumerable<string> Cautions =>
    [
        "C = 6 N S counts frames seen. Weights are used once for every atom and edge, and again to differentiate forces: the true cost is a "
            + "constant factor more on frames of one kind, which leaves the exponent as it is.",
    ];

    /// <inheritdoc/>
    public override IEnumerable<CommandNote> Commands(string directory, string store) =>
    [
        new("A longer training on the same data", $"chemscale train --model {Name} --data {store} --epochs 100 --out runs/longer"),
        new("Forces of frames of your own", $"chemscale predict --run {Path.Combine(directory, "grid", "<run>")} --frames FILE --out predicted.extxyz"),
    ];

    public override void Check()
    {
        foreach (GridModel model in Models.Append(SearchModel)) ((ForceFieldConfig)model.Config).Validate();
        base.Check();
    }

    private static ModelFamily Known(string name) =>
        ModelFamily.All.FirstOrDefault(f => f.Name == name && f.ConfigType.IsSubclassOf(typeof(ForceFieldConfig)))
        ?? throw new InputException("force field", $"'{name}'",
            string.Join(", ", ModelFamily.All.Where(f => f.ConfigType.IsSubclassOf(typeof(ForceFieldConfig))).Select(f => f.Name)));

    private GridModel Of(Shape shape)
    {
        ForceFieldConfig config = ((ForceFieldConfig)Activator.CreateInstance(family.ConfigType)!).Shaped(shape.Depth, shape.Width);
        return new GridModel($"{shape.Depth} x {shape.Width}", config, config.NonEmbeddingParameters, shape.Width);
    }
}

/// <summary>Interaction layers times features.</summary>
public readonly record struct Shape(int Depth, int Width)
{
    /// <param name="text">DEPTHxWIDTH, such as 2x32.</param>
    /// <param name="option">To name in an error.</param>
    /// <exception cref="InputException">Not that.</exception>
    public static Shape Parse(string text, string option)
    {
        string[] parts = text.ToLowerInvariant().Split('x', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int depth)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            ? new Shape(depth, width)
            : throw new InputException(option, $"'{text}'", "DEPTHxWIDTH, such as 2x32");
    }
}
