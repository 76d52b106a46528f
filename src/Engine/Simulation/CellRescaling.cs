using ChemScale.Engine.Atoms;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Constant pressure by stochastic cell rescaling: of the volume (Bernetti and Bussi, J. Chem. Phys. 153, 114107 (2020), in the square root of the volume,
/// where the noise does not depend on it), or of the whole cell without its rotation (Del Tatto, Raiteri, Bernetti, Bussi, Appl. Sci. 12, 1139 (2022)).
/// Positions go with the cell, momenta against it. The pressure is that of the last evaluation, with momenta of the middle of the step.
/// </summary>
/// <param name="pressure">eV/A^3</param>
/// <param name="thermalEnergy">k T, eV</param>
/// <param name="rate">A^3/eV per unit of time: compressibility over the time in which the pressure shall settle.</param>
/// <param name="anisotropic">Whether the shape may change.</param>
internal sealed class CellRescaling(double pressure, double thermalEnergy, double rate, bool anisotropic)
{
    // Of a length, in one step: more is an explosion, or a rate that was meant otherwise.
    private const double MostStretch = 0.1;

    /// <exception cref="InputException">The cell would change too much in one step.</exception>
    public void Rescale(MolecularState state, double timestep, CounterRandom noise)
    {
        double[] stretch = anisotropic ? Shape(state, timestep, noise) : Volume(state, timestep, noise);
        double[] inverse = CellGeometry.Inverse(stretch);
        for (int k = 0; k < 9; k++)
        {
            if (!(Math.Abs(stretch[k] - (k % 4 == 0 ? 1 : 0)) <= MostStretch))
                throw new InputException("cell", $"the barostat would deform the cell by {stretch[k] - (k % 4 == 0 ? 1 : 0):G3} in one step", $"at most {MostStretch}");
        }
        state.Cell = CellGeometry.Product(state.Cell!, stretch);
        Multiply(state.Positions, stretch);
        Multiply(state.Momenta, inverse);
    }

    private double[] Volume(MolecularState state, double timestep, CounterRandom noise)
    {
        double[] p = state.Pressure;
        double volume = state.Volume, root = Math.Sqrt(volume), now = (p[0] + p[4] + p[8]) / 3;
        double drift = -root / 2 * rate * (pressure - now - thermalEnergy / (2 * volume)) * timestep;
        double next = root + drift + Math.Sqrt(thermalEnergy * rate / 2 * timestep) * noise.NextNormal();
        double factor = Math.Cbrt(next * next / volume);
        return [factor, 0, 0, 0, factor, 0, 0, 0, factor];
    }

    /// <summary>The symmetric factor of 1 + drift + noise: what is left is a rotation, which means nothing.</summary>
    private double[] Shape(MolecularState state, double timestep, CounterRandom noise)
    {
        double[] p = state.Pressure, change = new double[9];
        double volume = state.Volume, width = Math.Sqrt(2 * rate * thermalEnergy / (3 * volume) * timestep);
        for (int k = 0; k < 9; k++)
        {
            double excess = (k % 4 == 0 ? pressure - thermalEnergy / volume : 0) - p[k];
            change[k] = (k % 4 == 0 ? 1 : 0) - rate / 3 * excess * timestep + width * noise.NextNormal();
        }
        double[] square = CellGeometry.Product(CellGeometry.Transposed(change), change), axes = new double[9], stretch = new double[9];
        SymmetricEigen.Decompose(square, axes, 3);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++)
                for (int k = 0; k < 3; k++) stretch[3 * a + b] += axes[3 * a + k] * Math.Sqrt(square[4 * k]) * axes[3 * b + k];
        return stretch;
    }

    /// <summary>Row vectors times a symmetric matrix.</summary>
    private static void Multiply(double[] vectors, double[] m)
    {
        for (int i = 0; i < vectors.Length; i += 3)
        {
            double x = vectors[i], y = vectors[i + 1], z = vectors[i + 2];
            for (int k = 0; k < 3; k++) vectors[i + k] = x * m[k] + y * m[3 + k] + z * m[6 + k];
        }
    }
}
