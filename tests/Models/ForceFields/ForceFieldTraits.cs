namespace ChemScale.Tests.Models.ForceFields;

/// <summary>What not every force field has.</summary>
[Flags]
public enum ForceFieldTraits
{
    None = 0,

    /// <summary>Atoms out of reach of each other do not know of each other.</summary>
    Local = 1,

    /// <summary>The last weight is added to every atom's energy.</summary>
    EnergyBias = 2,

    /// <summary>The first weight is a table with a row for each element.</summary>
    ElementTable = 4,

    Usual = Local | EnergyBias | ElementTable,
}
