using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One interaction of SchNet: x += f2out(convolution(in2f x)).</summary>
internal sealed class SchNetInteraction : nn.Module
{
    private readonly Dense input;
    private readonly Dense filter1;
    private readonly Dense filter2;
    private readonly Dense output1;
    private readonly Dense output2;

    public SchNetInteraction(SchNetConfig config, ParameterInit init)
        : base(nameof(SchNetInteraction))
    {
        int features = config.Features, filters = config.FilterWidth;
        input = new Dense(features, filters, init, bias: false);
        filter1 = new Dense(config.RadialFunctions, filters, init);
        filter2 = new Dense(filters, filters, init);
        output1 = new Dense(filters, features, init);
        output2 = new Dense(features, features, init);
        register_module("in2f", input);
        register_module("filter1", filter1);
        register_module("filter2", filter2);
        register_module("output1", output1);
        register_module("output2", output2);
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
