using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>The single operations of a ChemGPT layer, and its loss: forward and backward.</summary>
internal sealed class LayerBenchmark : Benchmark
{
    private const int Vocabulary = 684;

    private static readonly Dictionary<string, Func<Inputs, Tensor>> Operations = new()
    {
        ["layer norm"] = i => LayerNorm.Apply(i.X, i.Weight, i.Bias, 1e-5),
        ["linear h to 4h"] = i => nn.functional.linear(i.X, i.Up, i.UpBias),
        ["gelu"] = i => Gelu.Apply(i.Wide),
        ["gelu with bias"] = i => LinearGelu.Activation(i.Wide, i.UpBias),
        ["linear and gelu"] = i => LinearGelu.Apply(i.X, i.Up, i.UpBias),
        ["attention"] = i => Attention.Apply(i.Three, i.Rows, i.Heads),
        ["add"] = i => i.X + i.X,
        ["embedding"] = i => i.Table.index_select(0, i.Ids),
        ["cross-entropy"] = i => CrossEntropy.Apply(i.Logits, i.Ids),
        ["logits and loss"] = i => CrossEntropy.Apply(nn.functional.linear(i.X, i.Table), i.Ids),
    };

    public override string Name => "layer";

    public override string Summary => "operations of a ChemGPT layer: layer norm, GELU with bias, cross-entropy, products, attention, embedding";

    /// <summary>As docs/KERNELS.md counts them, a token; products 2 and 4 FLOPs for each weight; null: not counted.</summary>
    /// <param name="operation">Which.</param>
    /// <param name="h">Width.</param>
    public static (double Bytes, double Flops)[]? Costs(string operation, double h)
    {
        double n = 4 * h, v = Vocabulary;
        return operation switch
        {
            "layer norm" => [(8 * h + 8, 9 * h), (20 * h + 16, 19 * h)],
            "gelu with bias" => [(8 * n, 26 * n), (12 * n, 35 * n)],
            "cross-entropy" => [(4 * v + 28, 22 * v), (8 * v + 16, 22 * v)],
            "linear h to 4h" => [(4 * (h + n), 2 * h * n), (8 * (h + n), 4 * h * n)],
            _ => null,
        };
    }

    public override void Run(BenchmarkRun run)
    {
        foreach (long width in run.Settings.Widths)
            foreach (string operation in Operations.Keys)
                foreach (long molecules in run.Settings.Molecules) Compare(run, operation, (int)molecules, (int)width);
    }

    /// <summary>Forms that differ; operations of the library alone have one.</summary>
    private static string[] Sides(string operation, bool cuda) => operation switch
    {
        "layer norm" or "gelu with bias" or "cross-entropy" => ["composed", "kernels"],
        "logits and loss" => ["composed", "kernels"],
        "gelu" => cuda ? ["composed"] : ["composed", "host"],
        "linear and gelu" or "attention" => cuda ? ["composed", "kernels"] : ["composed", "host", "kernels"],
        _ => ["library"],
    };

    private static void Compare(BenchmarkRun run, string operation, int molecules, int width)
    {
        RunSettings s = run.Settings;
        if (operation == "attention" && width % s.Heads != 0) return;
        double tokens = (double)molecules * s.Tokens;
        var parameters = new JsonObject { ["operation"] = operation, ["tokens"] = tokens, ["width"] = width };
        if (operation == "attention") parameters["heads"] = s.Heads;
        (double Bytes, double Flops)[]? costs = Costs(operation, width);
        Pass[] passes =
        [
            new(Pass.Forward, costs?[0].Bytes * tokens, costs?[0].Flops * tokens), new(Pass.Backward, costs?[1].Bytes * tokens, costs?[1].Flops * tokens),
        ];
        double memory = 4 * tokens * (40.0 * width + 6 * Vocabulary);
        SidePlan[] plans = [.. Sides(operation, s.Cuda).Select(side => side switch
        {
            "composed" => SidePlan.Composed(memory),
            "host" => SidePlan.Host(memory),
            "kernels" => SidePlan.Kernels(memory),
            _ => SidePlan.Library(memory),
        })];
        run.Compare(new Case(parameters, "tokens", tokens, "tokens"), passes, plans, scope =>
        {
            var inputs = new Inputs(scope, molecules, width, s);
            Tensor[] by = inputs.Of(operation);
            return _ => new Differentiation { Inputs = by, Forward = () => [Operations[operation](inputs)] }.Step;
        });
    }

    private sealed class Inputs
    {
        public Inputs(CaseScope scope, int molecules, int width, RunSettings s)
        {
            Rows = scope.Keep(new PackedRows([.. Enumerable.Range(0, molecules + 1).Select(b => s.Tokens * b)]));
            Heads = s.Heads;
            int tokens = Rows.Tokens;
            (X, Wide, Three) = (Values(tokens, width), Values(tokens, 4 * width), Values(tokens, 3 * width));
            (Weight, Bias) = (ones(width, device: s.Device).requires_grad_(), zeros(width, device: s.Device).requires_grad_());
            (Up, UpBias) = (Values(4 * width, width), zeros(4 * width, device: s.Device).requires_grad_());
            (Table, Logits) = (Values(Vocabulary, width), Values(tokens, Vocabulary));
            Ids = randint(0, Vocabulary, tokens, dtype: ScalarType.Int64, device: s.Device);

            Tensor Values(params long[] shape) => randn(shape, device: s.Device).requires_grad_();
        }

        public PackedRows Rows { get; }

        public int Heads { get; }

        public Tensor X { get; }

        public Tensor Wide { get; }

        public Tensor Three { get; }

        public Tensor Weight { get; }

        public Tensor Bias { get; }

        public Tensor Up { get; }

        public Tensor UpBias { get; }

        public Tensor Table { get; }

        public Tensor Logits { get; }

        public Tensor Ids { get; }

        /// <summary>What an operation is differentiated by.</summary>
        public Tensor[] Of(string operation) => operation switch
        {
            "layer norm" => [X, Weight, Bias],
            "linear h to 4h" or "linear and gelu" => [X, Up, UpBias],
            "gelu" => [Wide],
            "gelu with bias" => [Wide, UpBias],
            "attention" => [Three],
            "embedding" => [Table],
            "cross-entropy" => [Logits],
            "logits and loss" => [X, Table],
            _ => [X],
        };
    }
}
