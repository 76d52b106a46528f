namespace ChemScale.Engine.Simulation;

/// <summary>What a dynamics did.</summary>
public sealed record DynamicsSummary
{
    public required string Folder { get; init; }

    public required Ensemble Ensemble { get; init; }

    public required SimulationEnd End { get; init; }

    public required int Atoms { get; init; }

    /// <summary>3 for each atom that may move, less what was still at the start and stays so.</summary>
    public required int DegreesOfFreedom { get; init; }

    /// <summary>Done.</summary>
    public required long Steps { get; init; }

    public required double TimestepFs { get; init; }

    public required double TimeFs { get; init; }

    /// <summary>K, as asked for.</summary>
    public required double Temperature { get; init; }

    /// <summary>Whether the first momenta are those of the start; they were drawn otherwise.</summary>
    public bool StartMomenta { get; init; }

    /// <summary>1/ps; null without a thermostat.</summary>
    public double? Friction { get; init; }

    /// <summary>GPa, as asked for; null without a barostat.</summary>
    public double? Pressure { get; init; }

    public required long Seed { get; init; }

    /// <summary>K, over all steps.</summary>
    public required double MeanTemperature { get; init; }

    /// <summary>K: standard deviation over all steps.</summary>
    public required double TemperatureDeviation { get; init; }

    /// <summary>eV, over all steps.</summary>
    public required double MeanPotentialEnergy { get; init; }

    /// <summary>GPa, over all steps: a third of the trace; null where no stress was asked for.</summary>
    public double? MeanPressure { get; init; }

    /// <summary>A^3, over all steps; null without a barostat.</summary>
    public double? MeanVolume { get; init; }

    /// <summary>A^3: standard deviation over all steps.</summary>
    public double? VolumeDeviation { get; init; }

    /// <summary>eV/A: the greatest spread of a committee's forces on an atom at the end; 0 of a single model.</summary>
    public double LastForceSpread { get; init; }

    /// <summary>eV.</summary>
    public required double FirstTotalEnergy { get; init; }

    /// <summary>eV.</summary>
    public required double LastTotalEnergy { get; init; }

    /// <summary>meV/atom/ps: slope of the total energy of every step, by least squares; null with a thermostat or without steps.</summary>
    public double? DriftMeVPerAtomPerPs { get; init; }

    /// <summary>meV/atom: root mean square of the total energy about that line.</summary>
    public double? FluctuationMeVPerAtom { get; init; }

    /// <summary>Neighbour lists made since it began or was resumed, of all replicas; 0 where every pair is tried.</summary>
    public long NeighborListBuilds { get; init; }

    /// <summary>Times that it was gone on with.</summary>
    public int Resumes { get; init; }

    /// <summary>Why it may mean nothing; empty where nothing speaks against it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Of the steps alone.</summary>
    public required double Seconds { get; init; }

    public double MillisecondsPerStep => Steps > 0 ? 1000 * Seconds / Steps : 0;

    /// <summary>Each by itself where there are several; what stands above is their mean then, its numbers of a whole run those of the first. Else null.</summary>
    public IReadOnlyList<DynamicsSummary>? Replicas { get; init; }
}

/// <summary>Why a dynamics that came to its end may mean nothing.</summary>
internal static class DynamicsDoubts
{
    // A strained start heats up too, but not so much; a run of a few steps tells nothing of a drift.
    private const double TooHot = 1.5, MostDrift = 10, MostForce = 30;
    private const long FewSteps = 100;

    /// <param name="s">Of one replica.</param>
    /// <param name="startTemperature">K: of the first momenta.</param>
    /// <param name="startForce">eV/A: the greatest at the start.</param>
    public static IEnumerable<string> Of(DynamicsSummary s, double startTemperature, double startForce)
    {
        double asked = s.StartMomenta && s.Ensemble == Ensemble.Nve ? startTemperature : s.Temperature;
        double sigma = s.DegreesOfFreedom > 0 ? asked * Math.Sqrt(2.0 / s.DegreesOfFreedom) : 0;
        if (asked > 0 && s.MeanTemperature > TooHot * asked + 3 * sigma)
        {
            yield return $"mean temperature {OneLine.Number(s.MeanTemperature, 0)} K where {OneLine.Number(asked, 0)} K {(s.StartMomenta && s.Ensemble == Ensemble.Nve ? "were at the start" : "were asked for")}: "
                + "the start is strained, or the model does not describe these atoms (was it trained, and on their kind?)";
        }
        if (s.Steps >= FewSteps && s.DriftMeVPerAtomPerPs is { } drift && Math.Abs(drift) > MostDrift && Math.Abs(drift) * s.TimeFs / 1000 > 1)
            yield return $"the total energy drifts by {drift:G3} meV/atom/ps: a shorter time step or float64 may help, else the surface is rough";
        if (startForce > MostForce) yield return $"a force of {OneLine.Number(startForce, 0)} eV/A at the start: atoms too close, or a model that does not describe them";
    }
}
