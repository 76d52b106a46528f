using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.SpookyNet;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Messages of orders s, p, d from the neighbours, made invariant by products of two projections (Unke et al. 2021, equations 12 and 13).
/// </summary>
internal sealed class LocalInteraction
{
    private readonly Dense[] radial;
    private readonly ResidualMlp own;
    private readonly ResidualMlp[] sources;
    private readonly Dense projectionP;
    private readonly Dense projectionD;
    private readonly ResidualMlp output;

    public LocalInteraction(ModulePath at, int features, int radialFunctions, ParameterInit init)
    {
        string[] orders = ["s", "p", "d"];
        radial = [.. orders.Select(l => at.Add($"radial_{l}", new Dense(radialFunctions, features, init, bias: false)))];
        own = new ResidualMlp(at.At("resblock_x"), features, init);
        sources = [.. orders.Select(l => new ResidualMlp(at.At($"resblock_{l}"), features, init))];
        projectionP = at.Add("projection_p", new Dense(features, 2 * features, init, bias: false));
        projectionD = at.Add("projection_d", new Dense(features, 2 * features, init, bias: false));
        output = new ResidualMlp(at.At("resblock"), features, init);
    }

    public static long Count(long features, long radialFunctions) =>
        3 * Dense.Count(radialFunctions, features, bias: false) + 5 * ResidualMlp.Count(features) + 2 * Dense.Count(features, 2 * features, bias: false);

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">Those within the cutoff.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, in SpookyNetEdges edges)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor filters = nn.functional.linear(edges.Radial, cat([.. radial.Select(r => r.Weight)], 0));
        Tensor sent = cat([.. sources.Select(s => s.Forward(x))], 1);
        Tensor gathered = LocalMessages.Apply(filters, sent, edges.Harmonics, edges.Senders, edges.Receivers);
        Tensor scalars = own.Forward(x) + gathered.select(1, 0);
        scalars = scalars + Invariant(gathered.narrow(1, 1, 3), projectionP) + Invariant(gathered.narrow(1, 4, 5), projectionD);
        return output.Forward(scalars).MoveToOuterDisposeScope();
    }

    private static Tensor Invariant(Tensor components, Dense projection)
    {
        Tensor projected = projection.Forward(components);
        long f = components.shape[2];
        return (projected.narrow(2, 0, f) * projected.narrow(2, f, f)).sum(1);
    }
}
