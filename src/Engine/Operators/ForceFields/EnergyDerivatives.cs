using ChemScale.Engine.Operators.Differentiation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>Energies and their derivative by the pairs' vectors by library operations, for networks of any kind.</summary>
internal static class EnergyDerivatives
{
    /// <param name="inputs">The pairs' vectors, then whatever else.</param>
    /// <param name="energies">From inputs to (atoms).</param>
    /// <returns>e, dE/dr: differentiable in turn where gradients are being recorded.</returns>
    public static Tensor?[] Apply(Tensor?[] inputs, Func<Tensor?[], Tensor> energies)
    {
        bool record = is_grad_enabled();
        using DisposeScope scope = NewDisposeScope();
        using var mode = enable_grad();
        Tensor vectors = record && inputs[0]!.requires_grad ? inputs[0]!.view_as(inputs[0]!) : inputs[0]!.detach().requires_grad_();
        Tensor e = energies([vectors, .. inputs[1..]]);
        Tensor by = Gradients.Of([e.sum()], [vectors], retainGraph: record, createGraph: record, allowUnused: true)[0];
        if (by.IsInvalid) by = zeros_like(vectors);
        return [(record ? e : e.detach()).MoveToOuterDisposeScope(), by.MoveToOuterDisposeScope()];
    }

    /// <summary>w silu(W x + b) + c</summary>
    public static Tensor Head(Tensor x, Tensor?[] weights)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor hidden = nn.functional.silu(nn.functional.linear(x, weights[0]!, weights[1]));
        return nn.functional.linear(hidden, weights[2]!, weights[3]).squeeze(1).MoveToOuterDisposeScope();
    }
}
