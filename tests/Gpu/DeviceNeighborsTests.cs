using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>Neighbours found on a device: the host's, edge for edge.</summary>
[Category("Gpu")]
public class DeviceNeighborsTests
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        TestScope.Reset();
    }

    [Test]
    public void Random_molecules_have_the_edges_of_the_host([Values] bool single, [Values(0.7, 4, 100)] double cutoff)
    {
        Device device = TestDevice.Require();
        int[] sizes = [9, 1, 0, 21, 2, 80, 1, 150, .. Enumerable.Repeat(21, device.type == DeviceType.CPU ? 5 : 500)];
        Tensor[] frames = [.. sizes.Select((n, i) => (DeviceOperation.Normal(4 + (ulong)i, n, 3) * 0.35 * Math.Cbrt(10 * n)).to(single ? ScalarType.Float32 : ScalarType.Float64))];
        Tensor positions = cat(frames, 0);
        TestScope.Mode(OperatorMode.Host);
        using EdgeList expected = MoleculeNeighbors.Apply(positions, sizes, cutoff);
        TestScope.Mode(OperatorMode.Kernels);
        using EdgeList found = MoleculeNeighbors.Apply(positions.to(device), sizes, cutoff);
        Expect.Above(expected.Count, cutoff > 1 ? 1000 : 1);
        Same(found.RowStarts, expected.RowStarts);
        Same(found.Senders, expected.Senders);
        Same(found.Receivers, expected.Receivers);
        Same(found.ReverseEdges!, expected.ReverseEdges!);
    }

    [Test]
    [Category("Data")]
    public void Molecules_of_the_reference_lists_have_their_edges()
    {
        Device device = TestDevice.Require();
        NpzArchive npz = NpzArchive.Open(ReferenceData.Require(Path.Combine("fixtures", "neighbours_ase.npz")));
        string[] names = [.. npz["names"].Texts().Where(name => npz[$"{name}.pbc"].Integers().All(flag => flag == 0))];
        if (names.Length == 0) Assert.Ignore("every system of this file is periodic");
        TestScope.Mode(OperatorMode.Kernels);
        foreach (string name in names)
        {
            double[] positions = npz[$"{name}.pos"].Doubles();
            using EdgeList edges = MoleculeNeighbors.Apply(tensor(positions, device: device).view(-1, 3), [positions.Length / 3], npz["cutoff"].Doubles()[0]);
            Assert.That(edges.Receivers.cpu().data<long>().ToArray(), Is.EqualTo(npz[$"{name}.i"].Integers()), name);
            Assert.That(edges.Senders.cpu().data<long>().ToArray(), Is.EqualTo(npz[$"{name}.j"].Integers()), name);
        }
    }

    private static void Same(Tensor found, Tensor expected) =>
        Assert.That(found.cpu().data<long>().ToArray(), Is.EqualTo(expected.data<long>().ToArray()));
}
