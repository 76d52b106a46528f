using System.Collections;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>A force field on labelled frames: batches of whole frames in, a weighted loss on energies, forces and stress out.</summary>
internal sealed class ForceFieldTask : ITrainingTask
{
    // Validation batches are bounded by memory alone.
    private const int ValidationAtoms = 2000;

    private readonly ForceField model;
    private readonly IReadOnlyList<Frame> train;
    private readonly IReadOnlyList<Frame> validation;
    private readonly LabelLossSpec loss;
    private readonly KeptLists trainLists;
    private readonly KeptLists validationLists;
    private readonly FrameBatches batches;
    private readonly long seed;
    private readonly Device device;
    private readonly FrameStore? store;
    private long epoch;
    private int position;
    private LabelledFrames? present;

    /// <summary>Trains on the first frames of a store's nested order; reference energies are fitted to these alone.</summary>
    /// <param name="experiment">Its model is a force field.</param>
    /// <param name="store">Becomes the task's own.</param>
    /// <exception cref="InputException">As the other constructor, a subset larger than the store, or other data than the experiment names.</exception>
    public ForceFieldTask(Experiment experiment, FrameStore store)
        : this(experiment, TrainingFrames(experiment, store), ValidationFrames(experiment, store), References(experiment, store))
        => this.store = store;

    /// <param name="experiment">Its model is a force field.</param>
    /// <param name="train">The frames trained on; may be read lazily, the same frame for the same index.</param>
    /// <param name="validation">The fixed validation set.</param>
    /// <param name="referenceEnergies">eV per atom of each atomic number, which the network need not learn; null: none.</param>
    /// <param name="mostListBytes">Memory for neighbour lists that are kept from epoch to epoch; null: <see cref="KeptLists.Share"/>.</param>
    /// <exception cref="InputException">Frames without a label that the loss weighs, or of elements the model does not know.</exception>
    public ForceFieldTask(Experiment experiment, IReadOnlyList<Frame> train, IReadOnlyList<Frame> validation,
        IReadOnlyDictionary<int, double>? referenceEnergies = null, long? mostListBytes = null)
    {
        if (experiment.Model.Config is not ForceFieldConfig config)
            throw new InputException("model.family", experiment.Model.Family.Name, "a force field", "frames train force fields");
        if (train.Count == 0) throw new InputException("training data", "no frames", "at least one");
        if (validation.Count == 0) throw new InputException("validation data", "no frames", "at least one");
        loss = experiment.Training.LabelLoss;
        if (loss.WeightsByKind() is { } byKind)
        {
            HashSet<string> kinds = [.. train.Select(f => f.ConfigType).OfType<string>()];
            if (byKind.Keys.FirstOrDefault(kind => !kinds.Contains(kind)) is { } unknown)
            {
                throw new InputException("training.labelLoss.kindWeights", $"no training frame of kind '{unknown}'",
                    kinds.Count > 0 ? $"one of {string.Join(", ", kinds.Order())}" : "frames with config_type");
            }
        }
        var charges = new Dictionary<string, Frame>(StringComparer.Ordinal);
        foreach (Frame frame in train.Concat(validation))
        {
            Check(frame, config);
            if (!config.ReadsCharge) RequireOneCharge(frame, charges, config);
        }
        this.train = train;
        this.validation = validation;
        seed = experiment.Seed;
        // Validation is short, and first in line.
        long most = mostListBytes ?? KeptLists.Share;
        validationLists = new KeptLists(validation.Count, config.NeighborCutoff, most / 4);
        trainLists = new KeptLists(train.Count, config.NeighborCutoff, most - most / 4);
        batches = Batches(experiment, train, trainLists);
        device = experiment.Training.Device == ComputeDevice.Cuda ? CUDA : CPU;
        model = config.Create(seed, experiment.Training.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32, device);
        SetReferences(referenceEnergies ?? new Dictionary<int, double>());
    }

    public nn.Module Model => model;

    public ForceField ForceField => model;

    public long BatchesPerEpoch => batches.Count;

    public long NonEmbeddingParameters => model.NonEmbeddingParameters;

    /// <summary>D: unique training frames.</summary>
    public long UniqueItems => train.Count;

    public string ItemName => "frames";

    /// <summary>Neighbour lists made so far, of training and validation.</summary>
    internal long ListsBuilt => trainLists.Built + validationLists.Built;

