using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Tokens.Packing;
using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>A force field on labelled frames: batches of whole frames in, a weighted loss on energies, forces and stress out.</summary>
public sealed class ForceFieldTask : ITrainingTask
{
    // Validation batches are bounded by memory alone.
    private const int ValidationAtoms = 2000;

    private readonly ForceField model;
    private readonly IReadOnlyList<Frame> train;
    private readonly IReadOnlyList<Frame> validation;
    private readonly LabelLossSpec loss;
    private readonly int batchSize;
    private readonly long seed;
    private readonly Device device;
    private long epoch;
    private long position;
    private LabelledFrames? present;

    /// <param name="experiment">Its model is a force field.</param>
    /// <param name="train">The frames trained on; may be read lazily, the same frame for the same index.</param>
    /// <param name="validation">The fixed validation set.</param>
    /// <param name="referenceEnergies">eV per atom of each atomic number, which the network need not learn; null: none.</param>
    /// <exception cref="InputException">Frames without a label that the loss weighs, or of elements the model does not know.</exception>
    public ForceFieldTask(Experiment experiment, IReadOnlyList<Frame> train, IReadOnlyList<Frame> validation,
        IReadOnlyDictionary<int, double>? referenceEnergies = null)
    {
        if (experiment.Model.Config is not ForceFieldConfig config)
            throw new InputException("model.family", experiment.Model.Family.Name, "a force field", "frames train force fields");
        if (train.Count == 0) throw new InputException("training data", "no frames", "at least one");
        if (validation.Count == 0) throw new InputException("validation data", "no frames", "at least one");
        loss = experiment.Training.LabelLoss;
        foreach (Frame frame in train.Concat(validation)) Check(frame, config);
        this.train = train;
        this.validation = validation;
        batchSize = experiment.Training.BatchSize;
        seed = experiment.Seed;
        device = experiment.Training.Device == ComputeDevice.Cuda ? CUDA : CPU;
        model = config.Create(seed, experiment.Training.Dtype == Precision.Float64 ? ScalarType.Float64 : ScalarType.Float32, device);
        SetReferences(referenceEnergies ?? new Dictionary<int, double>());
    }

    public nn.Module Model => model;

    public ForceField ForceField => model;

    public long BatchesPerEpoch => (train.Count + batchSize - 1) / batchSize;

    public string ItemName => "frames";

    public TrainingLoss NextLoss()
    {
        // The backward pass of the last loss is over by now.
        present?.Dispose();
        var order = new Permutation(train.Count, seed, epoch);
        Frame[] frames = [.. Enumerable.Range(0, (int)Math.Min(batchSize, train.Count - position)).Select(i => train[(int)order[position + i]])];
        position += frames.Length;
        if (position == train.Count) (epoch, position) = (epoch + 1, 0);
        present = new LabelledFrames(frames, model.Config.NeighborCutoff, loss, device);
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
            using var batch = new LabelledFrames([.. Enumerable.Range(first, next - first).Select(i => validation[i])], model.Config.NeighborCutoff, loss, device);
            batch.AddTo(errors, batch.Evaluate(model, createGraph: false));
        }
        return new Dictionary<string, double>(errors.MeanAbsolute("val_")) { ["val_loss"] = errors.Loss };
    }

    public JsonNode SaveState() => JsonSerializer.SerializeToNode(new CursorState(epoch, position, seed, train.Count))!;

    /// <exception cref="InputException">A state of other data or another seed.</exception>
    public void LoadState(JsonNode state)
    {
        CursorState saved = state.Deserialize<CursorState>()!;
        if (saved.Documents != train.Count || saved.Seed != seed)
            throw new InputException("checkpoint", $"a place in {saved.Documents} frames, seed {saved.Seed}", $"{train.Count} frames, seed {seed}");
        (epoch, position) = (saved.Epoch, saved.Position);
    }

    public void Dispose()
    {
        present?.Dispose();
        model.Dispose();
    }

    private void SetReferences(IReadOnlyDictionary<int, double> energies)
    {
        double[] table = new double[model.Config.MaxAtomicNumber + 1];
        foreach ((int element, double energy) in energies)
            if (element < table.Length) table[element] = energy;
        using IDisposable gradients = no_grad();
        using Tensor values = tensor(table, device: device);
        model.ReferenceEnergies.copy_(values);
    }

    private void Check(Frame frame, ForceFieldConfig config)
    {
        config.RequireElements(frame.AtomicNumbers, frame.Place);
        bool useful = (loss.EnergyWeight > 0 && frame.HasEnergy) || (loss.ForceWeight > 0 && frame.HasForces)
            || (loss.StressWeight > 0 && frame.HasStress && frame.IsPeriodic);
        if (!useful) throw new InputException(frame.Place, "no label that the loss weighs", "an energy or forces");
    }
}
