using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Preparation;

public class FrameAuditTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void Plain_data_are_warned_of_nothing() => Assert.That(Warnings(Water(20)), Is.Empty);

    [Test]
    public void An_energy_and_a_force_far_from_all_others_are_named_with_their_frames()
    {
        Frame[] frames = Water(8);
        frames[3] = frames[3] with { Energy = 1e9 };
        frames[4] = frames[4] with { Forces = [.. frames[4].Forces!.Select(f => 1e6 * f)] };
        string[] warnings = Warnings(frames);
        Assert.That(warnings, Has.Length.EqualTo(2));
        Assert.That(warnings[0], Does.Contain("1 energies beyond 50 eV an atom").And.Contain("frame 4 (1E+09 eV)"));
        Assert.That(warnings[1], Does.Contain("1 frames with forces beyond 100 times the median").And.Contain("frame 5 ("));
    }

    [TestCase(23.0605, "likely in kcal/mol, not eV"), TestCase(96.4853, "likely in kJ/mol, not eV")]
    public void Energies_that_cannot_be_eV_name_their_likely_unit(double factor, string expected) =>
        Assert.That(Warnings([.. Water(8).Select(f => f with { Energy = factor * f.Energy })]), Has.Exactly(1).Contains(expected));

    [Test]
    public void Forces_that_cannot_be_eV_over_Angstrom_are_named() => Assert.That(
        Warnings([.. Water(8).Select(f => f with { Energy = null, Forces = [.. f.Forces!.Select(x => 40 * x)] })], o => o with { Missing = MissingLabels.Keep }),
        Has.Exactly(1).Contains("kcal/mol/A"));

    [Test]
    public void Charges_and_spins_that_differ_are_named()
    {
        Frame[] frames = Water(4);
        frames[2] = frames[2] with { Charge = 1, Spin = 1 };
        Assert.That(Warnings(frames), Has.Exactly(1).Contains("charges differ, 0 to 1").And.Exactly(1).Contains("spins differ, 0 to 1"));
    }

    [Test]
    public void The_same_atoms_in_another_order_are_found()
    {
        Frame[] frames = Water(4);
        Frame turned = frames[1] with
        {
            AtomicNumbers = [1, 8, 1],
            Positions = [.. frames[1].Positions[3..6], .. frames[1].Positions[..3], .. frames[1].Positions[6..]],
            Forces = [.. frames[1].Forces![3..6], .. frames[1].Forces![..3], .. frames[1].Forces![6..]],
        };
        string warning = Warnings([.. frames, turned]).Single();
        Assert.That(warning, Does.StartWith("1 frames are others with their atoms in another order").And.EndsWith("first a.xyz, frame 5"));
    }

    [Test]
    public void A_label_that_never_changes_is_named_with_those_beside_it()
    {
        const string Columns = "Properties=species:S:1:pos:R:3:forces:R:3";
        string text = string.Concat(Enumerable.Range(1, 4).Select(n => $"{n}\n{Columns} energy=-300 gap_energy=-{n}.5 {(n == 3 ? "DFT" : "dft")}_energy=-{n}.25\n"
            + string.Concat(Enumerable.Range(0, n).Select(i => $"Si {2.3 * i} 0 0 0 {0.1 * n} 0\n"))));
        Assert.That(Prepare(folder.Write("a.xyz", text)).Warnings, Has.Exactly(1)
            .EqualTo("energy has one value in 4 frames of 4 compositions; dft_energy (also written DFT_energy), gap_energy are there too"));
    }

    /// <summary>Real frames: as they are nothing is wrong with them, and each spoiling has its line.</summary>
    [Test, Category("Data")]
    public void Revised_MD17_is_silent_in_its_unit_and_warned_of_where_it_was_spoilt()
    {
        string ethanol = ReferenceData.Require(Path.Combine("rmd17", "rmd17_ethanol_train_01.npz"));
        FramePreparation InUnit(FramePreparation o, EnergyUnit unit) => o with { Files = [ethanol], Energy = unit };
        Assert.That(Prepare(ethanol, o => InUnit(o, EnergyUnit.KilocaloriePerMole)).Warnings,
            Is.EqualTo((string[])["of several labels of a kind energies, forces were taken; old_energies, old_forces are there too"]));
        Assert.That(Prepare(ethanol, o => InUnit(o, EnergyUnit.ElectronVolt)).Warnings,
            Has.Exactly(1).Contains("times what all electrons of the atoms have: likely in kcal/mol, not eV"));
        Frame[] frames = [.. FrameFiles.Read(ethanol, new FrameReadOptions { Energy = EnergyUnit.KilocaloriePerMole }).Take(300)];
        Assert.That(Warnings(frames), Is.Empty);
        Assert.That(Warnings(Changed(f => f with { Energy = 1e9 })), Is.EqualTo((string[])["1 energies beyond 50 eV an atom from the median of their composition: "
            + "a.xyz, frame 200 (1E+09 eV)"]));
        Assert.That(Warnings(Changed(f => f with { Forces = [.. f.Forces!.Select(x => 1e6 * x)] })),
            Has.One.Items.And.Exactly(1).StartsWith("1 frames with forces beyond 100 times the median: a.xyz, frame 200 ("));
        Assert.That(Warnings(Changed(f => f with { Charge = 1 })), Has.One.Items.And.Exactly(1).StartsWith("total charges differ, 0 to 1"));
        int[] order = [8, 2, 5, 0, 7, 1, 3, 6, 4];
        Frame[] turned = [.. frames.Select(f => f with { AtomicNumbers = [.. order.Select(i => f.AtomicNumbers[i])], Positions = Of(f.Positions), Forces = Of(f.Forces!) })];
        Assert.That(Warnings([.. frames, .. turned]), Is.EqualTo((string[])["300 frames are others with their atoms in another order, and both sides may hold them; first a.xyz, frame 301"]));

        Frame[] Changed(Func<Frame, Frame> change) => [.. frames.Select((f, i) => i == 199 ? change(f) : f)];
        double[] Of(double[] rows) => [.. order.SelectMany(i => rows[(3 * i)..(3 * i + 3)])];
    }

    [Test]
    public void An_energy_of_a_composition_that_comes_once_is_measured_by_its_electrons()
    {
        Frame[] frames = [.. Water(6).Select((f, i) => i == 0 ? f : Lengthened(f, i))];
        Assert.That(Warnings(frames), Is.Empty);
        frames[4] = frames[4] with { Energy = 1e9 };
        Assert.That(Warnings(frames), Is.EqualTo((string[])["1 energies beyond 2 times what all electrons of their atoms have: a.xyz, frame 5 (1E+09 eV)"]));
    }

    [Test]
    public void Labels_of_another_frame_are_named()
    {
        Frame[] frames = Water(8);
        frames[5] = frames[5] with { Forces = frames[2].Forces };
        Assert.That(Warnings(frames), Is.EqualTo((string[])["1 frames have the forces of another frame, whose atoms are elsewhere; first a.xyz, frame 6"]));
        frames = [.. Water(8).Select(f => f with { Energy = -2080 })];
        Assert.That(Warnings(frames), Has.Exactly(1).StartsWith("7 frames of 8 have the energy of another frame"));
    }

    [Test]
    public void Forces_of_zeros_are_named()
    {
        Frame[] frames = Water(8);
        frames[5] = frames[5] with { Forces = new double[9] };
        Assert.That(Warnings(frames), Is.EqualTo((string[])["1 frames of several atoms have forces that are 0 throughout: not computed, perhaps; first a.xyz, frame 6"]));
    }

    [Test]
    public void Cells_and_periodic_directions_that_differ_are_named()
    {
        static Frame In(Frame frame, double edge, params bool[] periodic) => frame with { Cell = [edge, 0, 0, 0, edge, 0, 0, 0, edge], Periodic = periodic };
        Frame[] frames = [.. Water(6).Select((f, i) => In(f, 9 + 0.2 * i, true, true, true))];
        Assert.That(Warnings(frames), Has.Exactly(1).StartsWith("cells differ, 243 to 333.3 A^3 an atom, and no frame has a stress"));
        Assert.That(Warnings([.. frames.Select(f => f with { Stress = [0.01, 0, 0, 0, 0.01, 0, 0, 0, 0.01] })]), Is.Empty);
        Assert.That(Warnings([.. Water(6).Select(f => In(f, 9, true, true, true))]), Is.Empty);
        frames = [.. Water(6).Select((f, i) => i == 3 ? f : In(f, 9, true, true, true))];
        Assert.That(Warnings(frames), Is.EqualTo((string[])["periodic directions differ, FFF, TTT: what is open has no neighbours where the others have images"]));
    }

    [Test]
    public void Labels_under_several_names_are_named()
    {
        const string Frame = "1\nProperties=species:S:1:pos:R:3:forces:R:3 {0}=-13.6\nH 0 0 {1} 0 0 0.1\n";
        string file = folder.Write("a.xyz", string.Format(Frame, "energy", 0) + string.Format(Frame, "REF_energy", 1));
        Assert.That(Prepare(file).Warnings, Has.Exactly(1).Contains("energies stand under several names, REF_energy, energy"));
    }

    [Test]
    public void What_would_be_warned_of_is_refused_where_that_is_asked_for()
    {
        Frame[] frames = Water(8);
        frames[3] = frames[3] with { Energy = 1e9 };
        Assert.That(() => Warnings(frames, o => o with { Strict = true }), Refused.With("strict: 1 energies beyond", "frame 4"));
        Assert.That(Directory.Exists(folder["store"]), Is.False);
        Assert.That(Warnings(Water(8), o => o with { Strict = true }), Is.Empty);
    }

    [Test]
    public void No_more_frames_are_read_than_asked_for()
    {
        FramePreparationReport report = Prepare(SmallFrames.Save(folder["a.xyz"], Water(20)), o => o with { Limit = 5 });
        Assert.That((report.Read, report.Store.Train.Frames), Is.EqualTo((5L, 5L)));
        Assert.That(() => Prepare(folder["a.xyz"], o => o with { Limit = 0 }), Refused.With("limit: 0"));
    }

    [Test]
    public void An_infinite_label_is_refused_or_dropped_as_one_that_is_missing()
    {
        Frame[] frames = Water(5);
        frames[1] = frames[1] with { Energy = double.PositiveInfinity };
        frames[2] = frames[2] with { Forces = [double.NegativeInfinity, .. frames[2].Forces![1..]] };
        frames[3] = frames[3] with { Stress = [double.PositiveInfinity, 0, 0, 0, 0, 0, 0, 0, 0], Cell = [9, 0, 0, 0, 9, 0, 0, 0, 9] };
        string file = SmallFrames.Save(folder["a.xyz"], frames);
        Assert.That(() => Prepare(file), Refused.With("a.xyz:6: an infinite label"));
        FramePreparationReport dropped = Prepare(file, o => o with { Missing = MissingLabels.Drop });
        Assert.That((dropped.Store.Train.Frames, dropped.Unlabelled), Is.EqualTo((3L, 2L)));
        using Engine.Atoms.Store.FrameStore store = Engine.Atoms.Store.FrameStore.Open(folder["store"]);
        store.Verify();
    }

    [TestCase("charge=inf", "a charge of"), TestCase("spin=1e999", "a spin of"), TestCase("Lattice=\"inf 0 0 0 4 0 0 0 4\" pbc=\"F F F\"", "a cell of numbers")]
    public void What_has_to_be_a_number_is_one(string info, string part)
    {
        string file = folder.Write("a.xyz", $"1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1 {info}\nH 0 0 0 0 0 0\n");
        Assert.That(() => Prepare(file), Refused.With("a.xyz:1", part));
    }

    private string[] Warnings(Frame[] frames, Func<FramePreparation, FramePreparation>? with = null) =>
        [.. Prepare(SmallFrames.Save(folder["a.xyz"], frames), with).Warnings];

    private FramePreparationReport Prepare(string file, Func<FramePreparation, FramePreparation>? with = null)
    {
        FramePreparation options = SmallFrames.Options(folder, file) with { ValidationFraction = 0, Overwrite = true };
        return FramePreparer.Run(with?.Invoke(options) ?? options);
    }

    /// <summary>With so many atoms of hydrogen more, far away.</summary>
    private static Frame Lengthened(Frame frame, int more) => frame with
    {
        AtomicNumbers = [.. frame.AtomicNumbers, .. Enumerable.Repeat(1, more)],
        Positions = [.. frame.Positions, .. Enumerable.Range(0, more).SelectMany(i => (double[])[5, 5, 5 + i])],
        Forces = [.. frame.Forces!, .. Enumerable.Range(0, more).SelectMany(i => (double[])[0.1, 0.2, 0.01 * i])],
        Energy = frame.Energy - 13.6 * more,
    };

    /// <summary>Water as a calculation with all electrons has it.</summary>
    private static Frame[] Water(int count)
    {
        Random random = new(4);
        return [.. Enumerable.Range(0, count).Select(_ => new Frame
        {
            AtomicNumbers = [8, 1, 1],
            Positions = [0, 0, 0.1 * random.NextDouble(), 0.96, 0, 0, -0.24, 0.93, 0],
            Energy = -2080 + random.NextDouble(),
            Forces = [.. Enumerable.Range(0, 9).Select(_ => 0.2 + random.NextDouble())],
        })];
    }
}