    public TrainingLoss NextLoss()
    {
        // The backward pass of the last loss is over by now.
        present?.Dispose();
        IReadOnlyList<int> indices = batches.Of(epoch, position);
        Frame[] frames = [.. indices.Select(i => train[i])];
        if (++position == batches.Count) (epoch, position) = (epoch + 1, 0);
        present = new LabelledFrames(frames, model.Config.NeighborCutoff, loss, device, f => trainLists.Of(indices[f], frames[f]));
        ForceFieldOutput output = present.Evaluate(model, createGraph: true);
        var errors = new LabelErrors();
        present.AddTo(errors, output);
        return new TrainingLoss(present.Loss(output)!, frames.Length, new Dictionary<string, double>(errors.MeanAbsolute("")));
    }

    /// <inheritdoc/>
    /// <remarks><c>val_energy_mae</c> (eV), <c>val_energy_mae_mev_per_atom</c>, <c>val_force_mae</c> (eV/A), <c>val_stress_mae</c> (eV/A^3).</remarks>
    public IReadOnlyDictionary<string, double> Validate()
    {
        var errors = new LabelErrors();
        for (int first = 0, next; first < validation.Count; first = next)
        {
            int atoms = validation[first].Atoms;
            for (next = first + 1; next < validation.Count && atoms + validation[next].Atoms <= ValidationAtoms; next++) atoms += validation[next].Atoms;
            using DisposeScope scope = NewDisposeScope();
            Frame[] frames = [.. Enumerable.Range(first, next - first).Select(i => validation[i])];
            int start = first;
            using var batch = new LabelledFrames(frames, model.Config.NeighborCutoff, loss, device, f => validationLists.Of(start + f, frames[f]));
            batch.AddTo(errors, batch.Evaluate(model, createGraph: false));
        }
        return new Dictionary<string, double>(errors.MeanAbsolute("val_")) { ["val_loss"] = errors.Loss };
    }

    public JsonNode SaveState() => JsonSerializer.SerializeToNode(new Cursor(epoch, position, seed, train.Count))!;

    /// <exception cref="InputException">A state of other data or another seed.</exception>
    public void LoadState(JsonNode state)
    {
        Cursor saved = state.Deserialize<Cursor>()!;
        if (saved.Frames != train.Count || saved.Seed != seed)
            throw new InputException("checkpoint", $"a place in {saved.Frames} frames, seed {saved.Seed}", $"{train.Count} frames, seed {seed}");
        (epoch, position) = (saved.Epoch, saved.Batch);
    }

    public void Dispose()
    {
        present?.Dispose();
        model.Dispose();
        store?.Dispose();
    }

    /// <summary>Micro-batches of an epoch, without building the model.</summary>
    public static long CountBatches(Experiment experiment, FrameStore store) => Batches(experiment, TrainingFrames(experiment, store), null).Count;

    private static StoredFrames TrainingFrames(Experiment experiment, FrameStore store)
    {
        experiment.Data.RequireFingerprint(store.Folder, store.Manifest.Fingerprint);
        return new(experiment.Data.Subset is { } subset ? store.Train.Subset(subset) : store.Train);
    }

    private static StoredFrames ValidationFrames(Experiment experiment, FrameStore store)
    {
        if (store.Validation.Count == 0)
            throw new InputException(store.Folder, "no validation frames", "at least one", "prepare with a validation fraction, number or files");
        return new StoredFrames(store.Validation.Subset(Math.Min(experiment.Data.Validation, store.Validation.Count)));
    }

    private static IReadOnlyDictionary<int, double> References(Experiment experiment, FrameStore store)
    {
        StoredFrames train = TrainingFrames(experiment, store);
        IReadOnlyDictionary<int, double> isolated = store.Manifest.Statistics.IsolatedAtoms;
        string? asked = experiment.Data.Resolved().AtomEnergies;
        if (asked == AtomEnergies.Fit || (asked is null && isolated.Count == 0)) return Fitted(train);
        int[] elements = [.. train.Concat(ValidationFrames(experiment, store)).SelectMany(f => f.AtomicNumbers).Distinct()];
        if (asked is null && !elements.All(isolated.ContainsKey)) return Fitted(train);
        IReadOnlyDictionary<int, double> energies = asked is null or AtomEnergies.FromFrames ? isolated : AtomEnergies.Parse(asked);
        AtomEnergies.RequireAll(energies, elements, asked is null or AtomEnergies.FromFrames
            ? "prepare them with the frames: an isolated atom is a frame of one atom that does not repeat; or take fit, or a file" : "add it, or take fit");
        return energies;
    }

