using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Formats;

public class ExtXyzTests
{
    private const string Water = "O 0 0 0 0.1 0.2 0.3\nH 0.9 0 0 0 0 0\nH -0.3 0.9 0 -0.1 -0.2 -0.3\n";
    private const string Properties = "Properties=species:S:1:pos:R:3:forces:R:3";

    [Test]
    public void Labels_cell_and_periodicity_are_read()
    {
        const string Info = "energy=-1.5e1 pbc=\"T F T\" charge=-1 spin=2 config_type=gas";
        Frame frame = One($"3\nLattice=\"5 0 0 1 6 0 0 0 7\" {Properties} {Info}\n{Water}");
        Assert.That(frame.AtomicNumbers, Is.EqualTo((int[])[8, 1, 1]));
        Assert.That(frame.Positions[6..], Is.EqualTo((double[])[-0.3, 0.9, 0]));
        Assert.That(frame.Forces![..3], Is.EqualTo((double[])[0.1, 0.2, 0.3]));
        Assert.That(frame.Cell, Is.EqualTo((double[])[5, 0, 0, 1, 6, 0, 0, 0, 7]));
        Assert.That(frame.Periodic, Is.EqualTo((bool[])[true, false, true]));
        Assert.That((frame.Energy, frame.Charge, frame.Spin, frame.ConfigType), Is.EqualTo((-15.0, -1.0, 2.0, "gas")));
        Assert.That(frame.Keys, Is.EqualTo(new LabelKeys("energy", "forces", null)));
        Assert.That(frame.Place, Is.EqualTo("file.xyz:1"));
    }

    [TestCase("Lattice=\"5 0 0 0 5 0 0 0 5\"", true)]
    [TestCase("", false)]
    public void Without_pbc_a_cell_says_that_all_directions_repeat(string lattice, bool periodic) =>
        Assert.That(One($"3\n{lattice} {Properties}\n{Water}").Periodic, Is.EqualTo((bool[])[periodic, periodic, periodic]));

    [TestCase("pbc=\"T T F\"")]
    [TestCase("pbc='True True False'")]
    [TestCase("pbc={T T F}")]
    [TestCase("pbc=[true, true, false]")]
    [TestCase("pbc = \"1 1 0\"")]
    [TestCase("note=\"a, \\\"b\\\" = c\" pbc=\"T T F\" flag")]
    [TestCase("matrix=[[1, 2], [3, 4]] pbc=\"T T F\"")]
    public void Every_form_of_a_value_is_understood(string info)
    {
        Frame frame = One($"3\nLattice=\"5 0 0 0 5 0 0 0 5\" {info} {Properties}\n{Water}");
        Assert.That(frame.Periodic, Is.EqualTo((bool[])[true, true, false]));
    }

    [Test]
    public void The_reference_label_comes_before_the_plain_one_and_can_be_overruled()
    {
        const string Rows = "O 0 0 0 1 1 1 2 2 2\nH 0 0 1 1 1 1 2 2 2\nH 1 0 0 1 1 1 2 2 2\n";
        const string text = $"3\n{Properties}:REF_forces:R:3 energy=1 REF_energy=2\n{Rows}";
        Frame reference = One(text), plain = One(text, new() { EnergyKey = "energy", ForcesKey = "forces" });
        Assert.That((reference.Energy, reference.Forces![0], reference.Keys),
            Is.EqualTo((2.0, 2.0, new LabelKeys("REF_energy", "REF_forces", null))));
        Assert.That((plain.Energy, plain.Forces![0], plain.Keys), Is.EqualTo((1.0, 1.0, new LabelKeys("energy", "forces", null))));
        Assert.That(() => One(text, new() { EnergyKey = "dft" }), Refused.With("file.xyz:1", "no 'dft'"));
    }

    [TestCase("stress=\"1 2 3 4 5 6\"", 1.0, "stress")]
    [TestCase("stress=\"1 6 5 6 2 4 5 4 3\"", 1.0, "stress")]
    [TestCase("virial=\"1 6 5 6 2 4 5 4 3\"", -1.0 / 125, "virial")]
    [TestCase("virials=\"1 2 3 4 5 6\"", -1.0 / 125, "virials")]
    [TestCase("virial=\"9 9 9 9 9 9\" REF_stress=\"1 2 3 4 5 6\"", 1.0, "REF_stress")]
    public void Stress_is_read_from_a_matrix_Voigt_numbers_or_a_virial(string info, double factor, string key)
    {
        Frame frame = One($"3\nLattice=\"5 0 0 0 5 0 0 0 5\" {Properties} {info}\n{Water}");
        Expect.Close(frame.Stress, ((double[])[1, 6, 5, 6, 2, 4, 5, 4, 3]).Select(value => value * factor), absolute: 1e-15);
        Assert.That(frame.Keys!.Stress, Is.EqualTo(key));
    }

    [Test]
    public void Units_are_converted_where_they_are_stated_otherwise()
    {
        FrameReadOptions options = new() { Energy = EnergyUnit.Hartree, Length = LengthUnit.Bohr, ForcesAreGradients = true };
        Frame frame = One($"3\n{Properties} energy=-2\n{Water}", options);
        Expect.Close(frame.Energy, -54.422772491976, absolute: 1e-12);
        Expect.Close(frame.Positions[3], 0.9 * 0.529177210903, absolute: 1e-15);
        Expect.Close(frame.Forces![2], -0.3 * 51.4220674763, absolute: 1e-9);
    }

