using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

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
        Tensor s = (1 / inner - 1 / (1 - inner)).sigmoid().where(between, t.le(0).to(t.dtype));
        Tensor g = s / (distances * distances + 1).sqrt() + (1 - s) / distances;
        if (double.IsFinite(cutoff)) g = (g + distances / (cutoff * cutoff) - 2 / cutoff) * distances.lt(cutoff).to(g.dtype);
        return (chargeProducts * g * (0.5 * CoulombConstant.ElectronVoltAngstrom)).MoveToOuterDisposeScope();
    }
}
