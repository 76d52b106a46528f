using ChemScale.Engine;
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

    [Test, Category("Data")]
    public void The_unit_of_energy_need_not_be_known() =>
        Assert.That(StartFrame.Read(ReferenceData.Require("fixtures/md17_legacy_ethanol100.npz") + "@5").Atoms, Is.EqualTo(9));
}
