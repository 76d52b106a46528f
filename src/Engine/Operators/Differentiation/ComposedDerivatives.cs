using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>Derivatives beyond the kernels', by way of the operation's composed form, which has every order.</summary>
internal static class ComposedDerivatives
{
    /// <summary>Gradients with respect to an operation's inputs x, recorded: for functions without a double backward.</summary>
    /// <param name="composed">From x to the outputs.</param>
    /// <param name="inputs">x; null: absent</param>
    /// <param name="gradients">With respect to the outputs, one for each.</param>
    /// <returns>One for each x; null: none wanted, or zero</returns>
    public static Tensor?[] OfForward(
        Func<Tensor?[], Tensor[]> composed, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor> gradients)
    {
        var own = new Tensor?[inputs.Length];
        // Views, as below: one input may depend on another.
        for (int i = 0; i < own.Length; i++) own[i] = inputs[i] is { requires_grad: true } t ? t.view_as(t) : inputs[i];
        int[] wanted = [.. Enumerable.Range(0, own.Length).Where(i => own[i] is { requires_grad: true })];
        var results = new Tensor?[own.Length];
        if (wanted.Length == 0) return results;
        IList<Tensor> found = Gradients.Of(
            composed(own), [.. wanted.Select(i => own[i]!)], [.. gradients], true, true, true);
        for (int i = 0; i < wanted.Length; i++) results[wanted[i]] = found[i] is { IsInvalid: false } g ? g : null;
        return results;
    }

    /// <summary>
    /// Gradients with respect to everything a backward function was given, recorded for further ones where gradients are being recorded. It
    /// turned inputs x and output gradients g (null: zero) into input gradients.
    /// </summary>
    /// <param name="composed">From x to the outputs.</param>
    /// <param name="inputs">x; null: absent</param>
    /// <param name="gradients">g, in the order of the outputs</param>
    /// <param name="along">Gradients with respect to the input gradients, one for each x; null: none</param>
    /// <returns>One for each x, then one for each g; null: none wanted, or zero</returns>
    public static Tensor?[] OfBackward(
        Func<Tensor?[], Tensor?[]> composed, ReadOnlySpan<Tensor?> inputs, ReadOnlySpan<Tensor?> gradients, ReadOnlySpan<Tensor?> along)
    {
        bool further = is_grad_enabled();
        using var mode = enable_grad();
        int count = inputs.Length;
        // Views (alias() would make no node): g may itself depend on x, and that path is not this function's to follow.
        var own = new Tensor?[count + gradients.Length];
        for (int i = 0; i < own.Length; i++)
        {
            Tensor? t = i < count ? inputs[i] : gradients[i - count];
            own[i] = t is not { requires_grad: true } ? t : further ? t.view_as(t) : t.detach().requires_grad_();
        }
        int[] wanted = [.. Enumerable.Range(0, own.Length).Where(i => own[i] is { requires_grad: true })];
        List<Tensor> by = [], directions = [];
        for (int i = 0; i < along.Length; i++)
        {
            if (along[i] is not { } direction) continue;
            own[i] = own[i]!.requires_grad ? own[i] : own[i]!.detach().requires_grad_();
            by.Add(own[i]!);
            directions.Add(direction);
        }
        Tensor?[] outputs = composed(own[..count]);
        int[] given = [.. Enumerable.Range(0, outputs.Length).Where(i => own[count + i] is not null && outputs[i] is { requires_grad: true })];
        var results = new Tensor?[own.Length];
        if (given.Length == 0 || by.Count == 0) return results;
        Tensor[] from = [.. given.Select(i => outputs[i]!)], weights = [.. given.Select(i => own[count + i]!)];
        IList<Tensor> first = Gradients.Of(from, by, weights, true, true, true);
        // What an output does not depend on comes back as a tensor without a handle.
        int[] used = [.. Enumerable.Range(0, by.Count).Where(i => first[i] is { IsInvalid: false, requires_grad: true })];
        if (used.Length == 0 || wanted.Length == 0) return results;
        IList<Tensor> second = Gradients.Of([.. used.Select(i => first[i])], [.. wanted.Select(i => own[i]!)],
            [.. used.Select(i => directions[i])], retainGraph: further, createGraph: further, allowUnused: true);
        for (int i = 0; i < wanted.Length; i++) results[wanted[i]] = second[i] is { IsInvalid: false } g ? g : null;
        return results;
    }
}
