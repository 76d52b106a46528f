using ChemScale.Engine.Models;
using ChemScale.Engine.Operators;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Training.Tasks;

public class LanguageModelTaskTests
{
    [TestCaseSource(typeof(DataFolder), nameof(DataFolder.Cases), ["fixtures", "adamw_gptneo_*.npz"])]
    public void Twenty_steps_of_AdamW_follow_the_reference_trajectory(string file)
    {
        using var scope = NewDisposeScope();
        var fixture = new GptNeoFixture(file, "w0.");
        using ChemGpt model = fixture.Model();
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        double[] losses = fixture.File.Doubles("loss"), norms = fixture.File.Doubles("grad_norm");
        for (int step = 0; step < losses.Length; step++)
        {
            (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = fixture.Packed(step);
            Tensor loss = model.Loss(ids, positions, rows, targets);
            Assert.That(loss.item<double>(), Is.EqualTo(losses[step]).Within(1e-11), $"loss before update {step + 1}");
            loss.backward();
            double norm = Math.Sqrt(model.parameters().Sum(p => p.grad!.pow(2).sum().item<double>()));
            Assert.That(norm, Is.EqualTo(norms[step]).Within(1e-10), $"gradient norm before update {step + 1}");
            optimizer.Step(1e-3);
            foreach (var parameter in model.parameters()) parameter.grad!.zero_();
        }
        foreach ((string name, Tensor view) in ChemGptWeights.Named(model))
            Assert.That((view - fixture.File.Tensor("w20." + name)).abs().max().item<double>(), Is.LessThan(1e-10), name);
    }
}
