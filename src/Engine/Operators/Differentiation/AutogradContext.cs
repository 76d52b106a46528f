using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>What one application of an <see cref="AutogradFunction"/> carries from its forward to its backward pass.</summary>
public sealed class AutogradContext
{
    internal AutogradNode? Node { get; set; }

    internal Tensor?[]? Pending { get; set; }

    /// <summary>True when some input wants a gradient: only then is anything worth saving.</summary>
    public bool NeedsGradient { get; internal set; }

    /// <summary>Anything but tensors.</summary>
    public object? State { get; set; }

    /// <summary>
    /// Keeps tensors for the backward pass: inputs, or values made in the forward pass. Save an output only as
    /// <c>output.detach()</c>: the output itself would keep its own node alive.
    /// </summary>
    public void Save(params Tensor?[] tensors) => Pending = tensors;

    /// <summary>The saved tensors; call once per backward pass. They are disposed when that pass returns.</summary>
    public Tensor?[] Saved() => Node!.Unpack();
}
