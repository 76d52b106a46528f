using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SchNet;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Kernels.Ptx;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>How fast PTX is interpreted on one core: plain, with all checks, and counted.</summary>
internal sealed class InterpreterBenchmark : Benchmark
{
    private const int Atoms = 8, Neighbors = 18, Filters = 128, Functions = 20, Tokens = 37, Heads = 16, HeadWidth = 8;

    public override string Name => "interpreter";

    public override string Summary => "warp-instructions of PTX that are interpreted: plain, with all checks, counted";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        Measure(run, "radial", Radial);
        Measure(run, "filter", Filter);
        Measure(run, "attention", Attention);
    }

    private static void Measure(BenchmarkRun run, string operation, Func<CaseScope, Differentiation> make)
    {
        long instructions = Instructions(run, make);
        var of = new Case(new JsonObject { ["operation"] = operation }, null, instructions, "warp-instructions");
        run.Compare(of, [], [new("plain", OperatorMode.Kernels, 1e8), new("checked", OperatorMode.Kernels, 1e8), new("counted", OperatorMode.Kernels, 1e8)], scope =>
        {
            Differentiation step = make(scope);
            return plan => clock => clock.Time("step", () => Step(run, step, Device(plan.Name)));
        }, onHost: true);
    }

    private static PtxDevice Device(string side) => new() { Checks = side == "checked", Counts = side == "counted" };

    private static long Instructions(BenchmarkRun run, Func<CaseScope, Differentiation> make)
    {
        using var scope = new CaseScope();
        PtxDevice device = Device("plain");
        Step(run, make(scope), device);
        return device.Instructions;
    }

    private static void Step(BenchmarkRun run, Differentiation step, PtxDevice device)
    {
        using RunScope.Entry entry = new RunScope(OperatorMode.Kernels) { CpuKernels = () => device }.Enter();
        step.Step(new PassClock(run.Clock));
    }

    private static Differentiation Radial(CaseScope scope)
    {
        Tensor vectors = (rand(4000, 3) * 2 + 0.5).requires_grad_();
        var functions = new RadialFunctions(linspace(0.25, 5, Functions), full([Functions], -8.0), 5, 0);
        return new Differentiation
        {
            Inputs = [vectors],
            Twice = 1,
            Forward = () =>
            {
                var f = RadialBasisCutoff.Of(vectors, functions);
                return [f.Distances, f.Directions, f.Envelope, f.Radial];
            },
        };
    }

    private static Differentiation Filter(CaseScope scope)
    {
        EdgeList list = scope.Keep(Ring.Of(Atoms * Neighbors, Neighbors, CPU));
        Tensor[] x =
        [
            Values(list.Atoms, Filters), Values(list.Count, Functions), Values(list.Count, 1), Values(Filters, Functions), Values(Filters),
            Values(Filters, Filters), Values(Filters),
        ];
        var features = new EdgeFeatures(list, list.OneWay, null!, null!, null!, x[1], x[2]);
        return new Differentiation { Inputs = x, Twice = 3, Forward = () => [ContinuousFilter.Apply(x[0], features, x[3], x[4], x[5], x[6])] };
    }

    private static Differentiation Attention(CaseScope scope)
    {
        var rows = scope.Keep(new PackedRows([0, Tokens, 2 * Tokens, 3 * Tokens]));
        Tensor qkv = Values(rows.Tokens, 3 * Heads * HeadWidth);
        return new Differentiation
        {
            Inputs = [qkv],
            Forward = () => [AttentionKernelsFunction.Apply(qkv, rows, Heads, 0, 0.35, AttentionPrecision.Weights)],
        };
    }

    private static Tensor Values(params long[] shape) => (randn(shape) * 0.1).requires_grad_();
}
