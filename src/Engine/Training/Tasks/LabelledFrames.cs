using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
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

    /// <param name="frames">With their labels.</param>
    /// <param name="cutoff">A: the model's.</param>
    /// <param name="spec">The loss.</param>
    /// <param name="device">null: the CPU.</param>
    /// <param name="lists">The neighbours of a frame, by its number; null: they are looked for.</param>
    /// <exception cref="InputException">A frame whose atoms or cell allow no neighbour list.</exception>
    public LabelledFrames(IReadOnlyList<Frame> frames, double cutoff, LabelLossSpec spec, Device? device, Func<int, NeighborList>? lists = null)
    {
        this.spec = spec;
        Graph = GraphBatches.Build(frames, cutoff, device, lists);
        double[]? weights = spec.WeightsByKind() is not { } byKind ? null
            : [.. frames.Select(f => f.ConfigType is { } kind && byKind.TryGetValue(kind, out double weight) ? weight : 1)];
        energies = new LabelTerm([.. frames.Select(f => f.Energy ?? double.NaN)], [frames.Count], device, weights);
        forces = new LabelTerm([.. frames.SelectMany(f => f.Forces ?? Absent(3 * f.Atoms))], [Graph.Atoms, 3], device,
            weights is null ? null : [.. frames.SelectMany((f, i) => Enumerable.Repeat(weights[i], f.Atoms))]);
        if (spec.StressWeight > 0 && Graph.Cells is not null)
            stress = new LabelTerm([.. frames.SelectMany(f => f.IsPeriodic && f.Stress is { } s ? s : Absent(9))], [frames.Count, 3, 3], device, weights);
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

/// <summary>The labels of one kind of a batch; NaN means absent. Lives until disposal.</summary>
internal sealed class LabelTerm : IDisposable
{
    private readonly Tensor values;
    private readonly Tensor? present;
    private readonly Tensor? weights;

    /// <param name="labels">Flat.</param>
    /// <param name="shape">Of the predictions.</param>
    /// <param name="device">null: the CPU.</param>
    /// <param name="rowWeights">What the errors of each row (the first dimension) count in the measure; null: 1.</param>
    public LabelTerm(double[] labels, long[] shape, Device? device, double[]? rowWeights = null)
    {
        Count = labels.Count(x => !double.IsNaN(x));
        values = Keep([.. labels.Select(x => double.IsNaN(x) ? 0 : x)]);
        // Absent ones are multiplied away, not left out: shapes stay the same.
        if (Count < labels.Length) present = Keep([.. labels.Select(x => double.IsNaN(x) ? 0.0 : 1)]);
        if (rowWeights is not null) weights = Keep([.. labels.Select((_, i) => rowWeights[i / (labels.Length / rowWeights.Length)])]);

        Tensor Keep(double[] numbers)
        {
            using Tensor flat = tensor(numbers, device: device);
            return flat.reshape(shape).DetachFromDisposeScope();
        }
    }

    /// <summary>Numbers that are present.</summary>
    public long Count { get; }

    /// <summary>The measure summed over present labels, differentiable.</summary>
    public Tensor ErrorSum(Tensor prediction, LabelLossSpec spec)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor difference = Difference(prediction);
        if (weights is not null)
        {
            Tensor each = spec.Error switch
            {
                ErrorMeasure.Mse => difference * difference,
                ErrorMeasure.L1 => difference.abs(),
                _ => nn.functional.huber_loss(difference, zeros_like(difference), spec.HuberDelta, nn.Reduction.None),
            };
            return (each * weights).sum().MoveToOuterDisposeScope();
        }
        Tensor sum = spec.Error switch
        {
            ErrorMeasure.Mse => (difference * difference).sum(),
            ErrorMeasure.L1 => difference.abs().sum(),
            _ => nn.functional.huber_loss(difference, zeros_like(difference), spec.HuberDelta, nn.Reduction.Sum),
        };
        return sum.MoveToOuterDisposeScope();
    }

    /// <summary>Absolute differences summed over present labels, each times a weight where there is one.</summary>
    public double AbsoluteSum(Tensor prediction, Tensor? weights = null)
    {
        using IDisposable gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        Tensor difference = Difference(prediction).abs();
        return (weights is null ? difference : difference * weights).sum().item<double>();
    }

    public void Dispose()
    {
        values.Dispose();
        present?.Dispose();
        weights?.Dispose();
    }

    private Tensor Difference(Tensor prediction)
    {
        Tensor difference = prediction - values;
        return present is null ? difference : difference * present;
    }
}

/// <summary>Errors of energies, forces and stress summed over batches, so that the means do not depend on how frames were batched.</summary>
internal sealed class LabelErrors
{
    private readonly double[] weights = new double[3];
    private readonly double[] measures = new double[3];
    private readonly double[] absolutes = new double[3];
    private readonly long[] counts = new long[3];
    private double perAtom;

    /// <summary>The weighted sum of mean errors.</summary>
    public double Loss => Enumerable.Range(0, 3).Where(k => counts[k] > 0).Sum(k => weights[k] * measures[k] / counts[k]);

    /// <param name="kind">0: energies, 1: forces, 2: stress.</param>
    /// <param name="weight">In the loss.</param>
    /// <param name="measure">Summed errors as the loss measures them.</param>
    /// <param name="absolute">Summed absolute errors.</param>
    /// <param name="count">Labels summed over.</param>
    public void Add(int kind, double weight, double measure, double absolute, long count)
    {
        weights[kind] = weight;
        measures[kind] += measure;
        absolutes[kind] += absolute;
        counts[kind] += count;
    }

    /// <param name="absolute">Absolute errors of energies in eV, each divided by the frame's atoms, summed.</param>
    public void AddPerAtom(double absolute) => perAtom += absolute;

    /// <summary>Mean absolute errors of what has labels: eV, eV/A, eV/A^3; per atom in meV.</summary>
    public IEnumerable<KeyValuePair<string, double>> MeanAbsolute(string prefix)
    {
        if (counts[0] > 0)
        {
            yield return new(prefix + "energy_mae", absolutes[0] / counts[0]);
            yield return new(prefix + "energy_mae_mev_per_atom", 1000 * perAtom / counts[0]);
        }
        if (counts[1] > 0) yield return new(prefix + "force_mae", absolutes[1] / counts[1]);
        if (counts[2] > 0) yield return new(prefix + "stress_mae", absolutes[2] / counts[2]);
    }
}
