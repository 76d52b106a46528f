using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Tests.Atoms.Neighbors;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Neighbours from bins in kernels against the host's lists, to the bit, and against an independent program's.</summary>
public class FrameNeighborsTests : OperatorFixture
{
    private static readonly bool[] Everywhere = [true, true, true];

    [SetUp]
    public void Choose()
    {
        TestScope.Mode(OperatorMode.Kernels);
    }

    [Test]
    public void Bins_find_the_edges_of_the_host_for_every_periodicity_and_cutoff(
        [ValueSource(typeof(NeighborListTests), nameof(NeighborListTests.Periodicities))] bool[] periodic)
    {
        // Half a cell outside on either side; cutoffs below, near and above the heights of the cell.
        Frame frame = NeighborFrames.Skewed(100, periodic, outside: 0.5, seed: 1);
        foreach (double cutoff in (double[])[0.7, 2.1, 3.5, 7, 11]) AssertHost([frame], cutoff);
    }

    [Test]
    public void Random_cells_of_either_handedness_give_the_edges_of_the_host([Range(0, 39)] int seed)
    {
        Random random = new(seed);
        bool[] periodic = NeighborListTests.Periodicities[random.Next(8)];
        AssertHost([NeighborFrames.Random(1 + random.Next(120), periodic, random)], 0.5 + 6 * random.NextDouble());
    }

    [Test]
    public void Full_warps_find_the_edges_of_the_host()
    {
        TestScope.Warps();
        Frame[] frames =
        [
            NeighborFrames.Skewed(20, Everywhere, 0.3, 2), NeighborFrames.Empty, NeighborFrames.Skewed(15, [true, false, true], 0.3, 3),
            NeighborFrames.Skewed(35, new bool[3], 0.2, 4), NeighborFrames.Skewed(1, [false, false, true], 0, 5),
        ];
        foreach (double cutoff in (double[])[2, 8]) AssertHost(frames, cutoff);
    }

    [Test]
    public void Mixed_batches_keep_their_frames_apart()
    {
        Frame[] frames =
        [
            NeighborFrames.Empty, NeighborFrames.Skewed(700, new bool[3], 1, 6), NeighborFrames.Skewed(1, Everywhere, 2, 7),
            NeighborFrames.Skewed(21, new bool[3], 0, 8), NeighborFrames.Skewed(90, [true, true, false], 1, 9), NeighborFrames.Empty,
            NeighborFrames.Skewed(9, [false, true, false], 0, 10), NeighborFrames.Skewed(1, new bool[3], 0, 11), NeighborFrames.Empty,
        ];
        foreach (double cutoff in (double[])[1.5, 4, 12]) AssertHost(frames, cutoff);
    }

    [TestCase(10_000)]
    [TestCase(100_000, Category = "Slow")]
    public void Large_systems_have_the_edges_of_the_host(int atoms)
    {
        Frame frame = NeighborFrames.Dense(atoms, atoms == 10_000 ? [true, false, true] : Everywhere, seed: 12);
        AssertHost([frame], 4.5);
        AssertHost([frame with { Periodic = new bool[3] }], 4.5);
    }

    [Test]
    public void Molecules_take_all_pairs_and_infinite_cutoffs_every_one([Values(30, 600)] int atoms)
    {
        Frame[] frames = [NeighborFrames.Skewed(atoms, new bool[3], 1, 13), NeighborFrames.Skewed(5, new bool[3], 1, 14)];
        AssertEqual(FrameNeighbors.Apply(frames, Positions(frames), 3), Host(frames, 3));
        FrameEdges every = FrameNeighbors.Apply(frames, Positions(frames), double.PositiveInfinity);
        Assert.That(every.Edges.Count, Is.EqualTo(atoms * (atoms - 1) + 20));
        AssertEqual(every, Host(frames, double.PositiveInfinity));
        Frame repeating = NeighborFrames.Skewed(5, Everywhere, 0, 14);
        Assert.That(() => FrameNeighbors.Apply([repeating], Positions([repeating]), double.PositiveInfinity), Throws.ArgumentException);
    }

