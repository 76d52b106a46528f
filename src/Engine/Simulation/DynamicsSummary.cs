namespace ChemScale.Engine.Simulation;

/// <summary>What a dynamics did.</summary>
public sealed record DynamicsSummary
{
    public required string Folder { get; init; }

    public required Ensemble Ensemble { get; init; }

    public required SimulationEnd End { get; init; }

    public required int Atoms { get; init; }

    /// <summary>3 for each atom, less what was stopped at the start and stays so.</summary>
    public required int DegreesOfFreedom { get; init; }

    /// <summary>Done.</summary>
    public required long Steps { get; init; }

    public required double TimestepFs { get; init; }

    public required double TimeFs { get; init; }

    /// <summary>K, as asked for.</summary>
    public required double Temperature { get; init; }

    /// <summary>1/ps; null without a thermostat.</summary>
    public double? Friction { get; init; }

    public required long Seed { get; init; }

    /// <summary>K, over all steps.</summary>
    public required double MeanTemperature { get; init; }

    /// <summary>K: standard deviation over all steps.</summary>
    public required double TemperatureDeviation { get; init; }

    /// <summary>eV, over all steps.</summary>
    public required double MeanPotentialEnergy { get; init; }

    /// <summary>eV.</summary>
    public required double FirstTotalEnergy { get; init; }

    /// <summary>eV.</summary>
    public required double LastTotalEnergy { get; init; }

    /// <summary>meV/atom/ps: slope of the total energy of every step, by least squares; null with a thermostat or without steps.</summary>
    public double? DriftMeVPerAtomPerPs { get; init; }

    /// <summary>meV/atom: root mean square of the total energy about that line.</summary>
    public double? FluctuationMeVPerAtom { get; init; }

    /// <summary>Of the steps alone.</summary>
    public required double Seconds { get; init; }

    public double MillisecondsPerStep => Steps > 0 ? 1000 * Seconds / Steps : 0;
}

/// <summary>A step's numbers.</summary>
/// <param name="Step">From 0, the start.</param>
/// <param name="TimeFs">fs since the start.</param>
/// <param name="Potential">eV.</param>
/// <param name="Kinetic">eV.</param>
/// <param name="Temperature">K: twice the kinetic energy over k and the degrees of freedom that move.</param>
internal readonly record struct DynamicsSample(long Step, double TimeFs, double Potential, double Kinetic, double Temperature)
{
    /// <summary>eV.</summary>
    public double Total => Potential + Kinetic;
}
