using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Simulation;

/// <summary>Moves a state on by one time step. Energy and forces of the state are those of its positions before and after.</summary>
internal interface IIntegrator
{
    /// <summary>In units of time of <see cref="MechanicalUnits"/>.</summary>
    double Timestep { get; }

    void Step(MolecularState state);
}

/// <summary>
/// Newton's equations at constant energy: half a kick, a drift, half a kick. Reversible, symplectic, second order (Swope, Andersen,
/// Berens, Wilson, J. Chem. Phys. 76, 637 (1982)).
/// </summary>
/// <param name="timestep">In units of time of <see cref="MechanicalUnits"/>; negative runs backwards.</param>
internal sealed class VelocityVerlet(double timestep) : IIntegrator
{
    public double Timestep { get; } = timestep;

    public void Step(MolecularState state)
    {
        state.Kick(Timestep / 2);
        state.Drift(Timestep);
        state.Evaluate();
        state.Kick(Timestep / 2);
    }
}

/// <summary>
/// Langevin dynamics at constant temperature by the splitting BAOAB, whose averages over positions are nearly free of a step-size error
/// (Leimkuhler and Matthews, J. Chem. Phys. 138, 174102 (2013)). The noise of step k is a function of seed and k alone.
/// </summary>
/// <param name="timestep">In units of time of <see cref="MechanicalUnits"/>.</param>
/// <param name="thermalEnergy">k T, eV.</param>
/// <param name="friction">Per unit of time, for every atom.</param>
/// <param name="seed">Same seed, same noise.</param>
internal sealed class LangevinBaoab(double timestep, double thermalEnergy, double friction, long seed) : IIntegrator
{
    private readonly double kept = Math.Exp(-friction * timestep);
    private long step;

    public double Timestep { get; } = timestep;

    public void Step(MolecularState state)
    {
        state.Kick(Timestep / 2);
        state.Drift(Timestep / 2);
        Exchange(state);
        state.Drift(Timestep / 2);
        state.Evaluate();
        state.Kick(Timestep / 2);
        step++;
    }

    /// <summary>Friction and noise, exact over a whole step.</summary>
    private void Exchange(MolecularState state)
    {
        var noise = new CounterRandom((ulong)seed, (ulong)step + NoiseStreams.Steps);
        double width = Math.Sqrt(thermalEnergy * (1 - kept * kept));
        for (int i = 0; i < state.Momenta.Length; i++)
            state.Momenta[i] = kept * state.Momenta[i] + width * Math.Sqrt(state.Masses[i / 3]) * noise.NextNormal();
    }
}

/// <summary>Streams of random numbers under one seed, so that none is used twice.</summary>
internal static class NoiseStreams
{
    public const ulong InitialMomenta = 0;

    /// <summary>The first of those of the steps.</summary>
    public const ulong Steps = 1;
}
