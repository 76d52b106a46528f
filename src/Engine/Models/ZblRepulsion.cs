using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.SpookyNet;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>The universal ZBL repulsion with its ten numbers learned; positive by softplus.</summary>
internal sealed class ZblRepulsion
{
    public const long Count = 10;

    private const double Bohr = 0.52917721067;

    private readonly Parameter inverseLength;
    private readonly Parameter power;
    private readonly Parameter[] weights;
    private readonly Parameter[] exponents;

    public ZblRepulsion(ModulePath at, ParameterInit init)
    {
        inverseLength = Positive("_adiv", 1 / (0.8854 * Bohr));
        power = Positive("_apow", 0.23);
        weights = [Positive("_c1", 0.18180), Positive("_c2", 0.50990), Positive("_c3", 0.28020), Positive("_c4", 0.02817)];
        exponents = [Positive("_a1", 3.20000), Positive("_a2", 0.94230), Positive("_a3", 0.40280), Positive("_a4", 0.20160)];

        // softplus of the stored number is the value.
        Parameter Positive(string name, double value) => at.Add(name, init.Constant(Math.Log(Math.Exp(value) - 1), 1));
    }

    /// <summary>As <see cref="SpookyNetEnergies"/> has them.</summary>
    public IEnumerable<Tensor> Weights => [inverseLength, power, .. weights, .. exponents];

    /// <param name="atomicNumbers">(atoms) int64</param>
    /// <param name="edges">Those within the cutoff.</param>
    /// <returns>(edges, 1) eV: each atom's half of a pair</returns>
    public Tensor Forward(Tensor atomicNumbers, in SpookyNetEdges edges)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor c = nn.functional.softplus(cat(weights, 0)), a = nn.functional.softplus(cat(exponents, 0));
        return ZblPair.Apply(edges.Distances, edges.Envelope, atomicNumbers.to(c.dtype).unsqueeze(1), edges.Senders, edges.Receivers,
            nn.functional.softplus(power), nn.functional.softplus(inverseLength), c / c.sum(), a).MoveToOuterDisposeScope();
    }
}
