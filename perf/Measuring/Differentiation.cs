using ChemScale.Engine.Operators.Differentiation;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Measuring;

/// <summary>A step that runs an operation, differentiates it and, where training on forces would, differentiates the derivatives.</summary>
internal sealed class Differentiation
{
    /// <summary>The operation.</summary>
    public required Func<Tensor[]> Forward { get; init; }

    /// <summary>What the outputs are differentiated by.</summary>
    public required Tensor[] Inputs { get; init; }

    /// <summary>How many of the inputs' gradients, from the first on, are differentiated once more; 0: none.</summary>
    public int Twice { get; init; }

    /// <summary>Times forward, backward and, with <see cref="Twice"/>, double backward, by the inputs and by what came into the first.</summary>
    public void Step(PassClock clock)
    {
        using DisposeScope scope = NewDisposeScope();
        bool twice = Twice > 0;
        Tensor[] outputs = [];
        IList<Tensor> gradients = [];
        clock.Time(Pass.Forward, () => outputs = Forward());
        Tensor[] ahead = [.. outputs.Select(o => twice ? ones_like(o).requires_grad_() : ones_like(o))];
        clock.Time(Pass.Backward,
            () => gradients = Gradients.Of(outputs, Inputs, ahead, retainGraph: twice, createGraph: twice, allowUnused: true));
        if (twice)
        {
            Tensor[] used = [.. gradients.Take(Twice).Where(g => g is { IsInvalid: false, requires_grad: true })];
            Tensor[] along = [.. used.Select(t => ones_like(t))];
            clock.Time(Pass.DoubleBackward, () => Gradients.Of(used, [.. Inputs, .. ahead], along, allowUnused: true));
        }
    }
}
