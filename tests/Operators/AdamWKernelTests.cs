using ChemScale.Engine.Operators;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Operators;

/// <summary>The AdamW kernel against the library's fused update.</summary>
public class AdamWKernelTests
{
    // Less than a group, a chunk and a bit, and three chunks to the last element.
    private static readonly long[] Sizes = [1, 33, 100, 4_103, 3 * 4_096];

    private static readonly string[] Names = ["weights", "first moments", "second moments"];

    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close()
    {
        scope.Dispose();
        OperatorModes.Current = OperatorMode.Auto;
        KernelTensors.Cpu = CpuDevice.Scalar;
    }

    [Test]
    public void One_update_is_the_librarys_to_the_last_places(
        [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype, [Values(1, 2, 1_000)] int update) =>
        Agrees(Sizes, dtype, update, OperatorMode.Kernels, CPU);

    [Test]
    public void Full_warps_agree_too([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        KernelTensors.Cpu = CpuDevice.Warps;
        Agrees([1, 100, 128], dtype, 3, OperatorMode.Kernels, CPU);
    }

    [Test]
    [Category("Gpu")]
    public void Devices_agree_too([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype, [Values(1, 1_000)] int update)
    {
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        Agrees(Sizes, dtype, update, OperatorMode.Auto, CUDA);
    }

    [Test]
    public void An_optimizer_takes_the_same_way_in_either_form()
    {
        Tensor kernels = Walk(OperatorMode.Kernels), composed = Walk(OperatorMode.Composed);
        Assert.That((kernels - composed).abs().max().item<double>(), Is.LessThan(1e-14));

        static Tensor Walk(OperatorMode mode)
        {
            OperatorModes.Current = mode;
            var weights = new Parameter(Normal(50, 1, ScalarType.Float64));
            using var optimizer = new AdamW([("w", weights)], new OptimizerSpec { WeightDecay = 0.1 });
            for (int t = 0; t < 50; t++)
            {
                // Strided, as the gradient of a transposed weight may be.
                weights.grad = Normal(100, 2 + t, ScalarType.Float64).view(50, 2).select(1, 0);
                optimizer.Step(0.01);
            }
            return weights.detach();
        }
    }

    [Test]
    public void Empty_and_mixed_lists_are_no_trouble()
    {
        OperatorModes.Current = OperatorMode.Kernels;
        Agrees([0], ScalarType.Float32, 1, OperatorMode.Kernels, CPU);
        Agrees([0, 7, 0], ScalarType.Float32, 1, OperatorMode.Kernels, CPU);
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit()
    {
        Tensor[] once = Updated(OperatorMode.Kernels, [100], ScalarType.Float32, 5, CPU)[0];
        for (int repeat = 0; repeat < 250; repeat++)
        {
            Tensor[] again = Updated(OperatorMode.Kernels, [100], ScalarType.Float32, 5, CPU)[0];
            for (int i = 0; i < again.Length; i++) Assert.That(again[i].Equals(once[i]), Names[i]);
        }
    }

    private static void Agrees(long[] sizes, ScalarType dtype, int update, OperatorMode mode, Device device)
    {
        double unit = dtype == ScalarType.Float32 ? 1.0 / (1 << 23) : Math.ScaleB(1, -52);
        Tensor[][] kernels = Updated(mode, sizes, dtype, update, device);
        Tensor[][] composed = Updated(OperatorMode.Composed, sizes, dtype, update, CPU);
        for (int size = 0; size < sizes.Length; size++)
        {
            if (sizes[size] == 0) continue;
            Tensor gradient = Normal(sizes[size], 40 + size, dtype).abs();
            // Terms that cancel: the old weight with the step, the old first moment with the gradient.
            Tensor[] old = State(sizes[size], size, dtype);
            Tensor[] terms = [old[0].abs() + (composed[size][0] - old[0]).abs(), old[1].abs() + gradient, composed[size][2]];
            for (int i = 0; i < Names.Length; i++)
            {
                Tensor excess = (kernels[size][i].cpu() - composed[size][i]).abs() / (terms[i] * unit);
                double units = excess.max().to(ScalarType.Float64).item<double>();
                bool same = kernels[size][i].cpu().Equals(composed[size][i]);
                TestContext.Out.WriteLine($"{sizes[size]} {Names[i]}: {(same ? "the same bits" : $"{units:F2} units")}");
                // The library fuses the first moment's multiplication and addition; a step has three more roundings.
                Assert.That(units, Is.LessThanOrEqualTo(i == 0 ? 2 : 1), $"{sizes[size]} {Names[i]}");
            }
        }
    }

    /// <summary>Weights and moments of each array after one update.</summary>
    private static Tensor[][] Updated(OperatorMode mode, long[] sizes, ScalarType dtype, int update, Device device)
    {
        OperatorModes.Current = mode;
        Tensor[][] states = [.. sizes.Select((n, i) => State(n, i, dtype).Select(t => t.to(device)).ToArray())];
        Tensor[] gradients = [.. sizes.Select((n, i) => Normal(n, 40 + i, dtype).to(device))];
        var form = new AdamWForm(update, 0.01, 0.9, 0.95, 0.1, 1e-8);
        AdamWUpdate.Apply(Column(0), gradients, Column(1), Column(2), form);
        return states;

        Tensor[] Column(int i) => [.. states.Select(s => s[i])];
    }

    private static Tensor[] State(long size, int seed, ScalarType dtype) =>
        [Normal(size, 10 + seed, dtype), Normal(size, 20 + seed, dtype) * 0.3, Normal(size, 30 + seed, dtype).square()];

    private static Tensor Normal(long size, int seed, ScalarType dtype)
    {
        using Generator generator = new((ulong)seed);
        return randn(size, dtype: ScalarType.Float32, generator: generator).to(dtype);
    }
}
