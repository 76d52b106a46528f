using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The messages of SchNet and PaiNN in chunks of pairs, against the composed ones.</summary>
public class MessageFunctionTests
{
    // More pairs than two chunks hold.
    private static readonly TestFrame[] Frames =
    [
        TestFrame.Molecule(30, 1, 2.6), TestFrame.Molecule(30, 2, 2.6), TestFrame.Molecule(30, 3, 2.6), TestFrame.Crystal(3, 2),
        TestFrame.Molecule(1, 4),
    ];

    private static readonly ForceFieldConfig[] Configs =
    [
        new PaiNNConfig { Features = 6, Interactions = 3, RadialFunctions = 5, MaxAtomicNumber = 10 },
        new SchNetConfig { Features = 6, Filters = 4, Interactions = 3, RadialFunctions = 5, MaxAtomicNumber = 10 },
    ];

    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void Training_gradients_equal_the_composed_ones([ValueSource(nameof(Configs))] ForceFieldConfig config, [Values] bool twoWay)
    {
        using DisposeScope scope = NewDisposeScope();
        (double[] expected, double scale) = Run(OperatorMode.Composed);
        (double[] found, _) = Run(OperatorMode.Host);
        Expect.Close(found, expected, absolute: 1e-12 * scale);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);

        (double[], double) Run(OperatorMode mode)
        {
            TestScope.Mode(mode);
            using ForceField model = config.Create(3, ScalarType.Float64);
            using GraphBatch batch = TestFrame.Batch(config.Cutoff, twoWay, Frames);
            Expect.Above(batch.Edges.Count, 2200);
            using (DisposeScope step = NewDisposeScope())
            {
                ForceFieldOutput output = model.Evaluate(batch, stress: true, createGraph: true);
                Gradients.Backward(output.Energies.square().sum() + output.Forces!.square().sum() + output.Stress!.square().sum());
            }
            double[] all = [.. model.parameters().Where(p => p.grad is not null).SelectMany(p => p.grad!.data<double>().ToArray())];
            return (all, all.Max(Math.Abs));
        }
    }

    [Test, NonParallelizable]
    public void Repeats_give_the_same_bits_on_two_threads([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        int threads = get_num_threads();
        set_num_threads(2);
        try
        {
            // Wide enough for the library to share its loops among threads.
            ForceFieldConfig wide = config is PaiNNConfig painn
                ? painn with { Features = 32 }
                : ((SchNetConfig)config) with { Features = 32, Filters = 0 };
            float[] first = WeightGradients(wide);
            for (int repeat = 0; repeat < 2; repeat++) Assert.That(WeightGradients(wide), Is.EqualTo(first));
        }
        finally
        {
            set_num_threads(threads);
        }

        static float[] WeightGradients(ForceFieldConfig config)
        {
            using DisposeScope scope = NewDisposeScope();
            using ForceField model = config.Create(3);
            using GraphBatch batch = TestFrame.Batch(config.Cutoff, Frames);
            ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
            Gradients.Backward(output.Energies.square().sum() + output.Forces!.square().sum());
            return [.. model.parameters().SelectMany(p => p.grad!.data<float>().ToArray())];
        }
    }

    [Test]
    public void Derivatives_beyond_those_of_training_are_right_too([ValueSource(nameof(Configs))] ForceFieldConfig config)
    {
        using DisposeScope scope = NewDisposeScope();
        config = config is PaiNNConfig painn
            ? painn with { Interactions = 2, NormEpsilon = 0.01 }
            : ((SchNetConfig)config) with { Interactions = 2 };
        double[] expected = Run(OperatorMode.Composed), found = Run(OperatorMode.Host);
        Expect.Close(found, expected, absolute: 1e-9 * expected.Max(Math.Abs));

        // Squared gradients of squared gradients, by weights throughout.
        double[] Run(OperatorMode mode)
        {
            TestScope.Mode(mode);
            using ForceField model = config.Create(3, ScalarType.Float64);
            using GraphBatch batch = TestFrame.Batch(config.Cutoff, TestFrame.Molecule(5, 1));
            Tensor[] weights = [.. model.parameters().Where(p => p.numel() != 11 * 6)];
            Tensor value = model.Evaluate(batch, forces: false).Energies.square().sum();
            for (int order = 0; order < 2; order++)
            {
                IList<Tensor> gradients = Gradients.Of([value], weights, retainGraph: true, createGraph: true);
                value = gradients.Select(g => g.square().sum()).Aggregate((a, b) => a + b);
            }
            IList<Tensor> third = Gradients.Of([value], weights);
            return [value.item<double>(), .. third.SelectMany(g => g.data<double>().ToArray())];
        }
    }
}
