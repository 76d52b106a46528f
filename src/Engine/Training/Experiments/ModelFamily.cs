using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>
/// A kind of model an experiment can name in <c>model.family</c>: its configuration, its data, its training task, how it is trained where
/// nobody says otherwise, what a study of it varies, what its models can do. Nothing else in the engine or the command line asks which
/// family it has before it: adding one is writing one class and adding one line to the list in <c>Training/Families</c>.
/// </summary>
public abstract class ModelFamily
{
    private static IReadOnlyList<ModelFamily> all = ListedFamiliesAttribute.Read(typeof(ModelFamily).Assembly);

    /// <summary>Every family, in the order messages list them; the first is what an experiment is of where nothing names a family.</summary>
    public static IReadOnlyList<ModelFamily> All => all;

    /// <summary>The name in <c>model.family</c>.</summary>
    public abstract string Name { get; }

    /// <summary>How the model is called in its paper.</summary>
    public abstract string Title { get; }

    /// <summary>The record whose settable properties, in camelCase, are the other keys of the model section.</summary>
    public abstract Type ConfigType { get; }

    /// <summary>What it is trained on.</summary>
    public abstract DataKind Data { get; }

    /// <summary>Its runs keep files beside the weights (<see cref="ITrainingTask.ModelFiles"/>).</summary>
    internal virtual bool KeepsFiles => false;

    /// <summary>What D and S count: tokens, frames.</summary>
    public abstract string ItemName { get; }

    /// <summary>How it is trained where nobody says otherwise.</summary>
    public virtual Experiment Defaults => new() { Model = ModelSpec.Of(Activator.CreateInstance(ConfigType)!), Training = new TrainingSpec { Epochs = 1 } };

    /// <summary>Keys of an experiment, or sections, that say nothing to models of this family: giving one is a mistake.</summary>
    public virtual IReadOnlyList<string> Unused => ["training.attention"];

    /// <summary>Settings below <c>model.</c> that stand for several keys at once, each with the keys that may not stand beside it; see <see cref="Expand"/>.</summary>
    public virtual IReadOnlyDictionary<string, IReadOnlyList<string>> Shorthands => new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Batch sizes that a search samples between where nobody says otherwise.</summary>
    public virtual (int Smallest, int Largest) SearchedBatches => (4, 64);

    /// <param name="name">As <see cref="Name"/>, in any case.</param>
    /// <param name="place">Key to name in an error.</param>
    /// <exception cref="InputException">No such family: says which there are.</exception>
    public static ModelFamily Named(string name, string place = "model.family") =>
        All.FirstOrDefault(f => string.Equals(f.Name, name.Trim(), StringComparison.OrdinalIgnoreCase))
        ?? throw new InputException(place, $"'{name}'", $"one of {Names(All)}", Fields.HintFor(name, [.. All.Select(f => f.Name)]));

    /// <summary>Names, for a message.</summary>
    public static string Names(IEnumerable<ModelFamily> families) => string.Join(", ", families.Select(f => f.Name));

    /// <summary>Unit of the loss, for pages: nats per token.</summary>
    public abstract string LossUnit(TrainingSpec training);

    /// <summary>Checks what types and <c>[Range]</c> attributes cannot say.</summary>
    /// <exception cref="InputException">The configuration describes no model.</exception>
    public abstract void Check(object config, string place);

    /// <summary>Checks that a model of this family can be trained that way.</summary>
    /// <exception cref="InputException">A setting that the model has no use for.</exception>
    public virtual void Check(TrainingSpec training, object config, string place)
    {
        if (training.Attention != Operators.SelfAttention.AttentionPrecision.Weights)
            throw new InputException($"{place}: training.attention", $"bfloat16 for {Name}", "a model with attention");
    }

    /// <summary>N of a configuration: every trainable number but embeddings.</summary>
    public abstract long NonEmbeddingParameters(object config);

    /// <summary>What training costs on the data of a store.</summary>
    /// <param name="config">The model's.</param>
    /// <param name="training">Whether forces are trained.</param>
    /// <param name="store">Folder of a store of <see cref="Data"/>.</param>
    /// <exception cref="InputException">No such store.</exception>
    public abstract TrainingCost Cost(object config, TrainingSpec training, string store);

