using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Formats;

/// <summary>What other programs write into extended xyz, and what nobody should.</summary>
public class ExtXyzEdgeTests
{
    private const string Properties = "Properties=species:S:1:pos:R:3:forces:R:3", Cell = "Lattice=\"4 0 0 0 4 0 0 0 5\"";
    private const string Rows = "O 0 0 0 0 0 0.01\nC 0 0 1.15 0 0 -0.01\n";

    [TestCase("energy=-1 energy-unit=hartree force-unit=hartree/bohr", -27.211386245988, 0.514220674763)]
    [TestCase("energy=-1 energy_units=\"kcal/mol\" forces_unit=kcal/mol/Angstrom", -0.0433641, 0.000433641)]
    [TestCase("energy=-1 Energy-Unit=eV", -1, 0.01)]
    [TestCase("energy=-1 energy-unit=hartree", -27.211386245988, 0.27211386245988)]
    [TestCase("energy=-1 dipole-unit=Debye", -1, 0.01)]
    [TestCase("REF_energy=-1 REF_energy_unit=Hartree", -27.211386245988, 0.27211386245988)]
    [TestCase("energy=-1 units=Hartree", -27.211386245988, 0.27211386245988)]
    [TestCase("energy=-1 unit_energy=meV", -0.001, 0.00001)]
    [TestCase("energy=-1 energyunit=eV unit cell of a crystal", -1, 0.01)]
    public void A_unit_that_a_frame_declares_is_used(string info, double energy, double force)
    {
        Frame frame = One($"2\n{Properties} {info}\n{Rows}");
        Expect.Close(frame.Energy, energy, relative: 1e-6);
        Expect.Close(frame.Forces![2], force, relative: 1e-6);
    }

    [TestCase("energy-unit=furlong", "file.xyz:2: energy-unit: 'furlong'", "eV")]
    [TestCase("force-unit=eV", "file.xyz:2: force-unit: 'eV'", "eV/Angstrom")]
    [TestCase("stress-unit=atm stress=\"1 1 1 0 0 0\"", "file.xyz:2: stress-unit: 'atm'", "GPa")]
    [TestCase("units=metal", "file.xyz:2: units: 'metal'", "eV")]
    [TestCase("lattice_unit=Bohr pos_unit=nm", "file.xyz:", "Bohr", "one unit of a kind")]
    [TestCase("length-unit=inch", "file.xyz:2: length-unit: 'inch'", "Angstrom")]
    public void A_unit_that_is_none_is_refused_by_name(string info, params string[] parts) =>
        Assert.That(() => One($"2\n{Properties} {Cell} energy=-1 {info}\n{Rows}"), Refused.With(parts));

    [TestCase("energy=-1 energy=-2", "energy: '-1' and '-2'"), TestCase("energy=-1 pbc=\"T T T\" PBC=\"F F F\"", "beside pbc, with another value")]
    [TestCase("energy=-1 lattice=\"5 0 0 0 5 0 0 0 5\"", "beside Lattice, with another value"), TestCase("energy=-1 charge=1 Charge=2", "beside charge")]
    [TestCase("energy=-1 charge=1 charge=2", "charge: '1' and '2'"), TestCase("energy=-1 charge=1 total_charge=2", "charges 1 and 2")]
    public void A_key_that_says_two_things_is_refused(string info, string part) =>
        Assert.That(() => One($"2\n{Properties} {Cell} {info}\n{Rows}"), Refused.With(part));

    [Test]
    public void A_key_said_twice_alike_or_in_other_letters_is_read()
    {
        Frame frame = One($"2\n{Properties} {Cell} energy=-1 energy=-1 CHARGE=1 Spin=2 Config_Type=bulk\n{Rows}");
        Assert.That((frame.Energy, frame.Charge, frame.Spin, frame.ConfigType), Is.EqualTo((-1, 1, 2, "bulk")));
    }

