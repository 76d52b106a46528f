using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>The backward pass of a backward pass, of any order, through the composed form of an operation.</summary>
internal static class SecondOrder
{
    /// <param name="inputs">Those of the operation, then the gradients with respect to its outputs.</param>
    /// <param name="count">How many belong to the operation.</param>
    /// <param name="along">(count) gradients with respect to the gradients of the operation's inputs</param>
    /// <param name="composed">The operation.</param>
    /// <returns>Gradients with respect to <paramref name="inputs"/>; null where none is wanted.</returns>
    public static Tensor?[] Of(Tensor?[] inputs, int count, Tensor?[] along, Func<Tensor?[], Tensor[]> composed)
    {
        bool further = is_grad_enabled();
        using var mode = enable_grad();
        // Views, since one input may come from another, and only what the operation itself makes of each counts. Inputs that want no
        // gradient still are variables here; the engine drops what it does not need.
        Tensor?[] variables =
            [.. inputs.Select(t => further && t is { requires_grad: true } ? t.view_as(t) : t?.detach().requires_grad_())];
        Tensor[] outputs = composed(variables[..count]);
        int[] used = [.. Enumerable.Range(0, count).Where(i => variables[i] is not null && along[i] is not null)];
        if (used.Length == 0) return new Tensor?[inputs.Length];
        var upstream = variables[count..].OfType<Tensor>().ToList();
        IList<Tensor> first = Gradients.Of(outputs, [.. used.Select(i => variables[i]!)], upstream,
            retainGraph: true, createGraph: true, allowUnused: true);
        int[] wanted = [.. Enumerable.Range(0, inputs.Length).Where(i => variables[i] is not null)];
        // What an output does not depend on comes back as a tensor without a handle.
        int[] defined = [.. Enumerable.Range(0, used.Length).Where(i => first[i] is { IsInvalid: false, requires_grad: true })];
        if (defined.Length == 0) return new Tensor?[inputs.Length];
        IList<Tensor> second = Gradients.Of([.. defined.Select(i => first[i])], [.. wanted.Select(i => variables[i]!)],
            [.. defined.Select(i => along[used[i]]!)], retainGraph: further, createGraph: further, allowUnused: true);
        var gradients = new Tensor?[inputs.Length];
        for (int i = 0; i < wanted.Length; i++) gradients[wanted[i]] = second[i] is { IsInvalid: false } g ? g : null;
        return gradients;
    }
}
