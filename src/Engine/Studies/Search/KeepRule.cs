namespace ChemScale.Engine.Studies.Search;

/// <summary>What goes on after the probes.</summary>
public enum KeepRule
{
    /// <summary>The most promising configuration.</summary>
    Best,

    /// <summary>All that the regression's error does not tell from the best; a few are finished first, to calibrate it.</summary>
    Undecided,
}
