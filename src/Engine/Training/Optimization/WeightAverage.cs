using ChemScale.Engine.Operators.Optimization;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// Exponential moving average of weights, average += (1 - d)(w - average) after each step, where d = min(decay, (1 + n) / (10 + n)) after n
/// steps lets a young average follow quickly. Averages below the normal range are zero.
/// </summary>
internal sealed class WeightAverage : IDisposable
{
    private readonly double decay;
    private readonly string[] names;
    private readonly Parameter[] parameters;
    private readonly Tensor[] averages;

    public WeightAverage(IEnumerable<(string Name, Parameter Parameter)> parameters, double decay)
    {
        this.decay = decay;
        (string Name, Parameter Parameter)[] all = [.. parameters];
        names = [.. all.Select(p => p.Name)];
        this.parameters = [.. all.Select(p => p.Parameter)];
        using IDisposable noGrad = no_grad();
        averages = [.. this.parameters.Select(p => p.detach().clone().DetachFromDisposeScope())];
    }

    /// <summary>The averages under their parameters' names; this object keeps owning them.</summary>
    public IEnumerable<KeyValuePair<string, Tensor>> Tensors => names.Zip(averages, KeyValuePair.Create);

    /// <param name="steps">Optimizer steps done.</param>
    public void Update(long steps)
    {
        using IDisposable noGrad = no_grad();
        FusedOps.Lerp(averages, parameters, 1 - Math.Min(decay, (1.0 + steps) / (10.0 + steps)));
        Subnormals.Clear(averages);
    }

    /// <summary>Exchanges weights and averages, bit for bit; twice is as if never.</summary>
    public void Swap()
    {
        using IDisposable noGrad = no_grad();
        for (int i = 0; i < averages.Length; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor weights = parameters[i].detach().clone();
            parameters[i].copy_(averages[i]);
            averages[i].copy_(weights);
        }
    }

    public void Dispose()
    {
        foreach (Tensor t in averages) t.Dispose();
    }
}
