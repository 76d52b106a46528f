using ChemScale.Engine;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Neighbours of molecules in kernels against those on the host, and against an independent program's.</summary>
public class MoleculeNeighborsTests : OperatorFixture
{
    [Test]
    public void Kernels_find_the_edges_of_the_host([Values] bool single, [Values] bool warps)
    {
        int[] sizes = warps ? [3, 0, 40, 1, 30] : [9, 1, 0, 21, 2, 80, 1, 150];
        Tensor positions = Molecules(sizes, single);
        if (warps) TestScope.Warps();
        foreach (double cutoff in (double[])[0.7, 4, 100])
        {
            using EdgeList found = Edges(OperatorMode.Kernels, cutoff), expected = Edges(OperatorMode.Host, cutoff);
            AssertEqual(found.RowStarts, expected.RowStarts);
            AssertEqual(found.Senders, expected.Senders);
            AssertEqual(found.Receivers, expected.Receivers);
            AssertEqual(found.ReverseEdges!, expected.ReverseEdges!);
        }

        EdgeList Edges(OperatorMode mode, double cutoff)
        {
            TestScope.Mode(mode);
            return MoleculeNeighbors.Apply(positions, sizes, cutoff);
        }
    }

    [Test]
    public void Pairs_exactly_at_the_cutoff_are_absent_and_rows_stay_whole([Values] bool single)
    {
        // Whole numbers: squared distances are exact, and many equal the squared cutoff.
        Tensor lattice = cartesian_prod(arange(5), arange(5), arange(5)).to(single ? ScalarType.Float32 : ScalarType.Float64);
        foreach (int cutoff in (int[])[1, 2, 3])
        {
            TestScope.Mode(OperatorMode.Kernels);
            using EdgeList found = MoleculeNeighbors.Apply(lattice, [125], cutoff);
            Tensor squares = (lattice.unsqueeze(0) - lattice.unsqueeze(1)).square().sum(-1);
            Tensor near = squares.lt(cutoff * cutoff).logical_and(squares.gt(0)).nonzero();
            Assert.That(squares.eq(cutoff * cutoff).any().item<bool>());
            AssertEqual(found.Receivers, near.select(1, 0).contiguous());
            AssertEqual(found.Senders, near.select(1, 1).contiguous());
        }
    }

    [Test]
    public void An_atom_with_3000_neighbours_has_them_all()
    {
        // On a sphere about the first atom: its own neighbours are all of them, those of each other a quarter.
        using Generator generator = new(6);
        Tensor around = randn(3000, 3, dtype: ScalarType.Float64, generator: generator);
        Tensor positions = cat([zeros(1, 3, dtype: ScalarType.Float64), 20 * around / around.norm(1, keepdim: true)], 0);
        using EdgeList found = Edges(OperatorMode.Kernels), expected = Edges(OperatorMode.Host);
        Assert.That(found.RowStarts.data<long>()[1], Is.EqualTo(3000));
        AssertEqual(found.RowStarts, expected.RowStarts);
        AssertEqual(found.Senders, expected.Senders);
        AssertEqual(found.ReverseEdges!, expected.ReverseEdges!);

        EdgeList Edges(OperatorMode mode)
        {
            TestScope.Mode(mode);
            return MoleculeNeighbors.Apply(positions, [3001], 20.001);
        }
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        int[] sizes = warps ? [3, 1, 7] : [9, 1, 0, 21];
        Tensor positions = Molecules(sizes, single: true);
        if (warps) TestScope.Warps();
        TestScope.Mode(OperatorMode.Kernels);
        using EdgeList first = MoleculeNeighbors.Apply(positions, sizes, 3);
        for (int repeat = 0; repeat < Operation.Repeats(warps); repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            using EdgeList again = MoleculeNeighbors.Apply(positions, sizes, 3);
            AssertEqual(again.RowStarts, first.RowStarts);
            AssertEqual(again.Senders, first.Senders);
            AssertEqual(again.ReverseEdges!, first.ReverseEdges!);
        }
    }

    [Test]
    public void Positions_need_not_be_contiguous()
    {
        Tensor positions = Molecules([9], single: false);
        TestScope.Mode(OperatorMode.Kernels);
        using EdgeList expected = MoleculeNeighbors.Apply(positions, [9], 3);
        using EdgeList found = MoleculeNeighbors.Apply(Operation.Strided(positions), [9], 3);
        AssertEqual(found.Senders, expected.Senders);
    }

    [TestCaseSource(nameof(Files))]
    public void Kernels_equal_the_reference_lists_where_nothing_repeats(string file)
    {
        NpzArchive npz = NpzArchive.Open(file);
        string[] names = [.. npz["names"].Texts().Where(name => npz[$"{name}.pbc"].Integers().All(flag => flag == 0))];
        if (names.Length == 0) Assert.Ignore("every system of this file is periodic");
        TestScope.Mode(OperatorMode.Kernels);
        foreach (string name in names)
        {
            double[] positions = npz[$"{name}.pos"].Doubles();
            double cutoff = npz["cutoff"].Doubles()[0];
            using EdgeList edges = MoleculeNeighbors.Apply(tensor(positions).view(-1, 3), [positions.Length / 3], cutoff);
            Assert.That(edges.Receivers.data<long>().ToArray(), Is.EqualTo(npz[$"{name}.i"].Integers()), name);
            Assert.That(edges.Senders.data<long>().ToArray(), Is.EqualTo(npz[$"{name}.j"].Integers()), name);
        }
    }

    [Test]
    public void Batches_without_frames_or_atoms_have_no_edges([Values(0, 2)] int frames)
    {
        TestScope.Mode(OperatorMode.Kernels);
        using EdgeList edges = MoleculeNeighbors.Apply(empty(0, 3, dtype: ScalarType.Float64), new int[frames], 5);
        Assert.That((edges.Atoms, edges.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Bad_positions_are_refused_as_on_the_host([Values(OperatorMode.Kernels, OperatorMode.Host)] OperatorMode mode)
    {
        TestScope.Mode(mode);
        Tensor same = tensor(new double[] { 0, 0, 0, 1, 2, 3, 5, 5, 5, 1, 2, 3 }).view(4, 3);
        Assert.That(() => MoleculeNeighbors.Apply(same, [4], 2),
            Throws.InstanceOf<InputException>().With.Message.Contains("atoms 1 and 3"));
        Assert.That(() => MoleculeNeighbors.Apply(same, [2, 2], 2).Dispose(), Throws.Nothing);
        Tensor bad = tensor(new double[] { 0, 0, 0, 1, double.NaN, 3 }).view(2, 3);
        Assert.That(() => MoleculeNeighbors.Apply(bad, [2], 2), Throws.InstanceOf<InputException>().With.Message.Contains("finite"));
        Assert.That(() => MoleculeNeighbors.Apply(same, [4], 0), Throws.InstanceOf<InputException>());
    }

    private static IEnumerable<TestCaseData> Files() => ReferenceData.Cases("fixtures", "neighbours_ase*.npz");

    private static void AssertEqual(Tensor found, Tensor expected) =>
        Assert.That(found.data<long>().ToArray(), Is.EqualTo(expected.data<long>().ToArray()));

    /// <summary>Atoms at random, about one in 10 cubic Angstrom.</summary>
    private static Tensor Molecules(int[] sizes, bool single)
    {
        using Generator generator = new(4);
        Tensor[] frames = [.. sizes.Select(n => rand(n, 3, dtype: ScalarType.Float64, generator: generator) * Math.Cbrt(10 * n))];
        return cat(frames, 0).to(single ? ScalarType.Float32 : ScalarType.Float64);
    }
}
