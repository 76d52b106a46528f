namespace ChemScale.Cli;

/// <summary>What simulate does with the atoms.</summary>
internal enum SimulationMethod
{
    Nve,
    Langevin,
    Relax,
}
