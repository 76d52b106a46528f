namespace ChemScale.Engine.Simulation;

/// <summary>What a dynamics holds constant.</summary>
public enum Ensemble
{
    /// <summary>The energy: velocity Verlet.</summary>
    Nve,

    /// <summary>The temperature, by friction and noise: BAOAB.</summary>
    Langevin,
}