    /// <summary>Why a model of this configuration has no use for a key of its experiment; null where it has, or where the family has no say.</summary>
    public virtual string? Idle(object config, string key) => null;

    /// <summary>The configuration as the data want it, where its shape depends on them.</summary>
    /// <param name="config">Of <see cref="ConfigType"/>.</param>
    /// <param name="store">Folder of a store of <see cref="Data"/>.</param>
    /// <exception cref="InputException">No such store.</exception>
    public virtual object Fitted(object config, string store) => config;

    /// <summary>The configuration that one of <see cref="Shorthands"/> stands for.</summary>
    /// <exception cref="InputException">A value that it does not take.</exception>
    public virtual object Expand(object config, string shorthand, object value) => throw new NotSupportedException(shorthand);

    /// <summary>Model and data of an experiment, ready to train. Dispose of it.</summary>
    /// <exception cref="InputException">The data are missing, damaged, or do not fit the model.</exception>
    public abstract ITrainingTask CreateTask(Experiment experiment, CancellationToken stop = default);

    /// <summary>Micro-batches of one epoch; families that can say so without building the model do.</summary>
    /// <inheritdoc cref="CreateTask"/>
    public virtual long CountBatches(Experiment experiment)
    {
        using ITrainingTask task = CreateTask(experiment);
        return task.BatchesPerEpoch;
    }

    /// <summary>An untrained model that predicts energies and forces of frames; null where the family's models do not.</summary>
    public virtual ForceField? CreateForceField(object config, long seed, ScalarType dtype) => null;

    /// <summary>An untrained model that writes molecules token by token; null where the family's models do not.</summary>
    public virtual ChemGpt? CreateLanguageModel(object config, long seed, ScalarType dtype = ScalarType.Float32) => null;

    /// <summary>What a study takes where nobody says otherwise.</summary>
    /// <param name="own">Data of the user's own, rather than those that come with the program: a larger study.</param>
    public abstract StudyOutline Study(bool own);

    /// <summary>A model of another capacity.</summary>
    public abstract object Shaped(object config, ModelShape shape);

    /// <summary>What a capacity is called, in reports and in names of runs.</summary>
    public virtual string NameOf(ModelShape shape) => $"{shape.Depth} x {shape.Width}";

    /// <summary>The rate found at one width serves the others as it is.</summary>
    public virtual bool RateServesAllWidths(object config) => false;

    /// <summary>What to know of this family's exponents before trusting them.</summary>
    public virtual IEnumerable<string> Cautions(object config) => [];

    /// <summary>What to know of C = 6 N S for this family, where that is what compute means; empty: nothing.</summary>
    public virtual string ComputeCaution => "";

    /// <summary>What an experiment takes over from the run whose weights it begins with, beside the weights.</summary>
    /// <param name="experiment">Its data prepared.</param>
    /// <param name="find">Path of a file that the run's model needs beside its weights, by name.</param>
    /// <exception cref="InputException">The run lacks such a file.</exception>
    internal virtual Experiment BegunWith(Experiment experiment, Func<string, string> find) => experiment;

    /// <summary>The source of a study's data, for models of that configuration.</summary>
    public virtual DataSource ForStudy(DataSource source, object config) => source;

    /// <summary>The experiment of a study on its store: fingerprint and fitted model filled in.</summary>
    public virtual Experiment OnStore(Experiment experiment, string store) => experiment with
    {
        Model = ModelSpec.Of(Fitted(experiment.Model.Config, store)),
        Data = Data.Describe(experiment.Data with { Store = store }),
    };

    /// <summary>Lists one more family until disposal.</summary>
    internal static IDisposable List(ModelFamily family) => new Listing(family);

    private sealed class Listing : IDisposable
    {
        private readonly IReadOnlyList<ModelFamily> before = all;

        public Listing(ModelFamily family) => all = [.. before, family];

        public void Dispose() => all = before;
    }
}

/// <summary>What a step of training is made of.</summary>
/// <param name="FlopsPerItem">FLOP to train on one token or frame.</param>
/// <param name="ItemsPerDocument">Tokens of a molecule on average; 1 for frames.</param>
public readonly record struct TrainingCost(double FlopsPerItem, double ItemsPerDocument);

