using System.Diagnostics.CodeAnalysis;
using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>
/// A differentiable operation with a hand-written backward pass. Unlike TorchSharp's stock functions it makes no scratch copy of each
/// output, frees what a backward pass allocates on whichever thread libtorch runs it, and an exception thrown there ends the pass, not the
/// process: see <see cref="Gradients"/>. For derivatives of derivatives, let Backward apply another function.
/// </summary>
public abstract unsafe class AutogradFunction
{
    /// <summary>Computes the outputs. Runs without gradient tracking.</summary>
    protected internal abstract Tensor[] Forward(AutogradContext context, Tensor?[] inputs);

    /// <summary>
    /// Gradients with respect to each input (null: none) from gradients with respect to each output (null: zero). Every tensor made on
    /// the way is disposed afterwards. Runs in the scope that the function was applied in.
    /// </summary>
    protected internal abstract Tensor?[] Backward(AutogradContext context, Tensor?[] gradients);

    /// <summary>Applications whose backward graph is still alive, over all functions of the present run: a leak shows here.</summary>
    public static int LiveNodes => RunScope.Current.Nodes.Count;

    /// <summary>Whether its passes put gradients by trained parameters in their places, so that these need not be variables of its nodes.</summary>
    private protected virtual bool PlacesGradients => false;

    public Tensor[] Apply(params Tensor?[] inputs)
    {
        var context = new AutogradContext();
        if (torch.is_grad_enabled())
        {
            context.LeftOut = PlacesGradients ? RunScope.Current.Trained : null;
            context.NeedsGradient = WantsGradient(context, inputs);
            // A node that no variable leads to would never be reached.
            if (!context.NeedsGradient && context.LeftOut is not null)
            {
                context.LeftOut = null;
                context.NeedsGradient = WantsGradient(context, inputs);
            }
        }
        if (!context.NeedsGradient) return Forward(context, inputs);

        AutogradNode node = AutogradNode.Rent(this, context, inputs);
        try
        {
            Span<nint> variables = stackalloc nint[inputs.Length];
            int count = 0;
            foreach (Tensor? input in inputs)
                if (context.IsVariable(input)) variables[count++] = input.Handle;
            fixed (nint* v = variables)
            {
                var edges = new NativeAutograd.TensorArray { Pointer = (nint)v, Count = count };
                NativeAutograd.THSAutograd_CSharpNode_setNextEdges(node.Pointer, edges, 1);
                NativeAutograd.Check();
                Tensor[] outputs;
                using (torch.no_grad()) outputs = Forward(context, inputs);
                Tensor[] wrapped = node.Wrap(edges, outputs);
                GC.KeepAlive(inputs);
                return wrapped;
            }
        }
        finally
        {
            node.ReleaseShared();
        }
    }

    private static bool WantsGradient(AutogradContext context, Tensor?[] inputs)
    {
        foreach (Tensor? input in inputs)
            if (context.IsVariable(input) && input.requires_grad) return true;
        return false;
    }
}

/// <summary>What one application of an <see cref="AutogradFunction"/> carries from its forward to its backward pass.</summary>
public sealed class AutogradContext
{
    internal AutogradNode? Node { get; set; }

    internal Tensor?[]? Pending { get; set; }

    /// <summary>Parameters that are no variables of the node: their gradients go to their places, and the node holds the objects themselves.</summary>
    internal IGradientPlaces? LeftOut { get; set; }

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

    internal bool IsVariable([NotNullWhen(true)] Tensor? input) => input is not null && (LeftOut is null || !LeftOut.Holds(input, out _));
}
