namespace ChemScale.Engine.Simulation;

/// <summary>Why a simulation ended.</summary>
public enum SimulationEnd
{
    /// <summary>All steps are done.</summary>
    Steps,

    /// <summary>A relaxation has reached its force tolerance.</summary>
    Converged,

    /// <summary>It was told to stop; what was done until then is written.</summary>
    Stopped,
}
