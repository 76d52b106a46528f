using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// One optimizer step: losses of one or more micro-batches backward, gradients averaged over their items, clipped to a global norm,
/// applied.
/// </summary>
internal sealed class GradientStep(ITrainingTask task, AdamW optimizer, TrainingSpec spec)
{
    // As torch.nn.utils.clip_grad_norm_.
    private const double ClipEpsilon = 1e-6;

    private static readonly Dictionary<string, double> None = [];

    /// <summary>What a step measured. A loss or norm that is no number means that nothing was applied.</summary>
    public readonly record struct Outcome(double Loss, double GradientNorm, long Items, long Weight, IReadOnlyDictionary<string, double> Scalars)
    {
        public bool IsFinite => double.IsFinite(Loss) && double.IsFinite(GradientNorm);
    }

    public Outcome Take(int batches, double learningRate)
    {
        using DisposeScope scope = NewDisposeScope();
        optimizer.Parameters.Clear();
        var scalars = new Dictionary<string, double>();
        double sum = 0;
        long items = 0, weight = 0, firstWeight = 0;
        for (int b = 0; b < batches; b++)
        {
            using DisposeScope batchScope = NewDisposeScope();
            TrainingLoss loss = optimizer.Parameters.Loss(task.NextLoss);
            if (loss.Items <= 0 || loss.Weight <= 0) throw new InvalidOperationException($"a micro-batch without {task.ItemName}");
            if (b == 0) firstWeight = loss.Weight;
            // Weights relative to the first micro-batch, and the common factor put right below: the weight of all is not known yet.
            double relative = (double)loss.Weight / firstWeight;
            optimizer.Parameters.Backward(relative == 1 ? loss.Loss : loss.Loss * relative);
            double value = loss.Loss.detach().to(ScalarType.Float64).item<double>();
            sum += value * loss.Weight;
            weight += loss.Weight;
            items += loss.Items;
            foreach ((string name, double scalar) in loss.Scalars ?? None)
                scalars[name] = scalars.GetValueOrDefault(name) + scalar * loss.Weight;
            if (!double.IsFinite(value)) return new Outcome(value, double.NaN, items, weight, scalars);
        }
        foreach (string name in scalars.Keys) scalars[name] /= weight;
        double norm = Apply((double)firstWeight / weight, learningRate);
        return new Outcome(sum / weight, norm, items, weight, scalars);
    }

    /// <returns>Norm of the mean gradient, before clipping.</returns>
    private double Apply(double factor, double learningRate)
    {
        using IDisposable noGrad = no_grad();
        FlatParameters flat = optimizer.Parameters;
        flat.Collect();
        if (!Enumerable.Range(0, flat.Count).Any(flat.Used)) throw new InvalidOperationException("the loss depends on no parameter");
        double norm = flat.Norm() * factor;
        if (!double.IsFinite(norm)) return norm;
        if (spec.ClipNorm is { } limit && norm > limit) factor *= limit / (norm + ClipEpsilon);
        if (factor != 1) flat.Scale(factor);
        optimizer.Step(learningRate);
        return norm;
    }
}
