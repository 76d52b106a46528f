namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>How a session with a server ended.</summary>
public enum IpiEnd
{
    /// <summary>The server said EXIT.</summary>
    Exit,

    /// <summary>The server closed the connection between two messages, as ASE does.</summary>
    Closed,
}
