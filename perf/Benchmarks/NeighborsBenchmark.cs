using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Operators.Neighbors;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Neighbour lists: linked cells on the host against the number of atoms at one density, which should grow as the atoms do; and all pairs
/// within each molecule of a batch, on the host and by kernels.
/// </summary>
internal sealed class NeighborsBenchmark : Benchmark
{
    private const double Cutoff = 5;
    private const double Spacing = 2.2;
    private const int AtomsOfMolecule = 21;

    public override string Name => "neighbors";

    public override string Summary => "neighbour lists: linked cells of one frame (host), all pairs of a batch of molecules (host, kernels)";

    public override void Run(BenchmarkRun run)
    {
        foreach (long atoms in run.Settings.Atoms) Cells(run, (int)Math.Round(Math.Cbrt(atoms)));
        foreach (long molecules in run.Settings.Molecules) Molecules(run, (int)molecules);
    }

    private static void Cells(BenchmarkRun run, int side)
    {
        if (!run.Settings.Wants("host")) return;
        long atoms = (long)side * side * side;
        var parameters = new JsonObject { ["method"] = "linked cells", ["atoms"] = atoms, ["cutoff"] = Cutoff };
        // About 49 neighbours an atom: 4 bytes of sender and 12 of shift each, and the reverse edges.
        run.Compare(new Case(parameters, "atoms", atoms, "atoms"), [new("list"), new("reverse edges")],
            [SidePlan.Host(49.0 * 60 * atoms)], scope =>
            {
                double length = side * Spacing;
                double[] positions = Jittered(side), cell = [length, 0, 0, 0, length, 0, 0, 0, length];
                return plan => clock =>
                {
                    NeighborList? list = null;
                    clock.Time("list", () => list = NeighborLists.Build(positions, cell, [true, true, true], Cutoff));
                    clock.Time("reverse edges", () => list!.ReverseEdges.AsSpan());
                    list!.Dispose();
                };
            }, onHost: true);
    }

    private static void Molecules(BenchmarkRun run, int molecules)
    {
        RunSettings s = run.Settings;
        int atoms = molecules * AtomsOfMolecule;
        int[] sizes = [.. Enumerable.Repeat(AtomsOfMolecule, molecules)];
        double[] positions = Chains(molecules);
        using Tensor there = tensor(positions, dtype: ScalarType.Float32, device: s.Device).view(-1, 3);
        int edges = Edges(there, sizes);
        var parameters = new JsonObject { ["method"] = "all pairs", ["molecules"] = molecules, ["atoms"] = AtomsOfMolecule };
        // As docs/KERNELS.md counts them: nine FLOPs a pair, twice; 24 bytes an edge.
        Pass[] passes = [new("list", 24.0 * edges, 18.0 * molecules * AtomsOfMolecule * AtomsOfMolecule)];
        run.Compare(new Case(parameters, "molecules", atoms, "atoms"), passes, [SidePlan.Host(200.0 * edges), SidePlan.Kernels(200.0 * edges)],
            _ => plan => clock => clock.Time("list", () => MoleculeNeighbors.Apply(there, sizes, Cutoff).Dispose()));
    }

    private static int Edges(Tensor positions, int[] sizes)
    {
        using RunScope.Entry host = new RunScope(OperatorMode.Host).Enter();
        using EdgeList list = MoleculeNeighbors.Apply(positions, sizes, Cutoff);
        return list.Count;
    }

    /// <summary>Crooked chains of atoms 1.3 A apart, each within its own frame.</summary>
    private static double[] Chains(int molecules)
    {
        Random random = new(1);
        double[] positions = new double[3 * molecules * AtomsOfMolecule];
        for (int i = 0; i < molecules * AtomsOfMolecule; i++)
        {
            int link = i % AtomsOfMolecule;
            positions[3 * i] = 1.1 * (link % 5) + 0.2 * random.NextDouble();
            positions[3 * i + 1] = 1.3 * (link / 5) + 0.2 * random.NextDouble();
            positions[3 * i + 2] = 0.6 * (link % 2) + 0.2 * random.NextDouble();
        }
        return positions;
    }

    /// <summary>(atoms, 3) A simple cubic lattice with every atom moved a little, in a shuffled order.</summary>
    private static double[] Jittered(int side)
    {
        Random random = new(1);
        int[] order = [.. Enumerable.Range(0, side * side * side)];
        random.Shuffle(order);
        double[] positions = new double[3 * order.Length];
        for (int i = 0; i < order.Length; i++)
        {
            positions[3 * i] = Spacing * (order[i] / side / side) + 0.3 * random.NextDouble();
            positions[3 * i + 1] = Spacing * (order[i] / side % side) + 0.3 * random.NextDouble();
            positions[3 * i + 2] = Spacing * (order[i] % side) + 0.3 * random.NextDouble();
        }
        return positions;
    }
}
