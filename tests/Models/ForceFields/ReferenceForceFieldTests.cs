using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>Against what the published implementations compute.</summary>
public class ReferenceForceFieldTests
{
    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "schnet_*.npz"])]
    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "painn_gauss_*.npz"])]
    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["fixtures", "painn_bessel_*.npz"])]
    public void Energies_forces_and_weight_gradients_of_a_force_loss_match(string file)
    {
        using DisposeScope scope = NewDisposeScope();
        var fixture = new ForceFieldFixture(file);
        using ForceField model = fixture.Model();
        using GraphBatch batch = fixture.Batch();
        ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
        Same("E", output.Energies);
        Same("F", output.Forces!);

        Tensor loss = (output.Energies - fixture.File.Tensor("E0")).square().mean() + (output.Forces! - fixture.File.Tensor("F0")).square().mean();
        Gradients.Backward(loss);
        Same("loss", loss.reshape(1));
        foreach ((string name, var weight) in model.PublishedWeights) Same("g." + name, weight.grad!);

        void Same(string name, Tensor actual) => Expect.Close(actual, fixture.File.Tensor(name), ofLargest: 1e-9, message: name);
    }

    [Test, Category("Data")]
    public void The_trained_model_gives_its_recorded_energies_and_forces()
    {
        string weights = ReferenceData.Require("fixtures/painn_1_weights.npz");
        var recorded = new NpzFile(ReferenceData.Require("fixtures/painn_1_expected16.npz"));
        using DisposeScope scope = NewDisposeScope();
        var file = new NpzFile(weights);
        using var model = new PaiNN(new PaiNNConfig { Cutoff = 5 }, dtype: ScalarType.Float64);
        Assert.That(model.ParameterCount, Is.EqualTo(589_057));
        ForceFieldWeights.Load(model, name => file.Has(name) ? file.Tensor(name) : null, weights);
        using (no_grad()) model.ReferenceEnergies.fill_(file.Doubles("postprocessors.1.mean").Single());

        int[] numbers = recorded.Ints("Z");
        double[] positions = recorded.Doubles("R");
        int atoms = numbers.Length;
        TestFrame[] frames = [.. Enumerable.Range(0, (int)recorded.Shape("R")[0]).Select(f => new TestFrame(numbers,
            [.. Enumerable.Range(f * atoms, atoms).Select(a => positions[(3 * a)..(3 * a + 3)])]))];
        using GraphBatch batch = TestFrame.Batch(model.Config.Cutoff, frames);
        ForceFieldOutput output = model.Evaluate(batch);

        // kcal/mol and kcal/mol/A, recorded from a float32 model.
        Expect.Close(output.Energies, recorded.Tensor("E"), absolute: 1e-4);
        Expect.Close(output.Forces!.view(-1, atoms, 3), recorded.Tensor("F"), absolute: 1e-3);
        // It was trained well: its own errors are small too.
        Expect.Below((output.Forces!.view(-1, atoms, 3) - recorded.Tensor("F_ref")).abs().mean().item<double>(), 0.3);
    }

    [Test]
    public void The_published_size_of_PaiNN_has_its_published_parameter_count() => Assert.That(new PaiNNConfig().Parameters, Is.EqualTo(589_057));

    [Test]
    public void A_missing_or_misshapen_tensor_is_named()
    {
        using var model = new SchNet(new SchNetConfig { Features = 4, Interactions = 1 });
        Assert.That(() => ForceFieldWeights.Load(model, _ => null, "weights.npz"),
            Throws.TypeOf<InputException>().With.Message.Contains("representation.embedding.weight"));
        Assert.That(() => ForceFieldWeights.Load(model, _ => zeros(3), "weights.npz"),
            Throws.TypeOf<InputException>().With.Message.Contains("(3)").And.Message.Contains("(100, 4)"));
    }
}
