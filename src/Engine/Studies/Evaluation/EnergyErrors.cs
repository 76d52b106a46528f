using ChemScale.Engine.Atoms.Units;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Errors of the frames' total energies.</summary>
/// <param name="ElectronVolt">eV</param>
/// <param name="MilliElectronVoltPerAtom">Each divided by the atoms of its frame, meV.</param>
/// <param name="KilocaloriePerMole">kcal/mol</param>
public sealed record EnergyErrors(ErrorFigures ElectronVolt, ErrorFigures MilliElectronVoltPerAtom, ErrorFigures KilocaloriePerMole)
{
    /// <param name="total">eV; null: nothing to say.</param>
    /// <param name="perAtom">eV, of the same frames.</param>
    internal static EnergyErrors? Of(ErrorSums total, ErrorSums perAtom) => total.Figures is not { } figures ? null
        : new EnergyErrors(figures, perAtom.Figures!.Times(1000), figures.Times(1 / EnergyUnit.KilocaloriePerMole.ElectronVolts));
}
