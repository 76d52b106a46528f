using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Errors of the components of forces.</summary>
/// <param name="ElectronVoltPerAngstrom">eV/A</param>
/// <param name="KilocaloriePerMolePerAngstrom">kcal/mol/A</param>
public sealed record ForceErrors(ErrorFigures ElectronVoltPerAngstrom, ErrorFigures KilocaloriePerMolePerAngstrom)
{
    /// <param name="sums">eV/A; null: nothing to say.</param>
    internal static ForceErrors? Of(ErrorSums sums) => sums.Figures is not { } figures ? null
        : new ForceErrors(figures, figures.Times(1 / EnergyUnit.KilocaloriePerMole.ElectronVolts));
}
