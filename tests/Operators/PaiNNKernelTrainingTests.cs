using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>PaiNN trained on energies and forces, with kernels and with composed operations.</summary>
public class PaiNNKernelTrainingTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [TestCase(8, true)]
    [TestCase(6, false)]
    public void Fifty_steps_give_the_same_losses(int features, bool twoWay)
    {
        double[] expected = Train(OperatorMode.Composed, features, twoWay), found = Train(OperatorMode.Kernels, features, twoWay);
        double worst = expected.Zip(found, (e, f) => Math.Abs(e - f) / Math.Abs(e)).Max();
        TestContext.Out.WriteLine($"losses from {expected[0]:g6} to {expected[^1]:g6}; largest relative difference {worst:e2}");
        Expect.Below(expected[^1], 0.9 * expected[0]);
        Expect.Close(found, expected, relative: 1e-9);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero);
    }

    private static double[] Train(OperatorMode mode, int features, bool twoWay)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        var config = new PaiNNConfig { Features = features, Interactions = 2, RadialFunctions = 5, MaxAtomicNumber = 10 };
        using ForceField model = config.Create(3, ScalarType.Float64);
        using GraphBatch batch = TestFrame.Batch(config.Cutoff, twoWay, TestFrame.Molecule(6, 1), TestFrame.Molecule(1, 4),
            TestFrame.Crystal(3, 2));
        using var optimizer = optim.Adam(model.parameters(), lr: 1e-3);
        var losses = new double[50];
        for (int step = 0; step < losses.Length; step++)
        {
            using DisposeScope inner = NewDisposeScope();
            optimizer.zero_grad();
            ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
            Tensor loss = (output.Energies - 1).square().sum() + output.Forces!.square().sum();
            Gradients.Backward(loss);
            optimizer.step();
            losses[step] = loss.item<double>();
        }
        return losses;
    }
}
