using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.PaiNN;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>PaiNN's message by edges, and its mixing by atoms: forward, backward and double backward.</summary>
internal sealed class PaiNNBenchmark : Benchmark
{
    public override string Name => "painn";

    public override string Summary => "PaiNN's message and mixing";

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long width in s.Widths)
        {
            foreach (long wanted in s.Edges)
            {
                long edges = Ring.Edges(wanted, s.Neighbors);
                var parameters = new JsonObject
                {
                    ["operation"] = "message",
                    ["edges"] = edges,
                    ["neighbors"] = s.Neighbors,
                    ["features"] = width,
                    ["functions"] = s.Functions,
                };
                run.Compare(new Case(parameters, "edges", edges, "edges"), MessageSteps.Passes(edges, width, s.Functions + 1),
                    MessageSteps.Plans(edges, width, s.Functions + 1, s),
                    scope => MessageSteps.Make(scope, wanted, (int)width, s.Functions + 1, s), "ops_torch.py");
            }
            foreach (long wanted in s.Edges)
            {
                long atoms = Ring.Edges(wanted, s.Neighbors) / s.Neighbors;
                Mixing(run, "invariants", atoms, (int)width, [32, 56, 88]);
                Mixing(run, "update", atoms, (int)width, [60, 80, 124]);
            }
        }
    }

    /// <param name="run">Where to.</param>
    /// <param name="operation">invariants or update</param>
    /// <param name="atoms">A</param>
    /// <param name="f">F</param>
    /// <param name="bytes">An atom and feature, as docs/KERNELS.md counts them; arithmetic does not matter.</param>
    private static void Mixing(BenchmarkRun run, string operation, long atoms, int f, double[] bytes)
    {
        var parameters = new JsonObject { ["operation"] = operation, ["atoms"] = atoms, ["features"] = f };
        string[] names = [Pass.Forward, Pass.Backward, Pass.DoubleBackward];
        Pass[] passes = [.. names.Zip(bytes, (name, b) => new Pass(name, b * f * atoms))];
        run.Compare(new Case(parameters, "atoms", atoms, "atoms"), passes,
            [SidePlan.Composed(400.0 * f * atoms), SidePlan.Kernels(240.0 * f * atoms)], _ => Steps(operation, atoms, f, run.Settings));
    }

    private static Func<SidePlan, Action<PassClock>> Steps(string operation, long atoms, int f, RunSettings s)
    {
        Tensor mixed = Values(atoms, 3, 2 * f);
        if (operation == "invariants")
        {
            var invariants = new Differentiation { Inputs = [mixed], Twice = 1, Forward = () => Pair(PaiNNInvariants.Apply(mixed, 1e-8)) };
            return _ => invariants.Step;
        }
        Tensor q = Values(atoms, f), mu = Values(atoms, 3, f), context = Values(atoms, 3 * f), product = Values(atoms, f);
        var update = new Differentiation
        {
            Inputs = [q, mu, context, product, mixed],
            Twice = 5,
            Forward = () => Pair(PaiNNUpdate.Apply(q, mu, context, product, mixed)),
        };
        return _ => update.Step;

        Tensor Values(params long[] shape) => randn(shape, device: s.Device).requires_grad_();
    }

    private static Tensor[] Pair((Tensor First, Tensor Second) outputs) => [outputs.First, outputs.Second];
}
