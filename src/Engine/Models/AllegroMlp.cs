using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// A perceptron without biases whose weights have unit variance: x W / sqrt(inputs), and a gain after each activation that brings its
/// output back to unit mean square. SiLU between the matrices, none at the end.
/// </summary>
internal sealed class AllegroMlp
{
    private readonly Parameter[] weights;
    private readonly Tensor? gain;

    /// <param name="at">Where its weights go.</param>
    /// <param name="widths">Inputs, hidden widths, outputs.</param>
    /// <param name="init">Makes the weights, uniform.</param>
    /// <param name="gain">(1) 1 / sqrt(mean of silu(z)^2), z normal; null: no activation at all.</param>
    public AllegroMlp(ModulePath at, IReadOnlyList<int> widths, ParameterInit init, Tensor? gain)
    {
        this.gain = gain;
        weights = [.. Enumerable.Range(0, widths.Count - 1)
            .Select(i => at.Add($"_forward._weight_{i}", init.Uniform(Math.Sqrt(3), widths[i], widths[i + 1])))];
    }

    public static long Count(IReadOnlyList<int> widths) => Enumerable.Range(0, widths.Count - 1).Sum(i => (long)widths[i] * widths[i + 1]);

    /// <summary>(inputs, outputs) One matrix, scaled, in the current dispose scope.</summary>
    public Tensor Matrix(int layer)
    {
        double scale = 1 / Math.Sqrt(weights[layer].size(0));
        return layer == 0 || gain is null ? weights[layer] * scale : weights[layer] * (gain * scale);
    }

    /// <summary>What follows the first matrix.</summary>
    /// <param name="hidden">(n, first hidden width) before the activation</param>
    /// <returns>(n, outputs)</returns>
    public Tensor AfterFirst(Tensor hidden)
    {
        using DisposeScope scope = NewDisposeScope();
        for (int i = 1; i < weights.Length; i++) hidden = nn.functional.silu(hidden).mm(Matrix(i));
        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>The matrices multiplied out: without activations they are one.</summary>
    /// <returns>(inputs, outputs)</returns>
    public Tensor Collapsed()
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor product = Matrix(weights.Length - 1);
        for (int i = weights.Length - 2; i >= 0; i--) product = Matrix(i).mm(product);
        return product.MoveToOuterDisposeScope();
    }
}
