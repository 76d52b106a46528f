using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Neighbors;

public class NeighborBudgetTests
{
    [TestCase(0.01, true, true, true)]
    [TestCase(0.1, true, true, true)]
    [TestCase(0.001, true, true, false)]
    [TestCase(0.001, false, true, false)]
    public void A_cell_too_small_for_any_matter_is_refused(double edge, params bool[] periodic)
    {
        Frame frame = new() { AtomicNumbers = [29], Positions = [0, 0, 0], Cell = [edge, 0, 0, 0, edge, 0, 0, 0, edge], Periodic = periodic, Place = "file.xyz:1" };
        Assert.That(() => NeighborBudget.Check(frame), Refused.With("file.xyz:1: about", "neighbours an atom within 5 Angstrom", "another unit"));
    }

    [Test]
    public void Atoms_heaped_on_one_place_are_refused()
    {
        Random random = new(1);
        Frame frame = new() { AtomicNumbers = [.. Enumerable.Repeat(1, 5000)], Positions = [.. Enumerable.Range(0, 15_000).Select(_ => random.NextDouble())] };
        Assert.That(() => NeighborBudget.Check(frame), Refused.With("neighbours an atom"));
    }

    // Diamond; a hundred thousand atoms of water's density; a crystal pressed to ten times diamond's density.
    [TestCase(8, 3.57), TestCase(100_000, 100), TestCase(2, 1.04)]
    public void Matter_is_taken(int atoms, double edge)
    {
        Random random = new(2);
        Frame frame = new()
        {
            AtomicNumbers = [.. Enumerable.Repeat(6, atoms)],
            Positions = [.. Enumerable.Range(0, 3 * atoms).Select(_ => edge * random.NextDouble())],
            Cell = [edge, 0, 0, 0, edge, 0, 0, 0, edge],
            Periodic = [true, true, true],
        };
        Assert.That(() => NeighborBudget.Check(frame), Throws.Nothing);
        Assert.That(() => NeighborBudget.Check(frame with { Cell = null, Periodic = [false, false, false] }), Throws.Nothing);
    }
}
