using ChemScale.Engine.Operators.Optimization;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Operators;

/// <summary>The AdamW kernel against the library's fused update.</summary>
public class AdamWKernelTests : OperatorFixture
{
    // Less than a group, a chunk and a bit, and three chunks to the last element.
    private static readonly long[] Sizes = [1, 33, 100, 4_103, 3 * 4_096];

    private static readonly string[] Names = ["weights", "first moments", "second moments"];

    [Test]
    public void Float64_kernels_agree_with_the_library([Values(1, 2, 1_000)] int update) =>
        Agrees(Sizes, ScalarType.Float64, update, OperatorMode.Kernels, CPU, AbsoluteTerms.Tolerance);

    [Test]
    public void Full_warps_agree_with_the_library()
    {
        TestScope.Warps();
        Agrees([1, 100, 130], ScalarType.Float64, 3, OperatorMode.Kernels, CPU, AbsoluteTerms.Tolerance);
    }

    [Test]
    public void Float32_errors_are_at_most_twice_the_librarys([Values(1, 2, 1_000)] int update)
    {
        Tensor[][] kernels = Updated(OperatorMode.Kernels, Sizes, ScalarType.Float32, update, CPU);
        Tensor[][] library = Updated(OperatorMode.Composed, Sizes, ScalarType.Float32, update, CPU);
        Tensor[][] exact = Updated(OperatorMode.Composed, Sizes, ScalarType.Float64, update, CPU);
        Float32Errors.AtMostTwice(Names, All(kernels), All(library), All(exact));

        static Tensor[] All(Tensor[][] states) => [.. Enumerable.Range(0, Names.Length).Select(i => cat([.. states.Select(s => s[i])]))];
    }

    [Test]
    public void Memory_that_packs_of_four_may_not_have_makes_no_difference([Range(0, 3)] int array)
    {
        TestScope.Mode(OperatorMode.Kernels);
        Tensor[] plain = [.. State(103, 0, ScalarType.Float32), Normal(103, 40, ScalarType.Float32)];
        Tensor[] moved = [.. plain.Select((t, i) => i == array ? cat([zeros(1), t]).narrow(0, 1, 103) : t.clone())];
        foreach (Tensor[] t in (Tensor[][])[plain, moved])
            AdamWUpdate.Apply([t[0]], [t[3]], [t[1]], [t[2]], new AdamWSettings(2, 0.01, 0.9, 0.95, 0.1, 1e-8));
        for (int i = 0; i < Names.Length; i++) Assert.That(moved[i].Equals(plain[i]), Names[i]);
    }

    [Test]
    [Category("Gpu")]
    public void Devices_agree_too([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype, [Values(1, 1_000)] int update)
    {
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        Agrees(Sizes, dtype, update, OperatorMode.Auto, CUDA, dtype == ScalarType.Float64 ? AbsoluteTerms.Tolerance : 3e-7);
    }

    [Test]
    public void An_optimizer_takes_the_same_way_in_either_form()
    {
        Tensor kernels = Walk(OperatorMode.Kernels), composed = Walk(OperatorMode.Composed);
        Expect.Close(kernels, composed, absolute: 1e-14);

        static Tensor Walk(OperatorMode mode)
        {
            TestScope.Mode(mode);
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
        TestScope.Mode(OperatorMode.Kernels);
        Agrees([0], ScalarType.Float64, 1, OperatorMode.Kernels, CPU, AbsoluteTerms.Tolerance);
        Agrees([0, 7, 0], ScalarType.Float64, 1, OperatorMode.Kernels, CPU, AbsoluteTerms.Tolerance);
    }

    [Test]
    public void Repeats_are_equal_to_the_last_bit([Values] bool warps)
    {
        if (warps) TestScope.Warps();
        Tensor[] once = Updated(OperatorMode.Kernels, [100], ScalarType.Float32, 5, CPU)[0];
        for (int repeat = 0; repeat < Operation.Repeats(warps); repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            Tensor[] again = Updated(OperatorMode.Kernels, [100], ScalarType.Float32, 5, CPU)[0];
            for (int i = 0; i < again.Length; i++) Assert.That(again[i].Equals(once[i]), Names[i]);
        }
    }

    private static void Agrees(long[] sizes, ScalarType dtype, int update, OperatorMode mode, Device device, double tolerance)
    {
        Tensor[][] kernels = Updated(mode, sizes, dtype, update, device);
        Tensor[][] library = Updated(OperatorMode.Composed, sizes, ScalarType.Float64, update, CPU);
        for (int n = 0; n < sizes.Length; n++)
        {
            Tensor[] old = State(sizes[n], n, ScalarType.Float64);
            // The step's terms are those of the first moment.
            Tensor gradient = Normal(sizes[n], 40 + n, ScalarType.Float64).abs(), first = 0.9 * old[1].abs() + 0.1 * gradient;
            Tensor step = 0.01 / (1 - Math.Pow(0.9, update)) * first / (library[n][2] / (1 - Math.Pow(0.95, update))).sqrt();
            AbsoluteTerms.Agree(Names, [.. kernels[n].Select(t => t.cpu().to(ScalarType.Float64))], library[n],
                [old[0].abs() + step, first, library[n][2]], tolerance);
        }
    }

    /// <summary>Weights and moments of each array after one update.</summary>
    private static Tensor[][] Updated(OperatorMode mode, long[] sizes, ScalarType dtype, int update, Device device)
    {
        TestScope.Mode(mode);
        Tensor[][] states = [.. sizes.Select((n, i) => State(n, i, dtype).Select(t => t.to(device)).ToArray())];
        Tensor[] gradients = [.. sizes.Select((n, i) => Normal(n, 40 + i, dtype).to(device))];
        var form = new AdamWSettings(update, 0.01, 0.9, 0.95, 0.1, 1e-8);
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
