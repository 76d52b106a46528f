using ChemScale.Engine.Numerics;
using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Simulation;

/// <summary>How a simulation starts to move.</summary>
internal static class InitialMomenta
{
    /// <summary>A principal moment of inertia below this share of the largest is that of a line of atoms about itself.</summary>
    private const double Straight = 1e-9;

    /// <summary>A share of the kinetic energy that rounding and a file's digits leave in a motion that was stopped.</summary>
    private const double Negligible = 1e-9;

    /// <summary>Draws momenta from the Maxwell-Boltzmann distribution: not rescaled, so that the temperature itself fluctuates.</summary>
    /// <param name="state">Its momenta are replaced.</param>
    /// <param name="thermalEnergy">k T, eV.</param>
    /// <param name="seed">Same seed, same momenta.</param>
    public static void Draw(MolecularState state, double thermalEnergy, long seed)
    {
        var random = new CounterRandom((ulong)seed, NoiseStreams.InitialMomenta);
        for (int i = 0; i < state.Momenta.Length; i++)
            state.Momenta[i] = Math.Sqrt(thermalEnergy * state.Masses[i / 3]) * random.NextNormal();
    }

    /// <summary>Takes away the velocity of the centre of mass.</summary>
    /// <returns>Degrees of freedom that are still from now on: 3.</returns>
    public static int StopTranslation(MolecularState state)
    {
        double[] velocity = MassWeighted(state, state.Momenta, weigh: false);
        for (int i = 0; i < state.Momenta.Length; i++) state.Momenta[i] -= state.Masses[i / 3] * velocity[i % 3];
        return 3;
    }

    /// <summary>Takes away the rotation about the centre of mass; the translation has been taken away before.</summary>
    /// <returns>Degrees of freedom that are still from now on: 3, of atoms on a line 2, of one atom 0.</returns>
    public static int StopRotation(MolecularState state)
    {
        double[] centre = MassWeighted(state, state.Positions, weigh: true);
        double[] inertia = new double[9], momentum = new double[3], axes = new double[9], rotation = new double[3];
        for (int i = 0; i < state.Atoms; i++)
        {
            double[] r = Arm(state, centre, i);
            double m = state.Masses[i], square = r[0] * r[0] + r[1] * r[1] + r[2] * r[2];
            for (int a = 0; a < 3; a++)
            {
                int b = (a + 1) % 3, c = (a + 2) % 3;
                momentum[a] += r[b] * state.Momenta[3 * i + c] - r[c] * state.Momenta[3 * i + b];
                for (int d = 0; d < 3; d++) inertia[3 * a + d] += m * ((a == d ? square : 0) - r[a] * r[d]);
            }
        }
        SymmetricEigen.Decompose(inertia, axes, 3);
        double largest = Math.Max(inertia[0], Math.Max(inertia[4], inertia[8]));
        int stopped = 0;
        for (int k = 0; k < 3; k++)
        {
            if (!(inertia[4 * k] > Straight * largest)) continue;
            stopped++;
            double along = (axes[k] * momentum[0] + axes[3 + k] * momentum[1] + axes[6 + k] * momentum[2]) / inertia[4 * k];
            for (int a = 0; a < 3; a++) rotation[a] += along * axes[3 * a + k];
        }
        for (int i = 0; i < state.Atoms; i++)
        {
            double[] r = Arm(state, centre, i);
            for (int a = 0; a < 3; a++)
            {
                int b = (a + 1) % 3, c = (a + 2) % 3;
                state.Momenta[3 * i + a] -= state.Masses[i] * (rotation[b] * r[c] - rotation[c] * r[b]);
            }
        }
        return stopped;
    }

    /// <summary>How much of the motion of the whole a state at constant energy does not have, and cannot get: its momenta stay as they are.</summary>
    /// <returns>Degrees of freedom: of translation 3 or 0, of rotation 3, 2 or 0.</returns>
    public static int Still(MolecularState state)
    {
        if (state.FreeAtoms < state.Atoms) return 0;
        double[] before = [.. state.Momenta];
        try
        {
            // Energy tells, as it does where the atoms are far from the origin.
            double all = state.KineticEnergy;
            int translation = StopTranslation(state);
            double inside = state.KineticEnergy;
            if (all - inside > Negligible * all) translation = 0;
            if (state.IsPeriodic) return translation;
            int rotation = StopRotation(state);
            return translation + (inside - state.KineticEnergy > Negligible * all ? 0 : rotation);
        }
        finally
        {
            before.CopyTo(state.Momenta, 0);
        }
    }

    private static double[] Arm(MolecularState state, double[] centre, int atom) =>
        [state.Positions[3 * atom] - centre[0], state.Positions[3 * atom + 1] - centre[1], state.Positions[3 * atom + 2] - centre[2]];

    /// <summary>(3) The sum over atoms, each times its mass or not, over the total mass.</summary>
    private static double[] MassWeighted(MolecularState state, double[] values, bool weigh)
    {
        double[] sum = new double[3];
        for (int i = 0; i < values.Length; i++) sum[i % 3] += values[i] * (weigh ? state.Masses[i / 3] : 1);
        double total = state.Masses.Sum();
        for (int k = 0; k < 3; k++) sum[k] /= total;
        return sum;
    }
}
