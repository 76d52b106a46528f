using ChemScale.Engine.Models;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Training;

public class AdamWTests
{
    private static readonly OptimizerSpec Spec = new() { Beta1 = 0.8, Beta2 = 0.97, Epsilon = 1e-6, WeightDecay = 0.3 };

    [TestCase(ScalarType.Float64, 1e-12)]
    [TestCase(ScalarType.Float32, 1e-5)]
    public void Updates_match_the_formula_written_out(ScalarType dtype, double tolerance)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(3);
        (string Name, Parameter Parameter)[] parameters =
            [("a", new Parameter(randn(5, 3, dtype: dtype, generator: generator))), ("b", new Parameter(randn(17, dtype: dtype, generator: generator)))];
        Reference[] references = [.. parameters.Select(p => new Reference(Values(p.Parameter)))];
        using var optimizer = new AdamW(parameters, Spec);
        for (int t = 0; t < 50; t++)
        {
            for (int i = 0; i < parameters.Length; i++)
            {
                Tensor gradient = randn(parameters[i].Parameter.shape, dtype: dtype, generator: generator) * Math.Pow(10, t % 5 - 2);
                parameters[i].Parameter.grad = gradient;
                references[i].Step(Values(gradient), 0.01 + 0.001 * t);
            }
            optimizer.Step(0.01 + 0.001 * t);
        }
        for (int i = 0; i < parameters.Length; i++)
            Expect.Close(Values(parameters[i].Parameter), references[i].Weights, absolute: tolerance);
    }

    [Test]
    public void Parameters_and_gradients_of_any_strides_are_updated_as_contiguous_ones([Values] MomentPrecision moments)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(4);
        OptimizerSpec spec = Spec with { Moments = moments };
        Tensor start = randn(5, 3, generator: generator);
        Parameter straight = new(start.clone()), turned = new(start.t().contiguous().t());
        Assert.That(turned.is_contiguous(), Is.False);
        using AdamW one = new([("w", straight)], spec), other = new([("w", turned)], spec);
        for (int t = 0; t < 5; t++)
        {
            Tensor gradient = randn(5, 3, generator: generator);
            straight.grad = gradient;
            turned.grad = gradient.t().contiguous().t();
            one.Step(0.1);
            other.Step(0.1);
        }
        Assert.That(turned.equal(straight).all().item<bool>());
        foreach (((string name, Tensor expected), (string _, Tensor moment)) in one.Tensors.Zip(other.Tensors))
            Assert.That(moment.equal(expected).all().item<bool>(), name);
    }

    [Test]
    public void A_parameter_without_a_gradient_stays_and_counts_its_own_updates()
    {
        using DisposeScope scope = NewDisposeScope();
        var always = new Parameter(ones(3, dtype: ScalarType.Float64));
        var sometimes = new Parameter(ones(3, dtype: ScalarType.Float64));
        var reference = new Reference([1, 1, 1]);
        using var optimizer = new AdamW([("always", always), ("sometimes", sometimes)], Spec);
        for (int t = 0; t < 9; t++)
        {
            always.grad = full(3, t + 1.0, dtype: ScalarType.Float64);
            sometimes.grad = t % 3 == 0 ? full(3, t + 1.0, dtype: ScalarType.Float64) : null;
            if (t % 3 == 0) reference.Step([t + 1.0, t + 1.0, t + 1.0], 0.1);
            optimizer.Step(0.1);
        }
        Expect.Close(Values(sometimes), reference.Weights, absolute: 1e-13);
        Assert.That(optimizer.SaveState()["updates"]!.ToJsonString(), Is.EqualTo("[9,3]"));
    }

    [Test]
    public void Halved_moments_follow_the_full_ones()
    {
        using DisposeScope scope = NewDisposeScope();
        (Parameter full, Parameter halved) = (new Parameter(ones(2000)), new Parameter(ones(2000)));
        var spec = new OptimizerSpec { WeightDecay = 0 };
        using var exact = new AdamW([("w", full)], spec);
        using var rounded = new AdamW([("w", halved)], spec with { Moments = MomentPrecision.Bfloat16 });
        using Generator generator = new(1);
        for (int t = 0; t < 400; t++)
        {
            // The gradient grows: a second moment that stands still would make steps far too long.
            Tensor gradient = randn(2000, generator: generator) * (t < 200 ? 0.1 : 0.14);
            full.grad = gradient;
            halved.grad = gradient.clone();
            exact.Step(0.01);
            rounded.Step(0.01);
        }
        Assert.That(rounded.Tensors.Select(t => t.Value.dtype), Is.All.EqualTo(ScalarType.BFloat16));
        double Mean(AdamW optimizer) => optimizer.Tensors.Single(t => t.Key == "v.w").Value.to(ScalarType.Float64).mean().item<double>();
        Expect.Close(Mean(rounded), Mean(exact), relative: 0.003);
        Expect.Below((full - halved).abs().mean().item<float>(), 0.01 * (full - 1).abs().mean().item<float>());
    }

    [Test]
    public void A_factor_makes_another_learning_rate_and_the_same_decay_of_a_step(
        [Values] MomentPrecision moments, [Values(OperatorMode.Composed, OperatorMode.Kernels)] OperatorMode mode)
    {
        using DisposeScope scope = NewDisposeScope();
        using Generator generator = new(5);
        OptimizerSpec spec = Spec with { Moments = moments }, quarter = spec with { WeightDecay = 4 * spec.WeightDecay };
        Tensor[] start = [randn(5, 3, generator: generator), randn(17, generator: generator)];
        (string Name, Parameter Parameter)[] both = Parameters(), slow = Parameters(), fast = Parameters();
        TestScope.Mode(mode);
        try
        {
            using var grouped = new AdamW(both, spec, name => name == "b" ? 0.25 : 1);
            using var full = new AdamW(fast, spec);
            using var less = new AdamW(slow, quarter);
            for (int t = 0; t < 20; t++)
            {
                Tensor[] gradients = [randn(5, 3, generator: generator), randn(17, generator: generator)];
                foreach ((string Name, Parameter Parameter)[] set in new[] { both, slow, fast })
                    for (int i = 0; i < 2; i++) set[i].Parameter.grad = gradients[i].clone();
                grouped.Step(0.02);
                full.Step(0.02);
                less.Step(0.005);
            }
        }
        finally
        {
            TestScope.Reset();
        }
        Assert.That(Values(both[0].Parameter), Is.EqualTo(Values(fast[0].Parameter)));
        Assert.That(Values(both[1].Parameter), Is.EqualTo(Values(slow[1].Parameter)));
        Assert.That(Values(both[1].Parameter), Is.Not.EqualTo(Values(fast[1].Parameter)));

        (string, Parameter)[] Parameters() => [("a", new Parameter(start[0].clone())), ("b", new Parameter(start[1].clone()))];
    }

    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "adamw_gptneo_*.npz"])]
    public void Training_a_GPT_Neo_follows_the_reference_trajectory(string file)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new GptNeoFixture(file, "w0.");
        using ChemGpt model = fixture.Model();
        double[] losses = fixture.File.Doubles("loss"), norms = fixture.File.Doubles("grad_norm");
        using var task = new FixtureTask(fixture, model);
        var spec = new TrainingSpec { LearningRate = 1e-3, Epochs = 1, Dtype = Precision.Float64 };
        Parameter[] parameters = [.. model.parameters()];
        using var optimizer = new AdamW(model.named_parameters(), spec.Optimizer);
        var step = new GradientStep(task, optimizer, spec);
        for (int t = 0; t < losses.Length; t++)
        {
            GradientStep.Outcome outcome = step.Take(1, 1e-3);
            Expect.Close(outcome.Loss, losses[t], absolute: 1e-11, message: $"loss {t}");
            Expect.Close(outcome.GradientNorm, norms[t], absolute: 1e-10, message: $"norm {t}");
        }
        string last = $"w{losses.Length}.";
        foreach ((string name, Tensor weight) in ChemGptWeights.Named(model))
            Expect.Close(weight, fixture.File.Tensor(last + name), absolute: 1e-11, message: name);
    }

    private static double[] Values(Tensor tensor) => tensor.detach().to(ScalarType.Float64).data<double>().ToArray();

    /// <summary>The equations as they stand, one number at a time.</summary>
    private sealed class Reference(double[] weights)
    {
        private readonly double[] m = new double[weights.Length];
        private readonly double[] v = new double[weights.Length];
        private int t;

        public double[] Weights { get; } = weights;

        public void Step(double[] gradient, double lr)
        {
            t++;
            for (int i = 0; i < Weights.Length; i++)
            {
                Weights[i] -= lr * Spec.WeightDecay * Weights[i];
                m[i] = Spec.Beta1 * m[i] + (1 - Spec.Beta1) * gradient[i];
                v[i] = Spec.Beta2 * v[i] + (1 - Spec.Beta2) * gradient[i] * gradient[i];
                double mHat = m[i] / (1 - Math.Pow(Spec.Beta1, t)), vHat = v[i] / (1 - Math.Pow(Spec.Beta2, t));
                Weights[i] -= lr * mHat / (Math.Sqrt(vHat) + Spec.Epsilon);
            }
        }
    }

    private sealed class FixtureTask(GptNeoFixture fixture, ChemGpt model) : ITrainingTask
    {
        private int step;

        public nn.Module Model => model;

        public long BatchesPerEpoch => fixture.File.Shape("ids")[0];

        public string ItemName => "tokens";

        public long UniqueItems => fixture.File.Ints("ids").Length;

        public TrainingLoss NextLoss()
        {
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = fixture.Packed(step++);
            return new TrainingLoss(model.Loss(ids, positions, rows, targets), ids.numel());
        }

        public IReadOnlyDictionary<string, double> Validate() => new Dictionary<string, double>();

        public System.Text.Json.Nodes.JsonNode SaveState() => step;

        public void LoadState(System.Text.Json.Nodes.JsonNode state) => step = (int)state;

        public void Dispose() => step = 0;
    }
}