    private static SortedDictionary<int, double> Fitted(IEnumerable<Frame> frames)
    {
        var fit = new ReferenceEnergyFit();
        foreach (Frame frame in frames)
            if (frame.HasEnergy) fit.Add(frame.AtomicNumbers, frame.Energy!.Value);
        return fit.Solve();
    }

    private static FrameBatches Batches(Experiment experiment, IReadOnlyList<Frame> frames, KeptLists? lists)
    {
        TrainingSpec spec = experiment.Training;
        if (spec.BatchAtoms is null && spec.BatchEdges is null) return new FrameBatches(frames.Count, spec.BatchSize, experiment.Seed);
        double cutoff = ((ForceFieldConfig)experiment.Model.Config).Cutoff;
        // With both, a frame costs the larger share of either budget: then both hold.
        long atomBudget = spec.BatchAtoms ?? 1, edgeBudget = spec.BatchEdges ?? 1;
        long[] costs = [.. frames.Select((frame, i) => Math.Max(
            spec.BatchAtoms is null ? 0 : Share(frame, frame.Atoms, atomBudget, "atoms") * edgeBudget,
            spec.BatchEdges is null ? 0 : Share(frame, Edges(frame, i), edgeBudget, "edges") * atomBudget))];
        return new FrameBatches(costs, atomBudget * edgeBudget, experiment.Seed);

        int Edges(Frame frame, int i) => (lists?.Cutoff == cutoff ? lists.Of(i, frame) : NeighborLists.Build(frame, cutoff)).Edges;
    }

    private static long Share(Frame frame, long count, long budget, string what) => count <= budget
        ? count
        : throw new InputException(frame.Place, $"{count} {what}", $"at most {budget}, the budget of a batch", $"raise the budget of {what}");

    private void SetReferences(IReadOnlyDictionary<int, double> energies)
    {
        double[] table = new double[model.Config.MaxAtomicNumber + 1];
        foreach ((int element, double energy) in energies)
            if (element < table.Length) table[element] = energy;
        using IDisposable gradients = no_grad();
        using Tensor values = tensor(table, device: device);
        model.ReferenceEnergies.copy_(values);
    }

    /// <summary>The same atoms with another charge are another system, and some models cannot know.</summary>
    private static void RequireOneCharge(Frame frame, Dictionary<string, Frame> charges, ForceFieldConfig config)
    {
        string composition = string.Join(' ', frame.AtomicNumbers.Order());
        if (!charges.TryGetValue(composition, out Frame? other)) charges[composition] = frame;
        else if ((frame.Charge, frame.Spin) != (other.Charge, other.Spin))
        {
            throw new InputException(frame.Place, FormattableString.Invariant($"charge {frame.Charge}, spin {frame.Spin}"),
                FormattableString.Invariant($"charge {other.Charge}, spin {other.Spin}, as other frames of the same atoms: {config.Title} reads neither, and cannot tell them apart"),
                "SpookyNet reads both");
        }
    }

    private void Check(Frame frame, ForceFieldConfig config)
    {
        config.RequireElements(frame.AtomicNumbers, frame.Place);
        bool useful = (loss.EnergyWeight > 0 && frame.HasEnergy) || (loss.ForceWeight > 0 && frame.HasForces)
            || (loss.StressWeight > 0 && frame.HasStress && frame.IsPeriodic);
        if (!useful) throw new InputException(frame.Place, "no label that the loss weighs", "an energy or forces");
    }

    /// <summary>Where the data stand.</summary>
    private sealed record Cursor(long Epoch, int Batch, long Seed, long Frames);
}

/// <summary>One side of a frame store as a list, read as it is used.</summary>
internal sealed class StoredFrames(FrameSplit split) : IReadOnlyList<Frame>
{
    public int Count { get; } = checked((int)split.Count);

    public Frame this[int index] => split[index];

    public IEnumerator<Frame> GetEnumerator() => split.Frames().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
