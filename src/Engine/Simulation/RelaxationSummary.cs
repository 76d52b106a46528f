namespace ChemScale.Engine.Simulation;

/// <summary>What a relaxation did.</summary>
public sealed record RelaxationSummary
{
    public required string Folder { get; init; }

    public required SimulationEnd End { get; init; }

    public required int Atoms { get; init; }

    /// <summary>Done.</summary>
    public required long Steps { get; init; }

    /// <summary>eV/A, as asked for.</summary>
    public required double ForceTolerance { get; init; }

    /// <summary>eV/A: the longest force on an atom at the end.</summary>
    public required double MaximumForce { get; init; }

    /// <summary>eV.</summary>
    public required double FirstEnergy { get; init; }

    /// <summary>eV.</summary>
    public required double LastEnergy { get; init; }

    public required double Seconds { get; init; }
}
