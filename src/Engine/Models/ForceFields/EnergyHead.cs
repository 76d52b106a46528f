using ChemScale.Engine.Models.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models.ForceFields;

/// <summary>An atom's energy from its features: W1 silu(W0 x + b0) + b1, half as wide within.</summary>
internal sealed class EnergyHead : nn.Module
{
    private readonly Dense hidden;
    private readonly Dense energy;

    public EnergyHead(int features, ParameterInit init)
        : base(nameof(EnergyHead))
    {
        hidden = new Dense(features, features / 2, init);
        energy = new Dense(features / 2, 1, init);
        register_module("hidden", hidden);
        register_module("energy", energy);
    }

    public static long Count(long features) => Dense.Count(features, features / 2) + Dense.Count(features / 2, 1);

    /// <param name="features">(atoms, F)</param>
    /// <returns>(atoms)</returns>
    public Tensor Forward(Tensor features)
    {
        using DisposeScope scope = NewDisposeScope();
        return energy.Forward(nn.functional.silu(hidden.Forward(features))).squeeze(1).MoveToOuterDisposeScope();
    }

    public IEnumerable<(string Name, Parameter Weight)> Named(string name) =>
        hidden.Named(name + ".0").Concat(energy.Named(name + ".1"));
}
