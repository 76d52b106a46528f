using ChemScale.Engine;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Operators;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Neighbours of molecules in kernels against those on the host, and against an independent program's.</summary>
public class MoleculeNeighborsTests
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        OperatorModes.Current = OperatorMode.Auto;
        KernelTensors.Cpu = CpuDevice.Scalar;
    }

    [Test]
    public void Kernels_find_the_edges_of_the_host([Values] bool single, [Values] bool warps)
    {
        int[] sizes = warps ? [3, 0, 40, 1, 30] : [9, 1, 0, 21, 2, 80, 1, 150];
        Tensor positions = Molecules(sizes, single);
        if (warps) KernelTensors.Cpu = CpuDevice.Warps;
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
            OperatorModes.Current = mode;
            return MoleculeNeighbors.Apply(positions, sizes, cutoff);
        }
    }

    [TestCaseSource(nameof(Files))]
    public void Kernels_equal_the_reference_lists_where_nothing_repeats(string file)
    {
        NpzArchive npz = NpzArchive.Open(file);
        string[] names = [.. npz["names"].Texts().Where(name => npz[$"{name}.pbc"].Integers().All(flag => flag == 0))];
        if (names.Length == 0) Assert.Ignore("every system of this file is periodic");
        OperatorModes.Current = OperatorMode.Kernels;
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
        OperatorModes.Current = OperatorMode.Kernels;
        using EdgeList edges = MoleculeNeighbors.Apply(empty(0, 3, dtype: ScalarType.Float64), new int[frames], 5);
        Assert.That((edges.Atoms, edges.Count), Is.EqualTo((0, 0)));
    }

    [Test]
    public void Bad_positions_are_refused_as_on_the_host([Values(OperatorMode.Kernels, OperatorMode.Host)] OperatorMode mode)
    {
        OperatorModes.Current = mode;
        Tensor same = tensor(new double[] { 0, 0, 0, 1, 2, 3, 5, 5, 5, 1, 2, 3 }).view(4, 3);
        Assert.That(() => MoleculeNeighbors.Apply(same, [4], 2),
            Throws.InstanceOf<InputException>().With.Message.Contains("atoms 1 and 3"));
        Assert.That(() => MoleculeNeighbors.Apply(same, [2, 2], 2).Dispose(), Throws.Nothing);
        Tensor bad = tensor(new double[] { 0, 0, 0, 1, double.NaN, 3 }).view(2, 3);
        Assert.That(() => MoleculeNeighbors.Apply(bad, [2], 2), Throws.InstanceOf<InputException>().With.Message.Contains("finite"));
        Assert.That(() => MoleculeNeighbors.Apply(same, [4], 0), Throws.InstanceOf<InputException>());
    }

    private static IEnumerable<TestCaseData> Files() => DataFolder.Cases("fixtures", "neighbours_ase*.npz");

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
