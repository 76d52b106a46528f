using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The terms of a bilinear map sorted by component of its result, as kernels walk them. The tensors live until disposal.</summary>
internal sealed class TensorProductTerms : IDisposable
{
    /// <param name="components">Of the result.</param>
    /// <param name="firsts">Components of the first factor.</param>
    /// <param name="seconds">Components of the second factor.</param>
    /// <param name="terms">In any order; that of one component stays.</param>
    /// <param name="dtype">Of the factors.</param>
    /// <param name="device">null: the CPU.</param>
    public TensorProductTerms(
        int components, int firsts, int seconds, IEnumerable<(int Result, int First, int Second, double Value)> terms, ScalarType dtype,
        Device? device)
    {
        (int Result, int First, int Second, double Value)[] sorted = [.. terms.OrderBy(t => t.Result)];
        int[] starts = [.. Enumerable.Range(0, components + 1).Select(a => sorted.Count(t => t.Result < a))];
        (Components, Firsts, Seconds) = (components, firsts, seconds);
        Starts = tensor(starts, device: device).DetachFromDisposeScope();
        First = tensor(sorted.Select(t => t.First).ToArray(), device: device).DetachFromDisposeScope();
        Second = tensor(sorted.Select(t => t.Second).ToArray(), device: device).DetachFromDisposeScope();
        Values = tensor(sorted.Select(t => t.Value).ToArray(), dtype: dtype, device: device).DetachFromDisposeScope();
    }

    public int Components { get; }

    public int Firsts { get; }

    public int Seconds { get; }

    /// <summary>(components + 1) int32</summary>
    public Tensor Starts { get; }

    /// <summary>(terms) int32</summary>
    public Tensor First { get; }

    /// <summary>(terms) int32</summary>
    public Tensor Second { get; }

    /// <summary>(terms)</summary>
    public Tensor Values { get; }

    public void Dispose()
    {
        Starts.Dispose();
        First.Dispose();
        Second.Dispose();
        Values.Dispose();
    }
}
