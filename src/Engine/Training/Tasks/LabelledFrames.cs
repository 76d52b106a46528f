using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>A batch of frames as a graph, with its labels. Lives until disposal.</summary>
internal sealed class LabelledFrames : IDisposable
{
    private readonly LabelLossSpec spec;
    private readonly LabelTerm energies;
    private readonly LabelTerm forces;
    private readonly LabelTerm? stress;
    private readonly Tensor perAtom;

    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public LabelledFrames(IReadOnlyList<Frame> frames, double cutoff, LabelLossSpec spec, Device? device)
    {
        this.spec = spec;
        Graph = GraphBatches.Build(frames, cutoff, device);
        energies = new LabelTerm([.. frames.Select(f => f.Energy ?? double.NaN)], [frames.Count], device);
        forces = new LabelTerm([.. frames.SelectMany(f => f.Forces ?? Absent(3 * f.Atoms))], [Graph.Atoms, 3], device);
        if (spec.StressWeight > 0 && Graph.Cells is not null)
            stress = new LabelTerm([.. frames.SelectMany(f => f.IsPeriodic && f.Stress is { } s ? s : Absent(9))], [frames.Count, 3, 3], device);
        perAtom = tensor(frames.Select(f => 1.0 / Math.Max(1, f.Atoms)).ToArray(), device: device).DetachFromDisposeScope();
    }

    public GraphBatch Graph { get; }

    /// <summary>The model's predictions, in the caller's dispose scope.</summary>
    public ForceFieldOutput Evaluate(ForceField model, bool createGraph) =>
        model.Evaluate(Graph, forces: true, stress: stress is not null, createGraph);

    /// <summary>The weighted sum of mean errors; null where no label of the batch has a weight.</summary>
    public Tensor? Loss(ForceFieldOutput output)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor? loss = null;
        foreach ((LabelTerm term, Tensor prediction, double weight) in Terms(output))
        {
            if (weight == 0 || term.Count == 0) continue;
            Tensor part = term.ErrorSum(prediction, spec) * (weight / term.Count);
            loss = loss is null ? part : loss + part;
        }
        return loss?.MoveToOuterDisposeScope();
    }

    public void AddTo(LabelErrors errors, ForceFieldOutput output)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable gradients = no_grad();
        int index = 0;
        foreach ((LabelTerm term, Tensor prediction, double weight) in Terms(output))
        {
            errors.Add(index, weight, term.ErrorSum(prediction, spec).item<double>(), term.AbsoluteSum(prediction), term.Count);
            index++;
        }
        errors.AddPerAtom(energies.AbsoluteSum(output.Energies, perAtom));
    }

    public void Dispose()
    {
        Graph.Dispose();
        energies.Dispose();
        forces.Dispose();
        stress?.Dispose();
        perAtom.Dispose();
    }

    private IEnumerable<(LabelTerm Term, Tensor Prediction, double Weight)> Terms(ForceFieldOutput output)
    {
        yield return (energies, output.Energies, spec.EnergyWeight);
        yield return (forces, output.Forces!, spec.ForceWeight);
        if (stress is not null) yield return (stress, output.Stress!, spec.StressWeight);
    }

    private static double[] Absent(int count)
    {
        double[] labels = new double[count];
        Array.Fill(labels, double.NaN);
        return labels;
    }
}
