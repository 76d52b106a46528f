using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// Screened repulsion of nuclei (Ziegler, Biersack and Littmark 1985): (ke / 2) Z_i Z_j / d f(d) sum_k c_k exp(-a_k d / a), for each atom i
/// of a pair, 1 / a = (Z_i^p + Z_j^p) s.
/// </summary>
public static class ZblPair
{
    /// <param name="distances">(edges, 1) A</param>
    /// <param name="envelope">(edges, 1) f(d)</param>
    /// <param name="nuclear">(atoms, 1) Z</param>
    /// <param name="senders">(edges) int64</param>
    /// <param name="receivers">(edges) int64</param>
    /// <param name="power">(1) p</param>
    /// <param name="inverseLength">(1) s, 1/A</param>
    /// <param name="weights">(4) c_k, summing to 1</param>
    /// <param name="exponents">(4) a_k</param>
    /// <returns>(edges, 1) eV</returns>
    public static Tensor Apply(Tensor distances, Tensor envelope, Tensor nuclear, Tensor senders, Tensor receivers,
        Tensor power, Tensor inverseLength, Tensor weights, Tensor exponents)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor zi = nuclear.index_select(0, receivers), zj = nuclear.index_select(0, senders);
        Tensor scaled = distances * (zi.pow(power) + zj.pow(power)) * inverseLength;
        Tensor screening = ((scaled * -exponents).exp() * weights).sum(1, keepdim: true);
        return (zi * zj / distances * envelope * screening * (0.5 * CoulombConstant.ElectronVoltAngstrom)).MoveToOuterDisposeScope();
    }
}
