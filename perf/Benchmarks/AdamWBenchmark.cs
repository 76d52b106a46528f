using System.Text.Json.Nodes;
using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Optimization;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Perf.Benchmarks;

/// <summary>One AdamW update of all parameters of a ChemGPT: ATen's fused one, the kernel, and TorchSharp's own optimizer.</summary>
internal sealed class AdamWBenchmark : Benchmark
{
    private static readonly AdamWSettings Form = new(Update: 10, LearningRate: 2e-5, Beta1: 0.9, Beta2: 0.999, WeightDecay: 0.01, Epsilon: 1e-8);

    public override string Name => "adamw";

    public override string Summary => "one AdamW update of the parameters of a ChemGPT";

    /// <summary>As docs/KERNELS.md counts it: 28 bytes and 14 FLOPs a parameter.</summary>
    public static Pass Update(double parameters) => new("update", 28 * parameters, 14 * parameters);

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        foreach (long width in s.Widths)
        {
            long[][] shapes = Shapes(s.Layers, (int)width);
            long count = shapes.Sum(shape => shape.Aggregate(1L, (a, b) => a * b));
            var parameters = new JsonObject { ["parameters"] = count, ["tensors"] = shapes.Length };
            run.Compare(new Case(parameters, "parameters", count, "parameters"), [Update(count)],
                [SidePlan.Composed(20.0 * count), SidePlan.Kernels(20.0 * count), SidePlan.Library(40.0 * count)],
                scope => Steps(scope, shapes, s.Device));
        }
    }

    private static long[][] Shapes(int layers, int width)
    {
        // One head: any width will do, and no shape depends on it.
        using var model = new ChemGpt(new ChemGptConfig { Layers = layers, Width = width, Heads = 1 });
        return [.. model.parameters().Select(p => p.shape)];
    }

    private static Func<SidePlan, Action<PassClock>> Steps(CaseScope scope, long[][] shapes, Device device)
    {
        Tensor[] gradients = Made(), weights = Made(), first = Made(), second = [.. Made().Select(m => m.pow(2))];
        return plan => plan.Name == "library" ? Library() : clock => clock.Time("update", () =>
        {
            using IDisposable noGradient = no_grad();
            AdamWUpdate.Apply(weights, gradients, first, second, Form);
        });

        Tensor[] Made() => [.. shapes.Select(shape => randn(shape, device: device) * 0.01)];

        Action<PassClock> Library()
        {
            Parameter[] own = [.. weights.Select(w => new Parameter(w.clone(), requires_grad: true))];
            for (int i = 0; i < own.Length; i++) own[i].grad = gradients[i];
            optim.Optimizer optimizer = scope.Keep(optim.AdamW(own, Form.LearningRate, Form.Beta1, Form.Beta2, Form.Epsilon, Form.WeightDecay));
            return clock => clock.Time("update", () => optimizer.step());
        }
    }
}
