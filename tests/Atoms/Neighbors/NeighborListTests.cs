using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Native;
using ChemScale.Tests.Operators;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Neighbors;

public class NeighborListTests
{
    private static readonly bool[] Nowhere = [false, false, false], Everywhere = [true, true, true];

    private static readonly double[] Skewed = [9, 0, 0.5, -2.5, 7, 1, 3, 2, 8];

    public static readonly bool[][] Periodicities =
    [
        [false, false, false], [true, false, false], [false, true, false], [false, false, true],
        [true, true, false], [true, false, true], [false, true, true], [true, true, true],
    ];

    [Test]
    public void Linked_cells_equal_brute_force_for_every_periodicity_and_cutoff([ValueSource(nameof(Periodicities))] bool[] periodic)
    {
        // 300 atoms, a third of them outside the cell, at cutoffs below, near and above its heights.
        double[] positions = Scattered(300, 0.5, seed: 1);
        foreach (double cutoff in (double[])[0.7, 2.1, 3.5, 7, 11])
        {
            PeriodicBox box = PeriodicBox.Of(positions, Skewed, periodic, "box");
            NeighborList brute = BruteForce.Build(positions, box, cutoff, "box"), linked = LinkedCells.Build(positions, box, cutoff, "box");
            Assert.That(linked.RowStarts, Is.EqualTo(brute.RowStarts));
            Assert.That(linked.Senders.SequenceEqual(brute.Senders) && linked.Shifts.SequenceEqual(brute.Shifts), $"{cutoff}");
        }
    }

    [Test]
    public void Molecules_of_every_size_equal_brute_force()
    {
        Random random = new(8);
        for (int atoms = 0; atoms <= 40; atoms++) Check(atoms);
        foreach (int atoms in (int[])[63, 64, 65, 255, 256, 257]) Check(atoms);

        void Check(int atoms)
        {
            double[] positions = [.. Enumerable.Range(0, 3 * atoms).Select(_ => 9 * random.NextDouble())];
            foreach (double cutoff in (double[])[2.5, 5, 30])
                AssertSame(NeighborLists.Build(positions, null, Nowhere, cutoff), BruteForce.Build(positions, PeriodicBox.Of(positions, null, Nowhere, "box"), cutoff, "box"));
        }
    }

    [Test]
    public void Random_boxes_with_atoms_far_outside_equal_brute_force([Range(0, 11)] int seed)
    {
        // Up to 10^8 A away: from there on a distance between wrapped atoms decides nothing by itself.
        Random random = new(seed);
        for (int round = 0; round < 8; round++)
        {
            bool[] periodic = Periodicities[random.Next(8)];
            Frame frame = NeighborFrames.Random(1 + random.Next(60), periodic, random);
            double away = seed % 3 == 0 ? Math.Pow(10, random.Next(9)) : 0;
            double[] positions = [.. frame.Positions.Select(p => p + away)];
            double cutoff = 0.5 + 6 * random.NextDouble();
            PeriodicBox box = PeriodicBox.Of(positions, frame.Cell, periodic, "box");
            AssertSame(LinkedCells.Build(positions, box, cutoff, "box"), BruteForce.Build(positions, box, cutoff, "box"));
        }
    }

    [TestCase(1)]
    [TestCase(3)]
    public void Lattices_whose_shells_lie_at_the_cutoff_equal_brute_force(int cells)
    {
        // Atoms inside the cell and whole cells away from it: each rounds its own way.
        double[] positions = [.. Enumerable.Range(0, 64).SelectMany(n => (double[])[n % 4 * 0.1, n / 4 % 4 * 0.1, n / 16 * 0.1]).Select((p, i) => p + i % 5 / 4 * cells * 0.4)];
        double[] cell = [0.4, 0, 0, 0, 0.4, 0, 0, 0, 0.4];
        PeriodicBox box = PeriodicBox.Of(positions, cell, Everywhere, "box");
        foreach (double cutoff in (double[])[0.1, 0.2, 0.1 * Math.Sqrt(2), 0.1 * Math.Sqrt(3), 0.3, 0.5])
            AssertSame(LinkedCells.Build(positions, box, cutoff, "box"), BruteForce.Build(positions, box, cutoff, "box"));
    }

    [Test, NonParallelizable]
    public void Several_threads_give_the_list_of_one()
    {
        Frame frame = NeighborFrames.Dense(9000, [true, false, true], seed: 9);
        NeighborList alone = With(1), together = With(4);
        AssertSame(together, alone);
        Assert.That(together.ReverseEdges.SequenceEqual(alone.ReverseEdges));

        NeighborList With(int threads)
        {
            using ThreadGrant grant = ThreadGrant.Take(threads);
            return NeighborLists.Build(frame, 4);
        }
    }

    [Test]
    public void Rows_that_are_ranked_and_longer_ones_come_sorted([Values(1, 31, 33, 191, 192, 193, 700)] int length)
    {
        int[] keys = new int[length + RowSort.Room], sorted = new int[length];
        Random random = new(10);
        HashSet<int> drawn = [];
        while (drawn.Count < length) drawn.Add(random.Next());
        drawn.CopyTo(keys);
        unsafe
        {
            fixed (int* first = keys, to = sorted) RowSort.Sort(first, to, length);
        }
        Assert.That(sorted, Is.EqualTo(drawn.Order()));
    }