    [Test]
    public void A_unit_of_the_file_against_that_of_the_options_is_refused()
    {
        FrameReadOptions hartree = new() { Energy = EnergyUnit.Hartree };
        Assert.That(() => One($"2\n{Properties} energy=-1 energy-unit=eV\n{Rows}", hartree), Refused.With("energies in eV by its own account"));
        Assert.That(() => One($"2\n{Properties} energy=-1 force-unit=eV/A\n{Rows}", hartree), Refused.With("force-unit: 'eV/A'", "Hartree over a length"));
    }

    [TestCase("stress=\"1 1 1 0 0 0\" stress-unit=GPa", 0.00624150907)]
    [TestCase("stress=\"1 1 1 0 0 0\" stress-unit=eV/Ang^3", 1)]
    [TestCase("stress=\"10 10 10 0 0 0\" stress-unit=kbar", 0.00624150907)]
    [TestCase("virial=\"80 80 80 0 0 0\" virial-unit=hartree", -27.211386245988)]
    [TestCase("REF_virials=\"8 0 0 0 8 0 0 0 8\" stress=\"0.9 0 0 0 0.9 0 0 0 0.9\"", -0.1)]
    [TestCase("stresses=\"0.9 0 0 0 0.9 0 0 0 0.9\"", 0.9)]
    public void Stress_is_in_its_own_unit_and_the_reference_calculation_s(string info, double diagonal) =>
        Expect.Close(One($"2\n{Properties} {Cell} energy=-1 {info}\n{Rows}").Stress![0], diagonal, relative: 1e-6);

    [TestCase("PBC=\"1 1 0\"")]
    [TestCase("Pbc=\"T T F\"")]
    public void Periodicity_is_read_in_any_case_of_letters(string info) =>
        Assert.That(One($"2\n{Properties} {Cell} {info}\n{Rows}").Periodic, Is.EqualTo((bool[])[true, true, false]));

    [Test]
    public void Keys_of_the_format_are_read_in_any_case_of_letters()
    {
        Frame frame = One($"2\n{Properties.Replace("Properties", "properties")} {Cell.ToLowerInvariant()} Energy=-2\n{Rows}");
        Assert.That((frame.Energy, frame.Cell?[8], frame.HasForces), Is.EqualTo((-2.0, 5.0, true)));
    }

    [Test]
    public void Heavy_hydrogen_is_hydrogen() =>
        Assert.That(One("3\nwater\nD 0 0 0\nT 0 0 1\nO 1 0 0\n").AtomicNumbers, Is.EqualTo((int[])[1, 1, 8]));

    [TestCase("2147483647\nP\nH 0 0 0\n", "ends behind 1 atoms", "the 2147483647 of the frame")]
    [TestCase("99999999999\nP\nH 0 0 0\n", "'99999999999'", "the number of atoms")]
    [TestCase("1\nProperties=species:S:1:pos:R:2147483647\nH 0 0 0\n", "Properties")]
    [TestCase("1\nProperties=species:S:1:pos:R:3:pos:R:3\nH 0 0 0 0 0 0\n", "'pos' twice")]
    public void Counts_that_no_file_holds_take_no_memory(string text, params string[] parts)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => One(text), Refused.With(parts));
        Expect.Below(GC.GetAllocatedBytesForCurrentThread() - before, 20_000_000);
    }

    [Test]
    public void A_frame_of_more_atoms_than_there_was_room_for_at_first_is_whole()
    {
        Frame frame = One($"3000\nProperties=species:S:1:pos:R:3\n{string.Concat(Enumerable.Range(0, 3000).Select(i => $"H {i} 0 0\n"))}");
        Assert.That((frame.Atoms, frame.Positions.Length, frame.Positions[^3]), Is.EqualTo((3000, 9000, 2999.0)));
    }

    [Test]
    public void Labels_of_the_same_kind_that_were_not_taken_are_named() => Assert.That(
        One($"2\n{Properties}:DFT_forces:R:3 energy=-1 free_energy=-1 dft_energy=-3 note_energy=low\n{Rows.Replace("\n", " 0 0 0\n")}").OtherLabels,
        Is.EqualTo((string[])["dft_energy", "DFT_forces"]));

    private static Frame One(string text, FrameReadOptions? options = null) =>
        ExtXyzReader.Read(new StringReader(text), "file.xyz", options ?? new()).Single();
}
