using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.SchNet;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One interaction of SchNet: x += f2out(convolution(in2f x)).</summary>
internal sealed class SchNetInteraction
{
    private readonly Dense input;
    private readonly Dense filter1;
    private readonly Dense filter2;
    private readonly Dense output1;
    private readonly Dense output2;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="config">Features, filters and radial functions.</param>
    /// <param name="init">Makes the parameters.</param>
    public SchNetInteraction(ModulePath at, SchNetConfig config, ParameterInit init)
    {
        int features = config.Features, filters = config.FilterWidth;
        input = at.Add("in2f", new Dense(features, filters, init, bias: false));
        filter1 = at.Add("filter1", new Dense(config.RadialFunctions, filters, init));
        filter2 = at.Add("filter2", new Dense(filters, filters, init));
        output1 = at.Add("output1", new Dense(filters, features, init));
        output2 = at.Add("output2", new Dense(features, features, init));
    }

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">The edges.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, in EdgeFeatures edges)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor messages = ContinuousFilter.Apply(input.Forward(x), edges, filter1.Weight, filter1.Bias!, filter2.Weight, filter2.Bias!);
        return (x + output2.Forward(ShiftedSoftplus.Apply(output1.Forward(messages)))).MoveToOuterDisposeScope();
    }

    public IEnumerable<(string Name, Parameter Weight)> Named(string name) =>
    [
        .. input.Named(name + ".in2f"),
        .. output1.Named(name + ".f2out.0"), .. output2.Named(name + ".f2out.1"),
        .. filter1.Named(name + ".filter_network.0"), .. filter2.Named(name + ".filter_network.1"),
    ];
}
