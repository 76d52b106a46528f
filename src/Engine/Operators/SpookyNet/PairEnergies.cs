using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SpookyNet;

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
        Tensor screening = (Underflow.Exp(scaled * -exponents) * weights).sum(1, keepdim: true);
        return (zi * zj / distances * envelope * screening * (0.5 * CoulombConstant.ElectronVoltAngstrom)).MoveToOuterDisposeScope();
    }
}

/// <summary>
/// Electrostatic energy of point charges, shielded where they come close: (ke / 2) q_i q_j g(d) for each atom i of a pair, where
/// g = s / sqrt(d^2 + 1) + (1 - s) / d and s falls smoothly from 1 to 0 between two distances (Unke et al. 2021). With a cutoff c,
/// g + d / c^2 - 2 / c up to c, so that energy and force vanish there.
/// </summary>
public static class ShieldedCoulomb
{
    /// <param name="distances">(edges, 1) A; every pair in both directions</param>
    /// <param name="chargeProducts">(edges, 1) q_i q_j, e^2</param>
    /// <param name="switchOn">A: s = 1 up to here.</param>
    /// <param name="switchOff">A: s = 0 from here on.</param>
    /// <param name="cutoff">A, at least <paramref name="switchOff"/>; infinite: none.</param>
    /// <returns>(edges, 1) eV</returns>
    public static Tensor Apply(Tensor distances, Tensor chargeProducts, double switchOn, double switchOff, double cutoff)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor t = (distances - switchOn) / (switchOff - switchOn);
        Tensor between = t.gt(0) & t.lt(1);
        // Outside the interval the argument is put at its middle, where it has a value, and its result not used.
        Tensor inner = t.where(between, full_like(t, 0.5));
        Tensor s = Underflow.Sigmoid(1 / inner - 1 / (1 - inner)).where(between, t.le(0).to(t.dtype));
        Tensor g = s / (distances * distances + 1).sqrt() + (1 - s) / distances;
        if (double.IsFinite(cutoff)) g = (g + distances / (cutoff * cutoff) - 2 / cutoff) * distances.lt(cutoff).to(g.dtype);
        return (chargeProducts * g * (0.5 * CoulombConstant.ElectronVoltAngstrom)).MoveToOuterDisposeScope();
    }
}

/// <summary>e^2 / (4 pi epsilon_0)</summary>
public static class CoulombConstant
{
    /// <summary>eV A: Hartree times bohr, with the constants of CODATA 2014 that SpookyNet was published with.</summary>
    public const double ElectronVoltAngstrom = 14.399645351950548;
}
