using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// What SpookyNet's atoms gather from their neighbours (Unke et al. 2021): with harmonics Y of the edge's direction,
/// y_i,m,f = sum over edges of i of Y_m radial_l(m),f x_sender,l(m),f; l = 0, 1, 2 have their own radial functions and sources.
/// </summary>
public static class LocalMessages
{
    /// <param name="radial">(edges, 3 F) the three orders side by side</param>
    /// <param name="sources">(atoms, 3 F)</param>
    /// <param name="harmonics">(edges, 9) orders 0, 1, 2</param>
    /// <param name="senders">(edges) int64</param>
    /// <param name="receivers">(edges) int64</param>
    /// <returns>(atoms, 9, F)</returns>
    public static Tensor Apply(Tensor radial, Tensor sources, Tensor harmonics, Tensor senders, Tensor receivers)
    {
        using DisposeScope scope = NewDisposeScope();
        long edges = radial.shape[0], atoms = sources.shape[0], f = radial.shape[1] / 3;
        Tensor products = (radial * sources.index_select(0, senders)).view(edges, 3, f);
        Tensor angles = harmonics.unsqueeze(2);
        Tensor messages = cat([.. Enumerable.Range(0, 3).Select(l => products.narrow(1, l, 1) * angles.narrow(1, l * l, 2 * l + 1))], 1);
        return zeros([atoms, 9, f], dtype: radial.dtype, device: radial.device).index_add(0, receivers, messages, 1).MoveToOuterDisposeScope();
    }
}