    [Test]
    public void Plain_xyz_with_any_prose_is_read_without_labels()
    {
        Frame[] frames = Read("2\nBob's molecule\nC 0 0 0\no 1 0 0 extra words\n\n1\n\n8 1.0D0 2 3\n\n");
        Assert.That(frames.Select(frame => frame.Atoms), Is.EqualTo((int[])[2, 1]));
        Assert.That(frames[0].AtomicNumbers, Is.EqualTo((int[])[6, 8]));
        Assert.That((frames[1].AtomicNumbers[0], frames[1].Positions[0]), Is.EqualTo((8, 1.0)));
        Assert.That(frames.Any(frame => frame.HasEnergy || frame.HasForces || frame.HasStress), Is.False);
    }

    [Test]
    public void A_label_that_is_NaN_is_absent()
    {
        Frame frame = One($"3\n{Properties} energy=NaN\n{Water.Replace("0.3\n", "nan\n")}");
        Assert.That((frame.HasEnergy, frame.HasForces), Is.EqualTo((false, false)));
    }

    [TestCase("3\nA\nO 0 0 0\nH 0 0 1\n", "file.xyz: ends behind 2 atoms", "the 3 of the frame at line 1")]
    [TestCase("2\nP\nO 0 0 0\nH 0 0 1\nH 1 0 0\n", "file.xyz:5: 'H 1 0 0'", "the number of atoms")]
    [TestCase("3\nProperties=species:S:1:pos:R:3\nO 0 0 0\nH 0 0 1\n1\nO 0 0 0\n", "file.xyz:5: 1 column",
        "the frame at line 1 says 3 atoms")]
    [TestCase("1\nProperties=species:S:1:pos:R:3:forces:R:3\nO 0 0 0\n", "file.xyz:3: 4 columns", "7: species 1, pos 3, forces 3")]
    [TestCase("1\nProperties=species:S:1:pos:R:3\nO 0 0 0 1\n", "file.xyz:3: more than 4 columns")]
    [TestCase("1\nP\nQq 0 0 0\n", "file.xyz:3: unknown element 'Qq'")]
    [TestCase("1\nP\nO 0 zero 0\n", "file.xyz:3: pos: 'zero'", "a number")]
    [TestCase("1\n", "file.xyz: ends behind line 1")]
    [TestCase("1\nProperties=species:S:1:pos\nO 0 0 0\n", "file.xyz:2: Properties")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 energy=low\nO 0 0 0\n", "file.xyz:2: energy: 'low'")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 Lattice=\"1 2 3\"\nO 0 0 0\n", "file.xyz:2: Lattice", "nine numbers")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 note=\"open\nO 0 0 0\n", "file.xyz:2", "not closed")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 pbc=\"T T T\"\nO 0 0 0\n", "file.xyz:1: pbc", "without Lattice")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 pbc=\"T T\" \nO 0 0 0\n", "file.xyz:2: pbc", "three of T and F")]
    [TestCase("1\nProperties=species:S:1:pos:R:3 virial=\"1 2 3 4 5 6\"\nO 0 0 0\n", "file.xyz:2: virial", "a cell with a volume")]
    [TestCase("1\nProperties=tags:I:1:pos:R:3\n1 0 0 0\n", "no species")]
    public void What_is_wrong_is_named_with_its_line(string text, params string[] parts) =>
        Assert.That(() => Read(text), Refused.With(parts));

    [Test]
    public void What_is_written_reads_back_bit_for_bit()
    {
        Random random = new(3);
        double[] Numbers(int count) =>
            [.. Enumerable.Range(0, count).Select(_ => (random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-8, 8)))];
        double[] stress = Numbers(9);
        (stress[3], stress[6], stress[7]) = (stress[1], stress[2], stress[5]);
        Frame frame = new()
        {
            AtomicNumbers = [6, 79, 1],
            Positions = Numbers(9),
            Cell = Numbers(9),
            Periodic = [true, false, true],
            Energy = -1026.8538996116154,
            Forces = Numbers(9),
            Stress = stress,
            Charge = -1,
            Spin = 0.5,
            ConfigType = "a \"b\" \\ c",
        };
        StringWriter text = new();
        ExtXyzWriter writer = new(text);
        Dictionary<string, double[]> columns = new() { ["momenta"] = Numbers(9) };
        writer.Write(frame, new Dictionary<string, double> { ["time"] = 0.5 }, columns);
        writer.Write(new Frame { AtomicNumbers = [2], Positions = [1, 2, 3] });
        Frame[] back = Read(text.ToString());
        Assert.That(back[0].Positions, Is.EqualTo(frame.Positions));
        Assert.That(back[0].Forces, Is.EqualTo(frame.Forces));
        Assert.That(back[0].Cell, Is.EqualTo(frame.Cell));
        Assert.That(back[0].Stress, Is.EqualTo(frame.Stress));
        Assert.That(back[0].Periodic, Is.EqualTo(frame.Periodic));
        Assert.That((back[0].Energy, back[0].Charge, back[0].Spin, back[0].ConfigType),
            Is.EqualTo((frame.Energy, frame.Charge, frame.Spin, frame.ConfigType)));
        Assert.That((back[1].Energy, back[1].Forces, back[1].Cell), Is.EqualTo(((double?)null, (double[]?)null, (double[]?)null)));
    }

    private static Frame One(string text, FrameReadOptions? options = null) => Read(text, options).Single();

    private static Frame[] Read(string text, FrameReadOptions? options = null) =>
        [.. ExtXyzReader.Read(new StringReader(text), "file.xyz", options ?? new())];
}
