using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class StartFrameTests
{
    private const string Three = "1\n\nH 0 0 0\n1\n\nHe 0 0 1\n1\n\nLi 0 0 2\n";

    [TestCase("", 1), TestCase("@0", 1), TestCase("@2", 3), TestCase("@-1", 3), TestCase("@-3", 1)]
    public void A_frame_is_chosen_by_its_index(string index, int element)
    {
        using var folder = new TemporaryFolder();
        Assert.That(StartFrame.Read(folder.Write("a.xyz", Three) + index).AtomicNumbers, Is.EqualTo(new[] { element }));
    }

    [TestCase("@3"), TestCase("@-4"), TestCase("@x")]
    public void An_index_without_a_frame_is_refused(string index)
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("a.xyz", Three);
        Assert.That(() => StartFrame.Read(file + index), Throws.TypeOf<InputException>());
    }

    [Test]
    public void A_name_with_the_sign_in_it_is_a_name()
    {
        using var folder = new TemporaryFolder();
        Assert.That(StartFrame.Read(folder.Write("a@1.xyz", Three)).AtomicNumbers, Is.EqualTo(new[] { 1 }));
        Assert.That(StartFrame.Read(folder.Write("a@1.xyz", Three), LengthUnit.Bohr).Positions[2], Is.Zero);
        Assert.That(StartFrame.Read(folder["a@1.xyz@1"], LengthUnit.Nanometre).Positions[2], Is.EqualTo(10));
    }

    [Test]
    public void Momenta_and_fixed_atoms_are_read_and_what_nobody_can_read_is_refused()
    {
        using var folder = new TemporaryFolder();
        const string Rows = "H 0 0 0 1 2 3 T\nO 0 0 1 4 5 6 F\n";
        Frame frame = StartFrame.Read(folder.Write("a.xyz", "2\nProperties=species:S:1:pos:R:3:momenta:R:3:move_mask:L:1\n" + Rows));
        Assert.That(frame.Momenta, Is.EqualTo(new[] { 1.0, 2, 3, 4, 5, 6 }));
        Assert.That(frame.Fixed, Is.EqualTo(new[] { false, true }), "what may not move");
        Frame fast = StartFrame.Read(folder.Write("b.xyz", "2\nProperties=species:S:1:pos:R:3:velocities:R:3:any:S:1\n" + Rows));
        Assert.That(() => new DynamicsOptions().Validate(fast), Throws.TypeOf<InputException>().With.Message.Contains("velocities"));
        Assert.That(() => new DynamicsOptions { DrawMomenta = true }.Validate(fast), Throws.Nothing);
        Frame axes = StartFrame.Read(folder.Write("c.xyz", "1\nProperties=species:S:1:pos:R:3:move_mask:L:3\nH 0 0 0 T F F\n"));
        Assert.That(() => new DynamicsOptions().Validate(axes), Throws.TypeOf<InputException>().With.Message.Contains("move_mask"));
        Assert.That(() => new RelaxationOptions().Validate(axes), Throws.TypeOf<InputException>().With.Message.Contains("move_mask"));
    }

    [TestCase("0", "10000"), TestCase("1-3", "01110"), TestCase("0,4", "10001"), TestCase("O, 1", "11001")]
    public void Atoms_are_selected_by_number_range_and_symbol(string selection, string expected) =>
        Assert.That(string.Concat(StartFrame.Select(selection, Five).Select(chosen => chosen ? 1 : 0)), Is.EqualTo(expected));

    [TestCase("5"), TestCase("3-1"), TestCase(""), TestCase("Pt"), TestCase("-1"), TestCase("1-2-3"), TestCase("Xx"), TestCase("0,")]
    public void A_selection_of_no_atom_is_refused(string selection) =>
        Assert.That(() => StartFrame.Select(selection, Five), Throws.TypeOf<InputException>());

    private static Frame Five => new() { AtomicNumbers = [8, 1, 1, 6, 8], Positions = new double[15] };

    [Test, Category("Data")]
    public void The_unit_of_energy_need_not_be_known() =>
        Assert.That(StartFrame.Read(ReferenceData.Require("fixtures/md17_legacy_ethanol100.npz") + "@5").Atoms, Is.EqualTo(9));
}