    [TestCaseSource(nameof(Files))]
    public void Bins_equal_the_reference_lists(string file)
    {
        NpzArchive npz = NpzArchive.Open(file);
        double cutoff = npz["cutoff"].Doubles()[0];
        foreach (string name in npz["names"].Texts())
        {
            double[] positions = npz[$"{name}.pos"].Doubles();
            Frame frame = NeighborFrames.Of(positions, npz[$"{name}.cell"].Doubles(), [.. npz[$"{name}.pbc"].Integers().Select(flag => flag != 0)]);
            FrameEdges found = FrameNeighborsKernels.Build(Positions([frame]), [frame], cutoff);
            Assert.That(Numbers(found.Edges.Receivers), Is.EqualTo(npz[$"{name}.i"].Integers()), name);
            Assert.That(Numbers(found.Edges.Senders), Is.EqualTo(npz[$"{name}.j"].Integers()), name);
            long[] shifts = found.Shifts is { } s ? Numbers(s.to(ScalarType.Int64)) : new long[3 * found.Edges.Count];
            Assert.That(shifts, Is.EqualTo(npz[$"{name}.S"].Integers()), name);
        }
    }

    [Test]
    public void Pairs_at_the_cutoff_are_out_and_those_a_little_nearer_in()
    {
        double[] cell = [8, 0, 0, 0, 8, 0, 0, 0, 8];
        Frame at = NeighborFrames.Of([1, 1, 1, 3, 1, 1, 1, 7, 1, 1, 1, 7], cell, Everywhere);
        AssertHost([at], 2);
        Assert.That(FrameNeighborsKernels.Build(Positions([at]), [at], 2).Edges.Count, Is.Zero);
        // 1 and 7 are two apart across the boundary; the next larger number lets all three pairs in.
        AssertHost([at], Math.BitIncrement(2.0));
        Assert.That(FrameNeighborsKernels.Build(Positions([at]), [at], Math.BitIncrement(2.0)).Edges.Count, Is.EqualTo(6));
    }

    [Test]
    public void A_lattice_whose_shells_lie_at_the_cutoff_gives_the_edges_of_the_host()
    {
        // Distances of 1, sqrt 2, sqrt 3, 2 ... are met from every side, with every rounding.
        double[] positions = [.. Enumerable.Range(0, 343).SelectMany(n => (double[])[n % 7 * 0.1, n / 7 % 7 * 0.1, n / 49 * 0.1])];
        Frame frame = NeighborFrames.Of(positions, [0.7, 0, 0, 0, 0.7, 0, 0, 0, 0.7], Everywhere);
        foreach (double cutoff in (double[])[0.1, 0.2, 0.1 * Math.Sqrt(2), 0.1 * Math.Sqrt(3), 0.3]) AssertHost([frame], cutoff);
    }

    [Test]
    public void Numbering_the_atoms_otherwise_gives_the_same_edges_between_them()
    {
        Frame frame = NeighborFrames.Skewed(500, [true, true, false], 0.3, 15);
        int[] order = [.. Enumerable.Range(0, 500)];
        new Random(16).Shuffle(order);
        Frame other = frame with { Positions = [.. order.SelectMany(i => frame.Positions[(3 * i)..(3 * i + 3)])] };
        FrameEdges before = FrameNeighborsKernels.Build(Positions([frame]), [frame], 3), after = FrameNeighborsKernels.Build(Positions([other]), [other], 3);
        Assert.That(Edges(after, i => order[i]).Order(), Is.EqualTo(Edges(before, i => i).Order()));

        static IEnumerable<(int Receiver, int Sender, int A, int B, int C)> Edges(FrameEdges edges, Func<int, int> atom)
        {
            long[] receivers = Numbers(edges.Edges.Receivers), senders = Numbers(edges.Edges.Senders);
            int[] s = edges.Shifts!.data<int>().ToArray();
            return Enumerable.Range(0, receivers.Length)
                .Select(e => (atom((int)receivers[e]), atom((int)senders[e]), s[3 * e], s[3 * e + 1], s[3 * e + 2]));
        }
    }

