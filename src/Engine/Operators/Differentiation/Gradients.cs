using System.Collections.Concurrent;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>A Backward threw; the pass that it belonged to gave no gradients. The inner exception is what was thrown.</summary>
public sealed class BackwardException : Exception
{
    internal BackwardException(Exception reason)
        : base("a backward pass failed: " + reason.Message, reason)
    {
    }
}

/// <summary>
/// Every backward pass of the engine. What an <see cref="AutogradFunction"/> throws meanwhile is thrown when the pass is over, by that pass
/// and no other; a pass within a pass throws into the outer one's Backward, and so on outwards. It must not leave libtorch: TorchSharp lets
/// an error of <c>autograd.grad</c> end the process.
/// </summary>
public static class Gradients
{
    private static readonly ConcurrentDictionary<Pass, bool> Passes = [];

    [ThreadStatic]
    private static Pass? present;

    [ThreadStatic]
    private static int callbacks;

    /// <summary>Whether this thread is within a pass.</summary>
    internal static bool InPass => present is not null;

    /// <summary>Adds gradients by the leaves to their <c>grad</c>.</summary>
    /// <param name="output">A scalar, or with <paramref name="gradient"/> any tensor.</param>
    /// <param name="gradient">With respect to the output, in its shape.</param>
    /// <exception cref="BackwardException">A Backward threw: what was added meanwhile is no gradient.</exception>
    public static void Backward(Tensor output, Tensor? gradient = null) => Run(() =>
    {
#pragma warning disable RS0030 // Here, and below, is the one place.
        if (gradient is null) output.backward();
        else output.backward([gradient]);
#pragma warning restore RS0030
        return true;
    });

    /// <summary>Gradients of outputs, one for each input, as <c>torch.autograd.grad</c> gives them.</summary>
    /// <param name="outputs">Scalars, or with <paramref name="gradients"/> any tensors.</param>
    /// <param name="inputs">What to differentiate by.</param>
    /// <param name="gradients">With respect to the outputs, one for each.</param>
    /// <param name="retainGraph">Whether the graph can be passed once more.</param>
    /// <param name="createGraph">Whether what is returned can be differentiated in turn.</param>
    /// <param name="allowUnused">Whether an input that no output depends on has an invalid tensor for its gradient, instead of an exception.</param>
    /// <exception cref="BackwardException">A Backward threw.</exception>
    /// <exception cref="ArgumentException">An output that is no scalar without a gradient, or that depends on nothing; an input not depended on.</exception>
    public static IList<Tensor> Of(IList<Tensor> outputs, IList<Tensor> inputs, IList<Tensor>? gradients = null,
        bool retainGraph = false, bool createGraph = false, bool allowUnused = false)
    {
        if (gradients is null && outputs.Any(o => o.numel() != 1)) throw new ArgumentException("no gradient for an output that is no scalar", nameof(gradients));
        if (!outputs.All(o => o.requires_grad)) throw new ArgumentException("an output that depends on nothing", nameof(outputs));
        if (!inputs.All(i => i.requires_grad)) throw new ArgumentException("an input that wants no gradient", nameof(inputs));
#pragma warning disable RS0030
        IList<Tensor> found = Run(() => autograd.grad(outputs, inputs, gradients, retainGraph, createGraph, allow_unused: true));
#pragma warning restore RS0030
        return allowUnused || !found.Any(g => g.IsInvalid) ? found : throw new ArgumentException("an input that no output depends on", nameof(inputs));
    }

    /// <summary>Runs a node's Backward; null where it threw.</summary>
    /// <param name="scope">The run that the node belongs to.</param>
    /// <param name="backward">What to run.</param>
    /// <param name="refuse">Nobody would hear of the failure: libtorch itself is to refuse the node's answer.</param>
    internal static T? Within<T>(RunScope scope, Func<T> backward, out bool refuse)
        where T : class
    {
        refuse = false;
        callbacks++;
        try
        {
            return backward();
        }
#pragma warning disable CA1031 // Whatever it is, it must not unwind into native frames; the pass rethrows it.
        catch (Exception e)
        {
            refuse = !Note(e is BackwardException { InnerException: { } inner } ? inner : e, scope);
            return null;
        }
#pragma warning restore CA1031
        finally
        {
            callbacks--;
        }
    }

    /// <summary>
    /// A thread that asked for a pass runs nodes of that pass alone. libtorch's own threads (those of a CUDA device, and of very deep passes
    /// within passes) serve all; there every pass of the node's run fails that is under way, or of all runs where that one has none.
    /// </summary>
    private static bool Note(Exception reason, RunScope scope)
    {
        Pass[] failed = present is { Asked: true } own ? [own] : [.. Passes.Keys.Where(p => p.Scope == scope)];
        if (failed.Length == 0) failed = [.. Passes.Keys];
        foreach (Pass pass in failed) pass.Failure ??= reason;
        return failed.Length > 0;
    }

    private static T Run<T>(Func<T> pass)
    {
        var own = new Pass(present, RunScope.Current, present?.Asked ?? callbacks == 0);
        Passes[own] = true;
        present = own;
        try
        {
            T result = pass();
            return own.Failure is null ? result : throw new BackwardException(own.Failure);
        }
        catch (Exception e) when (e is not BackwardException && own.Failure is not null)
        {
            throw new BackwardException(own.Failure);
        }
        finally
        {
            present = own.Outer;
            Passes.TryRemove(own, out _);
            AutogradNode.ReleaseReturned();
        }
    }

    /// <param name="outer">That which it is within.</param>
    /// <param name="scope">The run it belongs to.</param>
    /// <param name="asked">Whether its thread asked for it of its own accord, not as one of libtorch's.</param>
    private sealed class Pass(Pass? outer, RunScope scope, bool asked)
    {
        public Pass? Outer => outer;

        public RunScope Scope => scope;

        public bool Asked => asked;

        public volatile Exception? Failure;
    }
}
