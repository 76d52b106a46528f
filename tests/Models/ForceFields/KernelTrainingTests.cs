using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>A force field trained on energies and forces by kernels goes the way that composed forms go.</summary>
public class KernelTrainingTests
{
    private const int Steps = 50;

    [TearDown]
    public void Reset() => TestScope.Reset();

    private static IEnumerable<TestCaseData> Models() => ForceFieldCase.All.Where(c => c.Name.StartsWith("SchNet", StringComparison.Ordinal)
        || c.Name.StartsWith("PaiNN", StringComparison.Ordinal)).Select(c => new TestCaseData(c).SetArgDisplayNames(c.Name));

    [TestCaseSource(nameof(Models))]
    public void Fifty_steps_have_the_same_losses(ForceFieldCase model)
    {
        double[] composed = Losses(model, OperatorMode.Composed), kernels = Losses(model, OperatorMode.Kernels);
        Expect.Below(composed[^1], composed[0]);
        for (int step = 0; step < Steps; step++)
            Expect.Close(kernels[step], composed[step], absolute: 1e-9 * composed[0], message: $"step {step}");
    }

    private static double[] Losses(ForceFieldCase which, OperatorMode mode)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        using ForceField model = which.Model();
        using GraphBatch batch = TestFrame.Batch(ForceFieldCase.Cutoff, TestFrame.Molecule(5, 1), TestFrame.Molecule(7, 2));
        using Generator generator = new(4);
        Tensor energies = randn(2, dtype: ScalarType.Float64, generator: generator);
        Tensor forces = randn(12, 3, dtype: ScalarType.Float64, generator: generator);
        var losses = new double[Steps];
        for (int step = 0; step < Steps; step++)
        {
            using DisposeScope inner = NewDisposeScope();
            foreach (var parameter in model.parameters()) parameter.grad?.zero_();
            ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
            Tensor loss = (output.Energies - energies).square().mean() * 0.1 + (output.Forces! - forces).square().mean();
            Gradients.Backward(loss);
            using (no_grad())
            {
                // Steps of bounded length, so that no model runs away.
                foreach (var parameter in model.parameters())
                    if (parameter.grad is { } gradient) parameter.sub_(gradient * 1e-3 / (1 + gradient.norm()));
            }
            losses[step] = loss.item<double>();
        }
        return losses;
    }
}
