using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Units;

public class UnitTests
{
    // NIST, CODATA 2018: 1 Hartree = 627.5094740631 kcal/mol = 2625.4996394799 kJ/mol; 1 eV = 23.060547830619 kcal/mol = 160.2176634
    // GPa A^3.
    [Test]
    public void Factors_agree_with_each_other_and_with_published_ones()
    {
        Expect.Close(EnergyUnit.Hartree.ElectronVolts / EnergyUnit.KilocaloriePerMole.ElectronVolts, 627.5094740631, absolute: 1e-9);
        Expect.Close(EnergyUnit.Hartree.ElectronVolts / EnergyUnit.KilojoulePerMole.ElectronVolts, 2625.4996394799, absolute: 4e-9);
        Expect.Close(1 / EnergyUnit.KilocaloriePerMole.ElectronVolts, 23.060547830619, absolute: 1e-11);
        Expect.Close(1 / PressureUnit.Gigapascal.ElectronVoltsPerCubicAngstrom, 160.2176634, absolute: 1e-12);
        Expect.Close(PhysicalConstants.Codata2014.BoltzmannInElectronVolts, 8.6173303e-5, absolute: 1e-12);
    }

    [TestCase("kcal/mol", "kcal/mol")]
    [TestCase("EV", "eV")]
    [TestCase("hartree", "Hartree")]
    [TestCase("Ha", "Hartree")]
    [TestCase(" kJ/mol ", "kJ/mol")]
    [TestCase("meV", "meV")]
    [TestCase("Ry", "Rydberg")]
    public void Energies_are_parsed_in_any_case(string text, string name) => Assert.That(EnergyUnit.Parse(text).Name, Is.EqualTo(name));

    [Test]
    public void A_unit_not_stated_or_unknown_is_refused()
    {
        Assert.That(() => EnergyUnit.Parse("", "--units"), Refused.With("--units: not stated", "kcal/mol"));
        Assert.That(() => EnergyUnit.Parse("calories", "--units"), Refused.With("--units: 'calories'"));
        Assert.That(() => LengthUnit.Parse("", "--length"), Refused.With("--length: not stated"));
        Assert.That(() => LengthUnit.Parse("feet", "--length"), Refused.With("'feet'"));
        Assert.That(() => PressureUnit.Parse("atm"), Refused.With("'atm'", "GPa"));
    }

    [Test]
    public void Forces_and_stresses_follow_energy_and_length()
    {
        LabelUnits units = new(EnergyUnit.Hartree, LengthUnit.Bohr, ForcesAreGradients: true);
        Expect.Close(units.ForceFactor, -51.42206747, absolute: 1e-7);
        Expect.Close(units.StressFactor / PressureUnit.Gigapascal.ElectronVoltsPerCubicAngstrom, 29421.0157, absolute: 1e-3);
    }
}
