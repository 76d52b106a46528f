namespace ChemScale.Engine.Studies.Sweeps;

/// <summary>Part of a sweep that a worker does.</summary>
public enum SweepStage
{
    /// <summary>All of it: probes, selection and finishes where the plan selects, else every run to its end.</summary>
    All,

    /// <summary>Every run to the end of its probe.</summary>
    Probe,

    /// <summary>Decide from the probes which runs go on.</summary>
    Select,

    /// <summary>Runs to their end: those selected, or all where the plan does not select.</summary>
    Finish,
}
