using ChemScale.Engine.Training.Experiments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Tasks;

/// <summary>The labels of one kind of a batch; NaN means absent. Lives until disposal.</summary>
internal sealed class LabelTerm : IDisposable
{
    private readonly Tensor values;
    private readonly Tensor? present;

    /// <param name="labels">Flat.</param>
    /// <param name="shape">Of the predictions.</param>
    /// <param name="device">null: the CPU.</param>
    public LabelTerm(double[] labels, long[] shape, Device? device)
    {
        Count = labels.Count(x => !double.IsNaN(x));
        values = Keep([.. labels.Select(x => double.IsNaN(x) ? 0 : x)]);
        // Absent ones are multiplied away, not left out: shapes stay the same.
        if (Count < labels.Length) present = Keep([.. labels.Select(x => double.IsNaN(x) ? 0.0 : 1)]);

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
    }

    private Tensor Difference(Tensor prediction)
    {
        Tensor difference = prediction - values;
        return present is null ? difference : difference * present;
    }
}
