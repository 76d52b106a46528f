using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>Every operation's kernels on a device: outputs, first and second derivatives against composed forms, and repeats.</summary>
[Category("Gpu")]
#pragma warning disable NUnit1034 // Runs itself, at full sizes; small cases are its other form.
public class DeviceOperationTests
#pragma warning restore NUnit1034
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        TestScope.Reset();
    }

    private protected virtual bool Small => false;

    private static IEnumerable<TestCaseData> Operations() => DeviceOperation.All.Keys.Select(name => new TestCaseData(name).SetArgDisplayNames(name));

    [TestCaseSource(nameof(Operations))]
    public void Float64_kernels_agree_with_composed_forms_on_the_cpu(string name)
    {
        Device device = TestDevice.Require();
        using DeviceOperation operation = Make(name, device);
        Value[] found = Everything(operation, OperatorMode.Kernels, device, ScalarType.Float64);
        Value[] expected = Everything(operation, OperatorMode.Composed, CPU, ScalarType.Float64);
        double worst = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            double error = Largest(found[i].Numbers - expected[i].Numbers), size = Math.Max(1, Largest(expected[i].Numbers));
            worst = Math.Max(worst, error / size);
            Expect.Close(found[i].Numbers, expected[i].Numbers, absolute: 1e-11 * size, message: expected[i].Name);
        }
        TestContext.Out.WriteLine($"{worst:e1} of the largest value");
    }

    [TestCaseSource(nameof(Operations))]
    public void Float32_errors_are_at_most_twice_those_of_composed_forms(string name)
    {
        const double Ulp = 1.0 / (1 << 23);
        Device device = TestDevice.Require();
        using DeviceOperation operation = Make(name, device);
        Value[] exact = Everything(operation, OperatorMode.Composed, CPU, ScalarType.Float64);
        Value[] kernels = Everything(operation, OperatorMode.Kernels, device, ScalarType.Float32);
        Value[] composed = Everything(operation, OperatorMode.Composed, device, ScalarType.Float32);
        for (int i = 0; i < exact.Length; i++)
        {
            double floor = Ulp * Largest(exact[i].Numbers);
            double ours = RootMeanSquare(kernels[i].Numbers - exact[i].Numbers), theirs = RootMeanSquare(composed[i].Numbers - exact[i].Numbers);
            TestContext.Out.WriteLine($"{exact[i].Name,-24} rms error {ours:e2}, composed {theirs:e2}");
            Expect.AtMost(ours, 2 * theirs + floor, exact[i].Name);
        }
    }

    [TestCaseSource(nameof(Operations))]
    public void Repeats_are_equal_to_the_last_bit(string name)
    {
        Device device = TestDevice.Require();
        using DeviceOperation operation = Make(name, device);
        Value[] first = Everything(operation, OperatorMode.Kernels, device, ScalarType.Float32);
        int live = AutogradFunction.LiveNodes;
        for (int repeat = 0; repeat < (Small ? 5 : device.type == DeviceType.CPU ? 2 : 50); repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Value[] again = Everything(operation, OperatorMode.Kernels, device, ScalarType.Float32);
            // Second derivatives that the library makes are the library's to repeat.
            for (int i = 0; i < first.Length; i++)
                if (operation.SecondByKernels || !first[i].Second) Assert.That(again[i].Numbers.equal(first[i].Numbers).all().item<bool>(), first[i].Name);
        }
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(live), "graphs that stayed");
    }

    /// <summary>The CPU only tries the tests: a few rows show as much.</summary>
    private DeviceOperation Make(string name, Device device) =>
        DeviceOperation.All[name](Small || device.type == DeviceType.CPU ? CaseSize.Small : CaseSize.Full);

    /// <summary>
    /// Outputs, gradients of their random sum (recorded, and where those are no kernels unrecorded too), and the gradients of a random sum of those;
    /// float64 on the CPU.
    /// </summary>
    internal static Value[] Everything(DeviceOperation operation, OperatorMode mode, Device device, ScalarType type)
    {
        TestScope.Mode(mode);
        using DisposeScope inner = NewDisposeScope();
        Tensor[] leaves = [.. operation.Inputs.Select(t => There(t).requires_grad_())];
        Tensor[] outputs = operation.Apply(leaves);
        Tensor[] gradients = [.. outputs.Select((t, i) => There(DeviceOperation.Normal(100 + (ulong)i, t.shape)).requires_grad_())];
        // Where the library makes second derivatives, kernels make the first only where nothing is recorded.
        IList<Tensor> alone = operation.SecondByKernels ? [] : Gradients.Of(outputs, leaves, [.. gradients.Select(g => g.detach())], retainGraph: true);
        IList<Tensor> first = Gradients.Of(outputs, leaves, gradients, retainGraph: true, createGraph: true);
        Tensor[] along = [.. operation.Along.Select(i => There(DeviceOperation.Normal(200 + (ulong)i, leaves[i].shape)))];
        IList<Tensor> second = Gradients.Of([.. operation.Along.Select(i => first[i])], [.. leaves, .. gradients], along, allowUnused: true);
        return
        [
            .. outputs.Select((t, i) => Here($"output {i}", t, false)), .. alone.Select((t, i) => Here($"unrecorded by {i}", t, false)),
            .. first.Select((t, i) => Here($"first by {i}", t, false)),
            .. second.Select((t, i) => (t, i)).Where(s => s.t is { IsInvalid: false }).Select(s => Here($"second by {s.i}", s.t, true)),
        ];

        Tensor There(Tensor t) => t.to(type).to(device).clone().detach();
    }

    private static Value Here(string name, Tensor values, bool second)
    {
        Tensor numbers = values.detach().cpu().to(ScalarType.Float64);
        Assert.That(numbers.isfinite().all().item<bool>(), $"{name} is finite");
        return new Value(name, numbers.MoveToOuterDisposeScope(), second);
    }

    private static double Largest(Tensor t) => t.numel() == 0 ? 0 : t.abs().max().item<double>();

    private static double RootMeanSquare(Tensor t) => t.square().mean().sqrt().item<double>();

    internal sealed record Value(string Name, Tensor Numbers, bool Second);
}
