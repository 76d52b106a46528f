using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Measuring;

/// <summary>What a case holds while it is measured: tensors of the scope it opens, and whatever is given to keep.</summary>
internal sealed class CaseScope : IDisposable
{
    private readonly DisposeScope tensors = NewDisposeScope();
    private readonly List<IDisposable> kept = [];

    public T Keep<T>(T disposable)
        where T : IDisposable
    {
        kept.Add(disposable);
        return disposable;
    }

    public void Dispose()
    {
        for (int i = kept.Count - 1; i >= 0; i--) kept[i].Dispose();
        tensors.Dispose();
        // Graphs that a failed step left behind are freed by their finalizers alone.
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
