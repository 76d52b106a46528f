namespace ChemScale.Engine.Studies.Report;

/// <summary>Solid, dashed, dotted ...: the same in the plot and in its legend.</summary>
internal enum Dash
{
    Solid,
    Dashed,
    Dotted,
    Long,
    Short,
}
