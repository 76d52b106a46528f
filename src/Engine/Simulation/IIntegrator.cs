namespace ChemScale.Engine.Simulation;

/// <summary>Moves a state on by one time step. Energy and forces of the state are those of its positions before and after.</summary>
public interface IIntegrator
{
    /// <summary>In units of time of <see cref="MechanicalUnits"/>.</summary>
    double Timestep { get; }

    void Step(MolecularState state);
}
