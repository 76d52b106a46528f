using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Tells the atoms of a frame its total charge or spin (Unke et al. 2021, equation 10): each takes a share that depends on its element;
/// the shares add up to one. A frame without charge or spin gives zero, exactly.
/// </summary>
internal sealed class ElectronicEmbedding
{
    private const double SumFloor = 1e-8;

    private readonly bool isCharge;
    private readonly Dense query;
    private readonly Dense key;
    private readonly Dense value;
    private readonly ResidualMlp block;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="features">F</param>
    /// <param name="isCharge">Whether either sign has a direction of its own; else the sign does not matter.</param>
    /// <param name="init">Makes the parameters.</param>
    public ElectronicEmbedding(ModulePath at, int features, bool isCharge, ParameterInit init)
    {
        this.isCharge = isCharge;
        int signs = isCharge ? 2 : 1;
        query = at.Add("linear_q", new Dense(features, features, init));
        key = at.Add("linear_k", new Dense(signs, features, init, bias: false));
        value = at.Add("linear_v", new Dense(signs, features, init, bias: false));
        block = new ResidualMlp(at.At("resblock"), features, init, bias: false);
    }

    public static long Count(long features, bool isCharge) =>
        Dense.Count(features, features) + 2 * Dense.Count(isCharge ? 2 : 1, features, bias: false) + ResidualMlp.Count(features, bias: false);

    /// <param name="elements">(atoms, F)</param>
    /// <param name="amounts">(frames) charge or unpaired electrons</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor elements, Tensor amounts, Tensor frameOfAtom)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor e = (isCharge ? stack([amounts, -amounts], 1).relu() : amounts.abs().unsqueeze(1)).to(elements.dtype);
        Tensor k = key.Forward(e / e.clamp(min: 1)), v = value.Forward(e);
        Tensor scores = (query.Forward(elements) * k.index_select(0, frameOfAtom)).sum(1) / Math.Sqrt(elements.shape[1]);
        Tensor a = nn.functional.softplus(scores);
        Tensor total = zeros(amounts.shape[0], dtype: a.dtype, device: a.device).index_add(0, frameOfAtom, a, 1) + SumFloor;
        Tensor share = (a / total.index_select(0, frameOfAtom)).unsqueeze(1);
        return block.Forward(share * v.index_select(0, frameOfAtom)).MoveToOuterDisposeScope();
    }
}