    [Test, Category("Slow")]
    public void Two_hundred_and_fifty_repeats_give_the_same_bits()
    {
        TestScope.Warps();
        Frame[] frames = [NeighborFrames.Skewed(6, Everywhere, 0.4, 17), NeighborFrames.Skewed(9, new bool[3], 0.1, 18)];
        FrameEdges first = FrameNeighborsKernels.Build(Positions(frames), frames, 4);
        for (int repeat = 0; repeat < 250; repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            using FrameEdges again = FrameNeighborsKernels.Build(Positions(frames), frames, 4);
            AssertEqual(again, first);
        }
    }

    [Test]
    public void Single_precision_positions_are_taken_as_they_are()
    {
        Frame frame = NeighborFrames.Skewed(200, Everywhere, 0.5, 19);
        Tensor single = Positions([frame]).to(ScalarType.Float32);
        Frame rounded = frame with { Positions = [.. single.to(ScalarType.Float64).data<double>()] };
        AssertEqual(FrameNeighbors.Apply([rounded], single, 3), Host([rounded], 3));
    }

    [Test]
    public void Batches_without_frames_or_atoms_have_no_edges([Values(0, 3)] int frames)
    {
        Frame[] none = [.. Enumerable.Repeat(NeighborFrames.Empty, frames)];
        foreach (FrameEdges edges in (FrameEdges[])[FrameNeighbors.Apply(none, Positions(none), 5), FrameNeighborsKernels.Build(Positions(none), none, 5)])
            Assert.That((edges.Edges.Atoms, edges.Edges.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Bad_frames_are_refused_in_the_words_of_the_host()
    {
        Frame good = NeighborFrames.Skewed(20, Everywhere, 0.2, 20), many = NeighborFrames.Skewed(100, Everywhere, 0, 21);
        double[] same = [.. many.Positions], bad = [.. many.Positions];
        for (int k = 0; k < 3; k++) same[3 * 70 + k] = same[3 * 10 + k] + good.Cell![k];
        bad[3 * 33 + 1] = double.NaN;
        Frame[] wrong =
        [
            many with { Positions = same, Place = "a.xyz:3" }, many with { Positions = bad, Place = "a.xyz:4" },
            many with { Cell = null, Place = "a.xyz:5" }, many with { Cell = [1, 0, 0, 0, 1, 0, 1, 1, 0], Place = "a.xyz:6" },
            many with { Cell = [1e-3, 0, 0, 0, 9, 0, 0, 0, 9], Place = "a.xyz:7" },
            NeighborFrames.Of([0, 0, 0], [1e-7, 0, 0, 0, 9, 0, 0, 0, 9], [false, true, true]) with { Cell = [9, 0, 0, 0, 1e-7, 0, 0, 0, 9] },
        ];
        foreach (Frame frame in wrong)
        {
            Frame[] frames = [good, frame, good];
            InputException host = Assert.Throws<InputException>(() => Host(frames, 5))!;
            InputException kernels = Assert.Throws<InputException>(() => FrameNeighbors.Apply(frames, Positions(frames), 5))!;
            Assert.That(kernels.Message, Is.EqualTo(host.Message));
        }
        Assert.That(() => FrameNeighbors.Apply([good], Positions([good]), 0), Throws.InstanceOf<InputException>());
        Assert.That(() => FrameNeighbors.Apply([good], Positions([many]), 5), Throws.ArgumentException);
    }

    [Test]
    public void An_atom_on_top_of_its_own_image_is_named()
    {
        Frame frame = NeighborFrames.Of([0, 0, 0], [4e-8, 0, 0, 0, 9, 0, 0, 0, 9], [true, false, false]);
        Assert.That(() => FrameNeighbors.Apply([frame], Positions([frame]), 1e-6),
            Throws.InstanceOf<InputException>().With.Message.Contains("atom 0 on top of its own image"));
    }

    [Test]
    public void More_edges_than_indices_reach_are_refused()
    {
        // As a count would find them: nothing of that size is allocated.
        Tensor counts = tensor(new long[] { NeighborFindings.MostEdges, 1 }), rowStarts = cat([zeros(1, dtype: ScalarType.Int64), counts.cumsum(0)]);
        Tensor positions = zeros(2, 3, dtype: ScalarType.Float64);
        Assert.That(() => NeighborFindings.Edges(positions, counts, rowStarts, [2], _ => "large.xyz"),
            Throws.InstanceOf<InputException>().With.Message.Contains("large.xyz: 715,478,358 edges"));
        counts[1] = 0;
        rowStarts[2] = NeighborFindings.MostEdges;
        Assert.That(NeighborFindings.Edges(positions, counts, rowStarts, [2], _ => ""), Is.EqualTo(NeighborFindings.MostEdges));
    }

    [Test]
    public void Orders_by_sender_made_on_the_device_are_those_of_the_host()
    {
        Frame[] frames = [NeighborFrames.Skewed(30, Everywhere, 0.5, 22), NeighborFrames.Skewed(40, new bool[3], 0.5, 23)];
        EdgeList found = FrameNeighbors.Apply(frames, Positions(frames), 8).Edges, expected = Host(frames, 8).Edges;
        Assert.That(Numbers(found.SenderRowStarts), Is.EqualTo(Numbers(expected.SenderRowStarts)));
        Assert.That(Numbers(found.SenderEdges), Is.EqualTo(Numbers(expected.SenderEdges)));
        Assert.That(found.BySender.Cut(500), Is.EqualTo(expected.BySender.Cut(500)));
        Assert.That(Numbers(found.OneWay.Senders), Is.EqualTo(Numbers(expected.Senders)));
        Assert.That(Numbers(found.OneWay.Edges), Is.EqualTo(Enumerable.Range(0, expected.Count)));
        Assert.That((found.OneWay.Count, found.OneWay.TwoWay), Is.EqualTo((expected.Count, 0)));
    }

    private static IEnumerable<TestCaseData> Files() => ReferenceData.Cases("fixtures", "neighbours_ase*.npz");

    private static Tensor Positions(Frame[] frames)
    {
        double[] all = [.. frames.SelectMany(f => f.Positions)];
        return tensor(all).reshape(all.Length / 3, 3);
    }

    private static FrameEdges Host(Frame[] frames, double cutoff)
    {
        TestScope.Mode(OperatorMode.Host);
        try
        {
            return FrameNeighbors.Apply(frames, Positions(frames), cutoff);
        }
        finally
        {
            TestScope.Mode(OperatorMode.Kernels);
        }
    }

    /// <summary>Bins, whatever the size.</summary>
    private static void AssertHost(Frame[] frames, double cutoff)
    {
        using FrameEdges found = FrameNeighborsKernels.Build(Positions(frames), frames, cutoff), expected = Host(frames, cutoff);
        AssertEqual(found, expected);
        if (frames.Length > 1) return;
        NeighborList list = NeighborLists.Build(frames[0], cutoff);
        Assert.That(Numbers(found.Edges.ReverseEdges!).SequenceEqual(list.ReverseEdges.Select(e => (long)e)), "reverse edges");
    }

    private static void AssertEqual(FrameEdges found, FrameEdges expected)
    {
        Same(found.Edges.RowStarts, expected.Edges.RowStarts, "row starts");
        Same(found.Edges.Receivers, expected.Edges.Receivers, "receivers");
        Same(found.Edges.Senders, expected.Edges.Senders, "senders");
        if (expected.Edges.Count > 0) Same(found.Edges.ReverseEdges!, expected.Edges.ReverseEdges!, "reverse edges");
        Assert.That((found.Shifts is null, found.ShiftVectors is null), Is.EqualTo((expected.Shifts is null, expected.ShiftVectors is null)));
        if (expected.Shifts is null) return;
        Same(found.Shifts!, expected.Shifts, "shifts");
        Same(found.ShiftVectors!, expected.ShiftVectors!, "shift vectors");

        static void Same(Tensor one, Tensor other, string what) => Assert.That(
            one.dtype == other.dtype && one.shape.SequenceEqual(other.shape) && one.eq(other).all().item<bool>(), what);
    }

    private static long[] Numbers(Tensor values) => values.data<long>().ToArray();
}
