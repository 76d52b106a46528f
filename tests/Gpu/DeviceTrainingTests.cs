using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Tests.Models;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>Fifty training steps on a device, AdamW included, from the weights of a model on the CPU: the same losses as composed there.</summary>
[Category("Gpu")]
public class DeviceTrainingTests
{
    private const int Steps = 50;
    private const double Cutoff = 4;

    private static readonly Dictionary<string, ForceFieldConfig> ForceFields = new()
    {
        ["SchNet"] = new SchNetConfig { Features = 32, Filters = 32, Interactions = 2, RadialFunctions = 8, Cutoff = Cutoff, MaxAtomicNumber = 10 },
        ["PaiNN"] = new PaiNNConfig { Features = 32, Interactions = 2, RadialFunctions = 8, Cutoff = Cutoff, MaxAtomicNumber = 10 },
        ["SpookyNet"] = new SpookyNetConfig
        {
            Features = 8,
            Interactions = 1,
            RadialFunctions = 6,
            Cutoff = Cutoff,
            ElectrostaticCutoff = Cutoff,
            MaxAtomicNumber = 10,
        },
        ["Allegro"] = new AllegroConfig
        {
            Features = 8,
            RadialFunctions = 6,
            Cutoff = Cutoff,
            TwoBodyWidths = "16",
            LatentWidths = "16",
            EnergyWidths = "8",
            MaxAtomicNumber = 10,
        },
    };

    [TearDown]
    public void Reset() => TestScope.Reset();

    private static IEnumerable<string> Names() => [.. ForceFields.Keys, "ChemGPT"];

    [TestCaseSource(nameof(Names))]
    public void Float64_losses_are_those_of_the_cpu(string name)
    {
        Device device = TestDevice.Require();
        double[] expected = Losses(name, OperatorMode.Composed, CPU, ScalarType.Float64);
        double[] found = Losses(name, OperatorMode.Kernels, device, ScalarType.Float64);
        double worst = expected.Zip(found, (e, f) => Math.Abs(f - e)).Max() / expected[0];
        TestContext.Out.WriteLine($"loss {expected[0]:g6} -> {expected[^1]:g6}; apart by {worst:e1} of the first");
        Expect.Below(expected[^1], 0.95 * expected[0]);
        Expect.Close(found, expected, absolute: 1e-7 * expected[0]);
        Assert.That(AutogradFunction.LiveNodes, Is.Zero, "graphs that stayed");
    }

    [TestCaseSource(nameof(Names))]
    public void Float32_trains_as_far_as_float64(string name)
    {
        Device device = TestDevice.Require();
        double[] expected = Losses(name, OperatorMode.Composed, CPU, ScalarType.Float64);
        double[] found = Losses(name, OperatorMode.Auto, device, ScalarType.Float32);
        Expect.Close(found[0], expected[0], relative: 1e-3);
        Expect.Close(found[^1], expected[^1], absolute: 0.05 * expected[0]);
    }

    private static double[] Losses(string name, OperatorMode mode, Device device, ScalarType type)
    {
        TestScope.Mode(mode);
        using DisposeScope scope = NewDisposeScope();
        return name == "ChemGPT" ? LanguageModel(device, type) : ForceField(ForceFields[name], device, type);
    }

    private static double[] ForceField(ForceFieldConfig config, Device device, ScalarType type)
    {
        using ForceField model = config.Create(3, type, device), origin = config.Create(3, ScalarType.Float64);
        Copy(origin, model);
        TestFrame[] frames = [TestFrame.Molecule(9, 1), TestFrame.Molecule(5, 2), TestFrame.Molecule(1, 4), TestFrame.Molecule(12, 3, 3)];
        using GraphBatch batch = GraphBatches.Build([.. frames.Select(ToFrame)], Cutoff, device);
        Tensor energies = DeviceOperation.Normal(4, frames.Length).to(type).to(device), forces = DeviceOperation.Normal(5, batch.Positions.size(0), 3).to(type).to(device);
        using (ForceField reference = config.Create(3, ScalarType.Float64))
        using (GraphBatch there = GraphBatches.Build([.. frames.Select(ToFrame)], Cutoff))
        {
            // Labels around what the untrained model says, by the same form for all.
            using RunScope.Entry composed = new RunScope(OperatorMode.Composed).Enter();
            ForceFieldOutput output = reference.Evaluate(there);
            energies = energies + output.Energies.detach().to(type).to(device);
            forces = forces + output.Forces!.detach().to(type).to(device);
        }
        return Train(model, () =>
        {
            ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
            return (output.Energies - energies).square().mean() + (output.Forces! - forces).square().mean();
        });
    }

    private static double[] LanguageModel(Device device, ScalarType type)
    {
        var config = new ChemGptConfig { Layers = 2, Width = 32, Heads = 4, Window = 6, Positions = 64, VocabularySize = 40, AttentionPattern = "gl" };
        using ChemGpt model = new(config, 5, type, device), origin = new(config, 5, ScalarType.Float64);
        Copy(origin, model);
        var random = new Random(1);
        int[][] molecules = [.. ((int[])[7, 1, 19, 2, 40]).Select(n => Enumerable.Range(0, n).Select(_ => random.Next(40)).ToArray())];
        (Tensor ids, Tensor positions, PackedRows rows, Tensor targets) = GptNeoFixture.Pack(molecules);
        using PackedRows owned = rows;
        (Tensor i, Tensor p, Tensor t) = (ids.to(device), positions.to(device), targets.to(device));
        return Train(model, () => model.Loss(i, p, rows, t));
    }

    private static double[] Train(nn.Module model, Func<Tensor> loss)
    {
        using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
        var losses = new double[Steps];
        for (int step = 0; step < Steps; step++)
        {
            using DisposeScope inner = NewDisposeScope();
            foreach (var parameter in model.parameters()) parameter.grad = null;
            Tensor value = loss();
            Gradients.Backward(value);
            optimizer.Step(3e-3);
            losses[step] = value.to(ScalarType.Float64).item<double>();
        }
        return losses;
    }

    /// <summary>Devices draw other random numbers from the same seed.</summary>
    private static void Copy(nn.Module from, nn.Module to)
    {
        using IDisposable guard = no_grad();
        foreach (((string name, var source), (string other, var target)) in from.named_parameters().Zip(to.named_parameters()))
        {
            Assert.That(other, Is.EqualTo(name));
            target.copy_(source);
        }
    }

    private static Frame ToFrame(TestFrame frame) =>
        new() { AtomicNumbers = frame.AtomicNumbers, Positions = [.. frame.Positions.SelectMany(p => p)] };
}
