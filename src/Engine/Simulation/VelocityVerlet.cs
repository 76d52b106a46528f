namespace ChemScale.Engine.Simulation;

/// <summary>
/// Newton's equations at constant energy: half a kick, a drift, half a kick. Reversible, symplectic, second order (Swope, Andersen,
/// Berens, Wilson, J. Chem. Phys. 76, 637 (1982)).
/// </summary>
/// <param name="timestep">In units of time of <see cref="MechanicalUnits"/>; negative runs backwards.</param>
public sealed class VelocityVerlet(double timestep) : IIntegrator
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
