using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class VerletListTests
{
    private static readonly bool[][] Directions = [[true, true, true], [true, true, false], [false, true, false], [false, false, false]];

    [Test]
    public void What_is_within_the_cutoff_is_what_a_fresh_list_has([ValueSource(nameof(Directions))] bool[] periodic, [Values(4.0, 12.0)] double cutoff)
    {
        Frame frame = LennardJones.Crystal(2, skew: 0.7) with { Periodic = periodic };
        var list = new VerletList(cutoff, 0.6);
        var random = new Random(3);
        for (int step = 0; step < 60; step++)
        {
            // Atoms cross the faces of the cell, and the cell itself breathes and shears now and then.
            frame = frame with { Positions = [.. frame.Positions.Select(x => x + 0.12 * (random.NextDouble() - 0.45))] };
            if (step % 7 == 0 && periodic[2]) frame = Deformed(frame, random);
            NeighborList fresh = NeighborLists.Build(frame, cutoff), kept = list.Of(frame);
            Assert.That(kept.RowStarts, Is.EqualTo(fresh.RowStarts));
            Assert.That(kept.Senders, Is.EqualTo(fresh.Senders));
            Assert.That(kept.Shifts, Is.EqualTo(fresh.Shifts));
        }
        Expect.Between(list.Builds, 2, 30, "made anew when needed, and then alone");
    }

    [Test]
    public void A_cell_that_shrinks_under_its_atoms_makes_a_new_list()
    {
        Frame frame = LennardJones.Crystal(3);
        var list = new VerletList(6, 0.5);
        list.Follow(frame);
        Assert.That(Followed(0.99), Is.EqualTo(1), "6.5 A become 6.4");
        Assert.That(Followed(0.92), Is.EqualTo(2), "6.5 A become 5.98");

        long Followed(double factor)
        {
            list.Follow(frame with { Positions = [.. frame.Positions.Select(x => factor * x)], Cell = [.. frame.Cell!.Select(x => factor * x)] });
            return list.Builds;
        }
    }

    [Test]
    public void Atoms_that_meet_are_seen_through_a_list_that_was_kept()
    {
        Frame frame = new() { AtomicNumbers = [18, 18], Positions = [0, 0, 0, 0.1, 0, 0], Cell = [9, 0, 0, 0, 9, 0, 0, 0, 9], Periodic = [true, true, true] };
        var list = new VerletList(4, 0.5);
        list.Follow(frame);
        Frame together = frame with { Positions = [0.05, 0, 0, 0.05, 0, 0] };
        Assert.That(() => list.Of(together), Throws.TypeOf<ChemScale.Engine.InputException>().With.Message.Contains("at one point"));
        Assert.That(list.Builds, Is.EqualTo(1));
        Assert.That(() => list.Follow(frame with { Positions = [double.NaN, 0, 0, 1, 0, 0] }), Throws.TypeOf<ChemScale.Engine.InputException>());
    }

    private static IEnumerable<ForceFieldConfig> Models =>
    [
        new PaiNNConfig { Features = 8, Interactions = 2, Cutoff = 4, RadialFunctions = 6, MaxAtomicNumber = 18 },
        new SpookyNetConfig { Features = 8, Interactions = 1, Cutoff = 4, RadialFunctions = 6, MaxAtomicNumber = 18, ElectrostaticCutoff = 5 },
    ];

    [TestCaseSource(nameof(Models))]
    public void Forces_of_models_are_to_the_bit_those_of_fresh_lists(ForceFieldConfig config)
    {
        using ForceField model = config.Create(seed: 2);
        using ForceFieldPotential kept = new(model), fresh = new(model, skin: 0);
        Frame frame = LennardJones.Crystal(2);
        var random = new Random(4);
        for (int step = 0; step < 6; step++)
        {
            frame = frame with { Positions = [.. frame.Positions.Select(x => x + 0.1 * (random.NextDouble() - 0.4))] };
            FramePrediction a = kept.Evaluate(frame, stress: true), b = fresh.Evaluate(frame, stress: true);
            Assert.That(a.Energy, Is.EqualTo(b.Energy));
            Assert.That(a.Forces, Is.EqualTo(b.Forces));
            Assert.That(a.Stress, Is.EqualTo(b.Stress));
        }
        Expect.Between(kept.NeighborListBuilds, 1, 4);
        Assert.That(fresh.NeighborListBuilds, Is.Zero);
    }

    private static Frame Deformed(Frame frame, Random random)
    {
        double[] f = [1, 0, 0, 0, 1, 0, 0, 0, 1];
        for (int k = 0; k < 9; k++) f[k] += 0.02 * (random.NextDouble() - 0.5);
        return frame with { Positions = Rows(frame.Positions), Cell = Rows(frame.Cell!) };

        double[] Rows(double[] vectors) => [.. Enumerable.Range(0, vectors.Length).Select(i =>
            Enumerable.Range(0, 3).Sum(k => vectors[i / 3 * 3 + k] * f[3 * k + i % 3]))];
    }
}