/// <summary>The families of an assembly, in order: the list that <see cref="ModelFamily.All"/> shows.</summary>
[AttributeUsage(AttributeTargets.Assembly)]
internal sealed class ListedFamiliesAttribute(params Type[] families) : Attribute
{
    public IReadOnlyList<Type> Families => families;

    public static IReadOnlyList<ModelFamily> Read(System.Reflection.Assembly assembly) =>
    [
        .. ((ListedFamiliesAttribute)GetCustomAttribute(assembly, typeof(ListedFamiliesAttribute))!).Families.Select(f => (ModelFamily)Activator.CreateInstance(f)!),
    ];
}

/// <summary>Capacity of a model.</summary>
/// <param name="Depth">Layers; null: those of the family's study.</param>
/// <param name="Width">Features of a token or an atom.</param>
public readonly record struct ModelShape(int? Depth, int Width)
{
    /// <param name="text">DEPTHxWIDTH, such as 2x32.</param>
    /// <param name="place">Key to name in an error.</param>
    /// <exception cref="InputException">Not that.</exception>
    public static ModelShape Parse(string text, string place)
    {
        string[] parts = text.ToLowerInvariant().Split('x', StringSplitOptions.TrimEntries);
        return parts.Length == 2 && Scalars.Parse(typeof(int), parts[0], out _) is int and > 0 and var depth
            && Scalars.Parse(typeof(int), parts[1], out _) is int and > 0 and var width
            ? new ModelShape(depth, width)
            : throw new InputException(place, $"'{text}'", "DEPTHxWIDTH, such as 2x32");
    }
}

/// <summary>A study of one family, as it is where nobody says otherwise.</summary>
public sealed record StudyOutline
{
    /// <summary>The models' shape, capacity aside, and everything of their training that a study does not vary.</summary>
    public required Experiment Basis { get; init; }

    /// <summary>The configuration that the search always tries: what people start from.</summary>
    public required (double LearningRate, int BatchSize) Start { get; init; }

    public required ModelShape SearchShape { get; init; }

    /// <summary>Models of the grid.</summary>
    public required IReadOnlyList<ModelShape> Shapes { get; init; }

    /// <summary>What a study of compute budgets takes instead of shapes and rates; null: the same.</summary>
    public BudgetOutline? Budgets { get; init; }

    public required IReadOnlyList<double> LearningRates { get; init; }

    public required IReadOnlyList<int> BatchSizes { get; init; }

    /// <summary>Molecules or frames of the fixed validation set.</summary>
    public required long Validation { get; init; }

    /// <summary>Molecules or frames that the search trains on.</summary>
    public required long SearchDocuments { get; init; }

    public int SearchEpochs { get; init; } = 10;

    public int ProbeEpochs { get; init; } = 2;

    /// <summary>Data sizes of the grid, in molecules or frames.</summary>
    public required IReadOnlyList<long> Subsets { get; init; }

    /// <summary>Cap on the molecules or frames that a point of the grid sees, repeats included.</summary>
    public required long MaximumSeen { get; init; }

    /// <summary>Molecules taken from files or library; null: all there are.</summary>
    public long? Limit { get; init; }
}

/// <summary>Sizes, five or more, and the learning rates that each is tuned over at the least budget.</summary>
public sealed record BudgetOutline(IReadOnlyList<ModelShape> Shapes, IReadOnlyList<double> LearningRates)
{
    /// <summary>Molecules drawn from the library, where no files are named: enough for small models to see few of them often; null: as for a grid.</summary>
    public long? Limit { get; init; }
}

/// <summary>The model section: a family and that family's configuration record.</summary>
public sealed record ModelSpec
{
    private ModelSpec(ModelFamily family, object config)
    {
        Family = family;
        Config = config;
    }

    public ModelFamily Family { get; }

    /// <summary>An instance of <see cref="ModelFamily.ConfigType"/>.</summary>
    public object Config { get; }

    /// <summary>The family is found by the type of its configuration.</summary>
    /// <exception cref="ArgumentException">No family has configurations of this type.</exception>
    public static ModelSpec Of(object config)
    {
        ModelFamily family = ModelFamily.All.FirstOrDefault(f => f.ConfigType == config.GetType())
            ?? throw new ArgumentException($"no model family is configured by {config.GetType().Name}", nameof(config));
        return new ModelSpec(family, config);
    }
}
