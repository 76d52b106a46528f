using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Errors of the nine components of stress.</summary>
/// <param name="ElectronVoltPerCubicAngstrom">eV/A^3</param>
/// <param name="Gigapascal">GPa</param>
public sealed record StressErrors(ErrorFigures ElectronVoltPerCubicAngstrom, ErrorFigures Gigapascal)
{
    /// <param name="sums">eV/A^3; null: nothing to say.</param>
    internal static StressErrors? Of(ErrorSums sums) => sums.Figures is not { } figures ? null
        : new StressErrors(figures, figures.Times(1 / PressureUnit.Gigapascal.ElectronVoltsPerCubicAngstrom));
}
