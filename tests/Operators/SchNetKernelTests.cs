using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>A SchNet that trains on energies and forces in kernels.</summary>
public class SchNetKernelTests
{
    private const int Steps = 50;

    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void Training_gives_the_losses_of_composed_forms()
    {
        double[] expected = Losses(OperatorMode.Composed), found = Losses(OperatorMode.Kernels);
        double worst = expected.Zip(found, (e, f) => Math.Abs(f / e - 1)).Max();
        TestContext.Out.WriteLine($"loss {expected[0]:g4} -> {expected[^1]:g4}; relative difference at most {worst:e2}");
        Expect.Below(expected[^1], 0.8 * expected[0]);
        Assert.That(found, Is.All.Not.NaN);
        Expect.Close(found, expected, relative: 1e-9);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }

    private static double[] Losses(OperatorMode mode)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        var config = new SchNetConfig { Features = 10, Filters = 7, Interactions = 2, RadialFunctions = 6, MaxAtomicNumber = 10 };
        using ForceField model = config.Create(3, ScalarType.Float64);
        TestFrame[] frames = [TestFrame.Molecule(6, 1), TestFrame.Molecule(4, 2), TestFrame.Crystal(1, 3), TestFrame.Molecule(1, 4)];
        using GraphBatch batch = TestFrame.Batch(config.Cutoff, frames);
        using Generator generator = new(8);
        ForceFieldOutput first = model.Evaluate(batch);
        Tensor energies = first.Energies.detach() + randn(first.Energies.shape, dtype: ScalarType.Float64, generator: generator);
        Tensor forces = first.Forces!.detach() + randn(first.Forces!.shape, dtype: ScalarType.Float64, generator: generator);
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        return [.. Enumerable.Range(0, Steps).Select(_ => Step())];

        double Step()
        {
            using DisposeScope step = NewDisposeScope();
            foreach (var parameter in model.parameters()) parameter.grad = null;
            ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
            Tensor loss = nn.functional.mse_loss(output.Energies, energies) + nn.functional.mse_loss(output.Forces!, forces);
            Gradients.Backward(loss);
            optimizer.Step(0.01);
            return loss.item<double>();
        }
    }
}
