using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

public class GraphBatchTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void Frames_become_the_graph_that_brute_force_finds()
    {
        TestFrame[] tests = [TestFrame.Molecule(6, 1), TestFrame.Crystal(3, 2), TestFrame.Molecule(2, 3)];
        Frame[] frames = [.. tests.Select(t => new Frame
        {
            AtomicNumbers = t.AtomicNumbers,
            Positions = [.. t.Positions.SelectMany(p => p)],
            Cell = t.Cell?.SelectMany(v => v).ToArray(),
            Periodic = [t.Cell is not null, t.Cell is not null, t.Cell is not null],
            Charge = t.Positions.Length,
        })];
        using var scope = NewDisposeScope();
        using GraphBatch expected = TestFrame.Batch(4, tests), built = GraphBatches.Build(frames, 4);
        Expect.Close(Sorted(built).SelectMany(e => e), Sorted(expected).SelectMany(e => e), absolute: 1e-12);
        Expect.Close(built.AtomicNumbers, expected.AtomicNumbers);
        Expect.Close(built.FrameOfAtom, expected.FrameOfAtom);
        Expect.Close(built.Cells!, expected.Cells!);
        Assert.That(built.Charges!.data<double>().ToArray(), Is.EqualTo(new double[] { 6, 3, 2 }));
        Assert.That(built.Volumes!.data<double>().ToArray(), Is.EqualTo(expected.Volumes!.data<double>().ToArray()));
        Expect.Close(built.Volumes![1].item<double>(), linalg.det(built.Cells![1]).item<double>(), absolute: 1e-12);
    }

    [TestCaseSource(typeof(ForceFieldCase), nameof(ForceFieldCase.Double))]
    public void Graphs_made_by_kernels_give_the_energies_forces_and_stress_of_the_host(ForceFieldCase model)
    {
        Frame[] frames = [.. new[] { TestFrame.Molecule(6, 1), TestFrame.Crystal(3, 2), TestFrame.Molecule(2, 3) }.Select(t => new Frame
        {
            AtomicNumbers = t.AtomicNumbers,
            Positions = [.. t.Positions.SelectMany(p => p)],
            Cell = t.Cell?.SelectMany(v => v).ToArray(),
            Periodic = [t.Cell is not null, t.Cell is not null, t.Cell is not null],
        })];
        using var scope = NewDisposeScope();
        using ForceField field = model.Model();
        using GraphBatch host = Graph(OperatorMode.Host), kernels = Graph(OperatorMode.Kernels);
        Expect.Close(kernels.Edges.Senders, host.Edges.Senders);
        Expect.Close(kernels.ShiftVectors!, host.ShiftVectors!);
        // In the same mode, so that nothing but the graphs could differ.
        foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Composed, OperatorMode.Kernels])
        {
            ForceFieldOutput one = Output(kernels, mode), other = Output(host, mode);
            Expect.Close(Values(one), Values(other), absolute: 1e-12, message: $"{mode}");
        }

        GraphBatch Graph(OperatorMode mode)
        {
            TestScope.Mode(mode);
            return GraphBatches.Build(frames, ForceFieldCase.Cutoff);
        }

        ForceFieldOutput Output(GraphBatch batch, OperatorMode mode)
        {
            TestScope.Mode(mode);
            return field.Evaluate(batch, forces: true, stress: true);
        }

        static double[] Values(ForceFieldOutput output) =>
            [.. output.Energies.data<double>(), .. output.Forces!.data<double>(), .. output.Stress!.data<double>()];
    }

    [Test]
    public void Arrays_that_do_not_fit_together_are_refused()
    {
        Assert.That(() => new GraphBatch([1], [6, 6], new double[6], new EdgeList([0, 0, 0], [])), Throws.ArgumentException);
        Assert.That(() => new GraphBatch([2], [6, 6], new double[5], new EdgeList([0, 0, 0], [])), Throws.ArgumentException);
        Assert.That(() => new GraphBatch([2], [6, 6], new double[6], new EdgeList([0, 0], [])), Throws.ArgumentException);
        Assert.That(() => new GraphBatch([2], [6, 6], new double[6], new EdgeList([0, 0, 0], []), cells: new double[8]),
            Throws.ArgumentException);
        Assert.That(() => new GraphBatch([3, -1], [6, 6], new double[6], new EdgeList([0, 0, 0], [])), Throws.ArgumentException);
    }

    /// <summary>Receiver, sender and vector of every edge, in an order of their own.</summary>
    private static double[][] Sorted(GraphBatch batch)
    {
        double[] vectors = EdgeVectors.Apply(batch.Positions, batch.Edges, batch.ShiftVectors).data<double>().ToArray();
        long[] receivers = batch.Edges.Receivers.data<long>().ToArray(), senders = batch.Edges.Senders.data<long>().ToArray();
        return [.. Enumerable.Range(0, batch.Edges.Count)
            .Select(e => new[] { receivers[e], senders[e], vectors[3 * e], vectors[3 * e + 1], vectors[3 * e + 2] })
            .OrderBy(e => e[0]).ThenBy(e => e[1]).ThenBy(e => Math.Round(e[2], 9)).ThenBy(e => Math.Round(e[3], 9)).ThenBy(e => e[4])];
    }
}
