namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>How well a trained force field does on labelled frames; every error is the prediction less the reference.</summary>
public sealed record EvaluationReport
{
    /// <summary>Run directory of the model.</summary>
    public required string Run { get; init; }

    /// <summary>Where the frames came from.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>float32 or float64: what the model computed in. Sums are in float64.</summary>
    public required string Precision { get; init; }

    /// <summary>Under which names the labels stood.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    public required long Frames { get; init; }

    public required long Atoms { get; init; }

    /// <summary>Frames left out of the errors of energy.</summary>
    public required long FramesWithoutEnergy { get; init; }

    /// <summary>Frames left out of the errors of forces.</summary>
    public required long FramesWithoutForces { get; init; }

    /// <summary>Absent components of forces in the other frames.</summary>
    public required long MissingForceComponents { get; init; }

    public required long PeriodicFrames { get; init; }

    /// <summary>Periodic frames left out of the errors of stress.</summary>
    public required long PeriodicFramesWithoutStress { get; init; }

    /// <summary>Null where no frame has one; so are the others.</summary>
    public EnergyErrors? Energy { get; init; }

    public ForceErrors? Forces { get; init; }

    public StressErrors? Stress { get; init; }

    /// <summary>eV/A, by symbol.</summary>
    public required IReadOnlyDictionary<string, ErrorFigures> ForcesByElement { get; init; }

    /// <summary>Empty where frames have no kinds.</summary>
    public required IReadOnlyList<ConfigTypeErrors> ByConfigType { get; init; }

    /// <summary>Null where not asked for.</summary>
    public EnergyShift? Shift { get; init; }

    /// <summary>The page with tables and parity plots.</summary>
    public required string Page { get; init; }
}