    [Test]
    public void More_images_than_short_keys_have_room_for_equal_brute_force()
    {
        // 17 cells and more on either side: 35^3 images.
        double[] positions = [0.1, 0.2, 0.3, 0.35, 3.1, 0.4], cell = [0.5, 0, 0, 0, 0.6, 0.1, 0.1, 0, 0.5];
        PeriodicBox box = PeriodicBox.Of(positions, cell, Everywhere, "box");
        NeighborList list = LinkedCells.Build(positions, box, 4, "box");
        AssertSame(list, BruteForce.Build(positions, box, 4, "box"));
        Expect.Above(list.Edges, 2000);
    }

    [Test]
    public void A_list_is_right_in_the_arrays_that_another_gave_back()
    {
        // Larger, then smaller: what stands behind the end, and in it, is the other's.
        Frame large = NeighborFrames.Dense(5000, Everywhere, seed: 3), small = NeighborFrames.Dense(3000, Everywhere, seed: 4);
        NeighborList expected = NeighborLists.Build(small, 4);
        int[] reverse = [.. expected.ReverseEdges];
        NeighborList first = NeighborLists.Build(large, 4);
        _ = first.ReverseEdges;
        first.Dispose();
        first.Dispose();
        NeighborList second = NeighborLists.Build(small, 4), kept = NeighborLists.Build(small, 4).Keep();
        AssertSame(second, expected);
        AssertSame(kept, expected);
        Assert.That(second.ReverseEdges.SequenceEqual(reverse) && kept.ReverseEdges.SequenceEqual(reverse));
        Assert.That(kept.Senders.Array, Has.Length.EqualTo(kept.Edges));
        Assert.That((first.Atoms, first.Edges, first.Senders.Count), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void Moving_atoms_by_whole_lattice_vectors_changes_the_shifts_and_no_edge_vector()
    {
        double[] positions = Scattered(100, 0, seed: 2), moved = [.. positions];
        for (int i = 0; i < 100; i++)
            for (int k = 0; k < 3; k++) moved[3 * i + k] += (i % 5 - 2) * Skewed[k] + (i % 3) * Skewed[3 + k];
        NeighborList before = NeighborLists.Build(positions, Skewed, Everywhere, 4);
        NeighborList after = NeighborLists.Build(moved, Skewed, Everywhere, 4);
        Assert.That(after.Senders, Is.EqualTo(before.Senders));
        Expect.Close(after.EdgeVectors(moved, Skewed), before.EdgeVectors(positions, Skewed), absolute: 1e-12);
        Assert.That(after.Shifts, Is.Not.EqualTo(before.Shifts));
    }

    [Test]
    public void Every_edge_has_a_reverse_and_is_its_reverses_reverse()
    {
        double[] positions = Scattered(200, 0.3, seed: 3);
        NeighborList list = NeighborLists.Build(positions, Skewed, Everywhere, 8);
        int[] reverse = [.. list.ReverseEdges];
        Assert.That(reverse.Select(edge => reverse[edge]), Is.EqualTo(Enumerable.Range(0, list.Edges)));
        Assert.That(reverse.Select(edge => list.Senders[edge]).SequenceEqual(list.Receivers));
        double[] vectors = list.EdgeVectors(positions, Skewed);
        double[] turned = [.. reverse.SelectMany(edge => vectors.AsSpan(3 * edge, 3).ToArray()).Select(value => -value)];
        Expect.Close(turned, vectors, absolute: 1e-12);
        int[] shifts = [.. reverse.SelectMany(edge => list.Shifts.AsSpan(3 * edge, 3).ToArray()).Select(shift => -shift)];
        Assert.That(shifts.SequenceEqual(list.Shifts));
    }

    [Test]
    public void A_cell_smaller_than_the_cutoff_gives_an_atom_its_own_images()
    {
        // Simple cubic, one atom, a = 1: 6 images at 1, 12 at sqrt 2, 8 at sqrt 3, 6 at 2.
        NeighborList list = NeighborLists.Build([0.3, 0.4, 7.7], [1, 0, 0, 0, 1, 0, 0, 0, 1], Everywhere, 1.999);
        Assert.That(list.Edges, Is.EqualTo(26));
        Assert.That(list.Senders, Is.All.Zero);
    }

    [Test]
    public void A_pair_at_the_cutoff_is_out_and_a_lone_atom_has_no_row()
    {
        NeighborList list = NeighborLists.Build([0, 0, 0, 2, 0, 0, 9, 9, 9], null, Nowhere, 2);
        Assert.That(list.RowStarts, Is.EqualTo((int[])[0, 0, 0, 0]));
        Assert.That(NeighborLists.Build([], null, Nowhere, 2).RowStarts, Is.EqualTo((int[])[0]));
        Assert.That(NeighborLists.Build([0, 0, 0, 1.999999, 0, 0, 9, 9, 9], null, Nowhere, 2).Senders, Is.EqualTo((int[])[1, 0]));
    }

    [Test]
    public void A_huge_empty_box_costs_no_memory()
    {
        double[] positions = Scattered(100, 0, seed: 4);
        for (int i = 0; i < 300; i += 3) positions[i] += i % 2 * 1e7;
        long before = GC.GetAllocatedBytesForCurrentThread();
        NeighborLists.Build(positions, [1e9, 0, 0, 0, 1e9, 0, 0, 0, 1e9], Everywhere, 3);
        Expect.Below(GC.GetAllocatedBytesForCurrentThread() - before, 1 << 20);
    }

    [Test]
    public void Atoms_at_one_point_are_named()
    {
        Assert.That(() => NeighborLists.Build([0, 0, 0, 5, 5, 5, 0, 0, 1e-7], null, Nowhere, 2, "a.xyz:3"),
            Refused.With("a.xyz:3: atoms 0 and 2 at one point"));
        double[] many = Scattered(500, 0, seed: 5);
        Array.Copy(many, 30, many, 900, 3);
        many[900] += Skewed[0];
        many[901] += Skewed[1];
        many[902] += Skewed[2];
        Assert.That(() => NeighborLists.Build(many, Skewed, Everywhere, 2), Refused.With("atoms 10 and 300 at one point"));
    }

    [TestCase("0 0 0 0 0 0 0 0 0", "T T T")]
    [TestCase("1 0 0 0 1 0 1 1 0", "T T T")]
    [TestCase("2 0 0 0 0 0 0 0 2", "F T F")]
    [TestCase("1 1 0 2 2 0 0 0 1", "T T F")]
    public void A_cell_without_volume_is_refused(string cell, string periodic) => Assert.That(
        () => NeighborLists.Build(
            [0, 0, 0], [.. cell.Split(' ').Select(double.Parse)], [.. periodic.Split(' ').Select(flag => flag == "T")], 2, "c"),
        Refused.With("c: lattice vectors that span no volume"));

    [Test]
    public void Positions_that_are_no_numbers_and_missing_cells_are_refused()
    {
        Assert.That(() => NeighborLists.Build([0, 0, 0, 0, double.NaN, 0], null, Nowhere, 2),
            Refused.With("coordinate y of atom 1 is NaN"));
        Assert.That(() => NeighborLists.Build([0, 0, 0], null, Everywhere, 2), Refused.With("no cell"));
        Assert.That(() => NeighborLists.Build([0, 0, 0], null, Nowhere, 0), Refused.With("cutoff"));
        Assert.That(() => NeighborLists.Build([0, 0, 0], [1e-3, 0, 0, 0, 9, 0, 0, 0, 9], Everywhere, 5),
            Refused.With("lattice planes 0.001"));
    }

    [Test, Category("Slow")]
    public void Time_per_atom_stays_level_from_ten_thousand_to_a_million_atoms()
    {
        double small = SecondsPerAtom(21), large = SecondsPerAtom(100);
        TestContext.Out.WriteLine($"{small * 1e6:F2} and {large * 1e6:F2} us per atom at 9,261 and 1,000,000 atoms");
        Expect.Below(large, 4 * small);
    }

    private static void AssertSame(NeighborList found, NeighborList expected) => Assert.That(
        found.RowStarts.SequenceEqual(expected.RowStarts) && found.Senders.SequenceEqual(expected.Senders) && found.Shifts.SequenceEqual(expected.Shifts),
        $"{found.Edges} edges where {expected.Edges} are expected");

    /// <summary>Best of three for a jittered cubic lattice, 2.2 Angstrom apart, cutoff 5: about 49 neighbours.</summary>
    private static double SecondsPerAtom(int side)
    {
        double length = 2.2 * side;
        double[] positions = new double[3 * side * side * side];
        Random random = new(7);
        for (int i = 0; i < positions.Length / 3; i++)
        {
            positions[3 * i] = 2.2 * (i / side / side) + 0.3 * random.NextDouble();
            positions[3 * i + 1] = 2.2 * (i / side % side) + 0.3 * random.NextDouble();
            positions[3 * i + 2] = 2.2 * (i % side) + 0.3 * random.NextDouble();
        }
        double best = double.MaxValue;
        for (int round = 0; round < 3; round++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            NeighborList list = NeighborLists.Build(positions, [length, 0, 0, 0, length, 0, 0, 0, length], Everywhere, 5);
            best = Math.Min(best, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds);
            Expect.Between((double)list.Edges / list.Atoms, 40, 60);
        }
        return best / (positions.Length / 3);
    }

    /// <summary>Atoms at random in the skewed cell, <paramref name="outside"/> of a cell beyond it on either side.</summary>
    private static double[] Scattered(int atoms, double outside, int seed)
    {
        Random random = new(seed);
        double[] positions = new double[3 * atoms];
        for (int i = 0; i < atoms; i++)
        {
            for (int d = 0; d < 3; d++)
            {
                double fraction = random.NextDouble() * (1 + 2 * outside) - outside;
                for (int k = 0; k < 3; k++) positions[3 * i + k] += fraction * Skewed[3 * d + k];
            }
        }
        return positions;
    }
}
