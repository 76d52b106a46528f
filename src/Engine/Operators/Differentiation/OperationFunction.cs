using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>
/// The passes of an operation in one of its forms. Tensors are contiguous; what a pass is given it neither writes to nor disposes of. An
/// absent input, and a gradient that is zero, is null, both ways; gradients stand in the order of what they belong to: inputs first, then
/// outputs. Whether an input wants a gradient, its <c>requires_grad</c> says: null may be returned by one that does not. Whatever is no
/// tensor goes to the constructor.
/// </summary>
internal interface IOperationPasses
{
    /// <summary>The same outputs by library operations, which have derivatives of every order.</summary>
    Tensor?[] Composed(Tensor?[] inputs);

    /// <param name="inputs">x</param>
    /// <param name="keep">Whether a backward pass may follow. Only then is anything to be kept.</param>
    /// <returns>y, and what the passes to come are given beside the inputs: made from them alone, outputs among them.</returns>
    (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep);

    /// <param name="inputs">x</param>
    /// <param name="kept">What the forward pass kept.</param>
    /// <param name="gradients">By y; one at least is there.</param>
    /// <returns>By each of x.</returns>
    Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients);

    /// <summary>The backward pass of <see cref="Backward"/>, of which the inputs and the gradients are the variables.</summary>
    /// <param name="inputs">x</param>
    /// <param name="kept">What the forward pass kept.</param>
    /// <param name="gradients">By y</param>
    /// <param name="along">By what <see cref="Backward"/> returned; one at least is there.</param>
    /// <returns>By each of x, then by each of the gradients; null: by way of the composed form.</returns>
    Tensor?[]? DoubleBackward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients, Tensor?[] along) => null;

    /// <summary>Whether <see cref="Backward"/> puts gradients by trained parameters in <see cref="Runs.RunScope.PlaceOf"/> wherever there is one.</summary>
    bool PlacesGradients => false;
}

/// <summary>
/// The one autograd function of all <see cref="IOperationPasses"/>. Derivatives beyond those that the passes have, third ones among them,
/// come from the composed form.
/// </summary>
internal static class OperationFunction
{
    /// <param name="passes">The operation in one of its forms.</param>
    /// <param name="inputs">x, of any strides; null: absent</param>
    /// <returns>y; null: absent</returns>
    public static Tensor?[] Apply(IOperationPasses passes, params Tensor?[] inputs)
    {
        // Disposes of what is kept and of contiguous copies: where they are needed, the graph holds them.
        using DisposeScope scope = NewDisposeScope();
        var function = new Values(passes);
        Tensor?[] outputs = Spread(function.Apply(Contiguous(inputs)), function.Made);
        foreach (Tensor? output in outputs) output?.MoveToOuterDisposeScope();
        return outputs;
    }

    private static Tensor?[] Contiguous(Tensor?[] tensors)
    {
        IGradientPlaces? trained = RunScope.Current.Trained;
        return System.Array.ConvertAll(tensors, t => t is null || trained?.Holds(t, out _) == true || t.is_contiguous() ? t : t.contiguous());
    }

    /// <summary>Tensors that may be tied to a node: none that came in, which has its own, and none twice.</summary>
    private static Tensor?[] Own(Tensor?[] made, Tensor?[] given)
    {
        var own = new Tensor?[made.Length];
        for (int i = 0; i < made.Length; i++)
        {
            Tensor? t = made[i];
            own[i] = t is not null && (Among(given, t) || Among(made.AsSpan(0, i), t)) ? t.detach() : t;
        }
        return own;
    }

    private static bool Among(ReadOnlySpan<Tensor?> tensors, Tensor tensor)
    {
        foreach (Tensor? t in tensors)
            if (ReferenceEquals(t, tensor)) return true;
        return false;
    }

    private static bool[] Present(Tensor?[] tensors) => System.Array.ConvertAll(tensors, t => t is not null);

    /// <summary>Those that are there in their places: nodes know no absent outputs.</summary>
    private static Tensor?[] Spread(ReadOnlySpan<Tensor?> there, bool[] present)
    {
        var all = new Tensor?[present.Length];
        int next = 0;
        for (int i = 0; i < all.Length; i++)
            if (present[i]) all[i] = there[next++];
        return all;
    }

    private static Tensor[] Dense(Tensor?[] tensors) => [.. tensors.OfType<Tensor>()];

    private static Tensor?[] Counted(Tensor?[] answer, int count, IOperationPasses passes, string pass) => answer.Length == count ? answer
        : throw new InvalidOperationException($"{passes.GetType().Name}.{pass} gave {answer.Length} gradients for {count}");

    private static bool IsNone(Tensor?[] gradients) => System.Array.TrueForAll(gradients, g => g is null);

    private sealed class Values(IOperationPasses passes) : AutogradFunction
    {
        private int count;

        private protected override bool PlacesGradients => passes.PlacesGradients;

        /// <summary>Which outputs there are.</summary>
        public bool[] Made { get; private set; } = [];

        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            count = inputs.Length;
            (Tensor?[] outputs, Tensor?[] kept) = passes.Forward(inputs, context.NeedsGradient);
            Made = Present(outputs);
            Tensor?[] own = Own(outputs, inputs);
            if (context.NeedsGradient) context.Save([.. inputs, .. Own(kept, own)]);
            return Dense(own);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            if (IsNone(gradients)) return new Tensor?[count];
            Tensor?[] saved = context.Saved(), given = Contiguous(Spread(gradients, Made));
            var function = new Derivatives(passes, count, saved[count..]);
            return Spread(function.Apply([.. saved[..count], .. given]), function.Made);
        }
    }

    /// <summary>The backward pass as a function of its own: training on forces differentiates it.</summary>
    private sealed class Derivatives(IOperationPasses passes, int count, Tensor?[] kept) : AutogradFunction
    {
        private int outputs;

        /// <summary>Which gradients there are.</summary>
        public bool[] Made { get; private set; } = [];

        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            outputs = inputs.Length - count;
            Tensor?[] by = Own(Counted(passes.Backward(inputs[..count], kept, inputs[count..]), count, passes, nameof(Backward)), inputs);
            Made = Present(by);
            if (context.NeedsGradient) context.Save([.. inputs, .. kept]);
            // From here on the node keeps them; these tensors go with the callback.
            kept = [];
            return Dense(by);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            int all = count + outputs;
            if (IsNone(gradients)) return new Tensor?[all];
            Tensor?[] saved = context.Saved(), along = Contiguous(Spread(gradients, Made));
            Tensor?[] inputs = saved[..count], upstream = saved[count..all];
            Tensor?[]? by = is_grad_enabled() ? null : passes.DoubleBackward(inputs, saved[all..], upstream, along);
            return by is null
                ? ComposedDerivatives.OfBackward(passes.Composed, inputs, upstream, along)
                : Counted(by, all, passes, nameof(IOperationPasses.DoubleBackward));
        }
    }
}
