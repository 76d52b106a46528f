using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Moves a state on by one time step, in two halves about the evaluation of energy and forces, so that several states can be evaluated together.
/// </summary>
internal interface IIntegrator
{
    /// <summary>In units of time of <see cref="MechanicalUnits"/>.</summary>
    double Timestep { get; }

    /// <summary>eV: of the last step, as the temperature is taken from it.</summary>
    double KineticEnergy { get; }

    /// <summary>Up to the new positions. Energy and forces of the state are those of the old ones.</summary>
    void Begin(MolecularState state);

    /// <summary>Energy and forces of the state are those of the new positions.</summary>
    void End(MolecularState state);
}

internal static class IntegratorSteps
{
    /// <summary>A whole step of one state.</summary>
    public static void Step(this IIntegrator integrator, MolecularState state)
    {
        integrator.Begin(state);
        state.Evaluate();
        integrator.End(state);
    }
}

/// <summary>
/// Newton's equations at constant energy: half a kick, a drift, half a kick. Reversible, symplectic, second order (Swope, Andersen,
/// Berens, Wilson, J. Chem. Phys. 76, 637 (1982)).
/// </summary>
/// <param name="timestep">In units of time of <see cref="MechanicalUnits"/>; negative runs backwards.</param>
internal sealed class VelocityVerlet(double timestep) : IIntegrator
{
    public double Timestep { get; } = timestep;

    public double KineticEnergy { get; private set; }

    public void Begin(MolecularState state)
    {
        state.Kick(Timestep / 2);
        state.Drift(Timestep);
    }

    public void End(MolecularState state)
    {
        state.Kick(Timestep / 2);
        KineticEnergy = state.KineticEnergy;
    }
}

/// <summary>
/// Langevin dynamics at constant temperature by the splitting BAOAB, whose averages over positions are nearly free of a step-size error
/// (Leimkuhler and Matthews, J. Chem. Phys. 138, 174102 (2013)). Momenta at the ends of its steps are too cold, of an oscillator by (w dt / 2)^2;
/// those in the middle, between the kicks, have exactly the Maxwell distribution there, and it is they that the temperature is taken from. The noise
/// of step k is a function of seed and k alone.
/// </summary>
internal sealed class LangevinBaoab : IIntegrator
{
    private readonly double thermalEnergy;
    private readonly double kept;
    private readonly long seed;
    private readonly CellRescaling? barostat;
    private long step;

    /// <param name="timestep">In units of time of <see cref="MechanicalUnits"/>.</param>
    /// <param name="thermalEnergy">k T, eV.</param>
    /// <param name="friction">Per unit of time, for every atom.</param>
    /// <param name="seed">Same seed, same noise.</param>
    /// <param name="step">Steps that were done before: whose noise comes first.</param>
    /// <param name="barostat">Deforms the cell; null: it stays.</param>
    public LangevinBaoab(double timestep, double thermalEnergy, double friction, long seed, long step = 0, CellRescaling? barostat = null)
    {
        Timestep = timestep;
        this.thermalEnergy = thermalEnergy;
        kept = Math.Exp(-friction * timestep);
        this.seed = seed;
        this.step = step;
        this.barostat = barostat;
    }

    public double Timestep { get; }

    public double KineticEnergy { get; private set; }

    public void Begin(MolecularState state)
    {
        state.Kick(Timestep / 2);
        state.Drift(Timestep / 2);
        Exchange(state);
        KineticEnergy = state.KineticEnergy;
        state.Drift(Timestep / 2);
        barostat?.Rescale(state, Timestep, new CounterRandom((ulong)seed, (ulong)step + NoiseStreams.Cell));
        step++;
    }

    public void End(MolecularState state) => state.Kick(Timestep / 2);

    /// <summary>Friction and noise, exact over a whole step.</summary>
    private void Exchange(MolecularState state)
    {
        var noise = new CounterRandom((ulong)seed, (ulong)step + NoiseStreams.Steps);
        double width = Math.Sqrt(thermalEnergy * (1 - kept * kept));
        for (int i = 0; i < state.Momenta.Length; i++)
            state.Momenta[i] = kept * state.Momenta[i] + width * Math.Sqrt(state.Masses[i / 3]) * noise.NextNormal();
        state.Hold(state.Momenta);
    }
}

/// <summary>Streams of random numbers under one seed, so that none is used twice.</summary>
internal static class NoiseStreams
{
    public const ulong InitialMomenta = 0;

    /// <summary>The first of those of the steps.</summary>
    public const ulong Steps = 1;

    /// <summary>The first of those of the cell.</summary>
    public const ulong Cell = 1UL << 63;
}
