namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>What to do with a frame that lacks its energy or its forces.</summary>
public enum MissingLabels
{
    /// <summary>Stop, and name it.</summary>
    Refuse,

    /// <summary>Leave it out, and count it.</summary>
    Drop,

    /// <summary>Keep what it has, as long as that is not nothing.</summary>
    Keep,
}
