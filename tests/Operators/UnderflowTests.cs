using System.Runtime.InteropServices;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Optimization;
using ChemScale.Kernels.Maths;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests.Operators;

/// <summary>Numbers that are negligible are zero where they are made, with all their derivatives, in every form.</summary>
public partial class UnderflowTests : OperatorFixture
{
    private const double Cutoff = 5, MostSubnormal = 1e-5;

    // <fenv.h>, fenv_t on x86-64: MXCSR is its last word, whose bit 1 says that an operand was subnormal: the processor's own mark, of
    // everything that the thread has computed. fetestexcept hides it.
    private const int Status = 7;
    private const uint DenormalOperand = 2;

    [Test]
    public void An_exponential_is_zero_with_its_derivatives_from_the_threshold_down([Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        double least = Negligible.Exponent;
        Tensor x = tensor(new[] { least - 1e-4, least + 1e-4, -1e4, double.NegativeInfinity, double.NaN, 0 }, dtype: dtype).requires_grad_();
        Tensor y = Underflow.Exp(x);
        Tensor first = Gradients.Of([y], [x], [ones_like(y)], retainGraph: true, createGraph: true)[0];
        Tensor second = Gradients.Of([first], [x], [ones_like(y)])[0];
        foreach (double[] values in ((Tensor[])[y, first, second]).Select(t => t.detach().to(ScalarType.Float64).data<double>().ToArray()))
        {
            Assert.That(new[] { values[0], values[2], values[3] }, Is.All.Zero);
            Expect.Close([values[1]], [Negligible.Value], relative: 1e-3);
            Assert.That(values[5], Is.EqualTo(1));
        }
        Assert.That(y.select(0, 4).to(ScalarType.Float64).item<double>(), Is.NaN);
        Expect.Close([Math.Exp(least)], [Negligible.Value], relative: 1e-13);
    }

    [Test]
    public void No_basis_or_cutoff_function_makes_subnormal_numbers([Values(OperatorMode.Composed, OperatorMode.Kernels)] OperatorMode mode,
        [Values] bool gaussian, [Values(0, 6, 90)] int power)
    {
        TestScope.Mode(mode);
        double[] centers = [.. Enumerable.Range(0, 20).Select(k => gaussian ? k * Cutoff / 19 : (k + 1) * Math.PI / Cutoff)];
        double width = -0.5 * Math.Pow(19 / Cutoff, 2);
        var functions = new RadialFunctions(tensor(centers, dtype: ScalarType.Float32),
            gaussian ? tensor([.. centers.Select(_ => width)], dtype: ScalarType.Float32) : null, Cutoff, power);
        Tensor vectors = Line(5_000).requires_grad_();
        (Tensor distances, _, Tensor envelope, Tensor radial) = RadialBasisCutoff.Of(vectors, functions);
        Tensor product = radial * envelope;
        Tensor first = Gradients.Of([radial.sum() + envelope.sum()], [vectors], retainGraph: true, createGraph: true)[0];
        Tensor second = Gradients.Of([first.sum()], [vectors], retainGraph: true)[0];
        None(radial, envelope, product, first, second);
        // The same functions by their formula alone would have them.
        if (gaussian) Expect.Above(Share((-0.5 * ((distances - functions.Centers) * (19 / Cutoff)).square()).exp()), 1e-3);
    }

    [Test]
    public void SpookyNets_functions_make_none()
    {
        Tensor d = linspace(0.3, Cutoff, 20_000, dtype: ScalarType.Float32).view(-1, 1).requires_grad_();
        Tensor powers = tensor(ExponentialBernsteinBasis.Powers(16), dtype: ScalarType.Float32);
        Tensor binomials = tensor(ExponentialBernsteinBasis.LogBinomials(16), dtype: ScalarType.Float32);
        Tensor bump = BumpCutoff.Apply(d, Cutoff), basis = ExponentialBernsteinBasis.Apply(d, tensor(2f), powers, binomials);
        Tensor product = basis * bump, slope = Gradients.Of([product.sum()], [d], retainGraph: true, createGraph: true)[0];
        None(bump, basis, product, slope, Gradients.Of([slope.sum()], [d])[0]);
        Tensor inside = d.detach().narrow(0, 0, 19_990);
        Expect.Above(Share((-inside * inside / ((Cutoff - inside) * (Cutoff + inside))).exp()), 0);
    }

    [Test]
    public void Moments_below_the_normal_range_are_zero([Values(OperatorMode.Composed, OperatorMode.Kernels)] OperatorMode mode,
        [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype, [Values(1, 64, 70_001)] int count)
    {
        TestScope.Mode(mode);
        double least = dtype == ScalarType.Float32 ? F32.LeastNormal : F64.LeastNormal;
        var weight = new Parameter(ones(count, dtype: dtype));
        using var optimizer = new AdamW([("w", weight)], new OptimizerSpec());
        foreach ((_, Tensor moment) in optimizer.Tensors) moment.fill_(1.001 * least);
        weight.grad = zeros_like(weight);
        optimizer.Step(1e-3);
        foreach ((string name, Tensor moment) in optimizer.Tensors) Assert.That(moment.count_nonzero().item<long>(), Is.Zero, name);
        foreach ((_, Tensor moment) in optimizer.Tensors) moment.fill_(-2 * least);
        optimizer.Step(0);
        Assert.That(optimizer.Tensors.First().Value.count_nonzero().item<long>(), Is.EqualTo(count));
    }

    [Test]
    public void Averages_below_the_normal_range_are_zero()
    {
        var weight = new Parameter(full(100, 1.1 * F32.LeastNormal, dtype: ScalarType.Float32).view(20, 5).t());
        using var average = new WeightAverage([("w", weight)], 0.5);
        using (no_grad()) weight.zero_();
        average.Update(1_000);
        Assert.That(average.Tensors.Single().Value.count_nonzero().item<long>(), Is.Zero);
    }

    [Test]
    public void A_training_step_computes_with_no_subnormal_numbers(
        [Values] bool isPaiNN, [Values(OperatorMode.Host, OperatorMode.Composed)] OperatorMode mode)
    {
        using ForceField model = isPaiNN ? new PaiNN(new PaiNNConfig { Features = 32 }, 1) : new SchNet(new SchNetConfig { Features = 32 }, 1);
        TrainsWithout(model, mode);
    }

    [Test]
    public void Nor_does_SpookyNets()
    {
        using var model = new SpookyNet(new SpookyNetConfig { Features = 32, Interactions = 2, ElectrostaticCutoff = Cutoff }, 1);
        TrainsWithout(model, OperatorMode.Host);
    }

    private static void TrainsWithout(ForceField model, OperatorMode mode)
    {
        TestScope.Mode(mode);
        int threads = get_num_threads();
        set_num_threads(1);
        try
        {
            // As large as aspirin; farther than 3.4 A from some centers a Gaussian underflows.
            using GraphBatch batch = TestFrame.Batch(Cutoff, [.. Enumerable.Range(0, 64).Select(i => TestFrame.Molecule(21, i, 3.05))]);
            using var optimizer = new AdamW(model.named_parameters().Select(p => (p.name, p.parameter)), new OptimizerSpec());
            using Generator generator = new(4);
            Tensor forces = randn(batch.Positions.shape, dtype: ScalarType.Float64, generator: generator);
            for (int step = 0; step < 3; step++)
            {
                using DisposeScope inner = NewDisposeScope();
                foreach (var parameter in model.parameters()) parameter.grad = null;
                // Not in the first step, in which code is compiled.
                if (step > 0) MetSubnormals();
                ForceFieldOutput output = model.Evaluate(batch, createGraph: true);
                Gradients.Backward((output.Forces! - forces).square().mean() + output.Energies.square().mean() * 0.01);
                optimizer.Step(1e-3);
                bool met = MetSubnormals();
                None([output.Energies, output.Forces!, .. model.parameters(), .. optimizer.Tensors.Select(t => t.Value),
                    .. model.parameters().Select(p => p.grad).OfType<Tensor>()]);
                if (step > 0) Assert.That(met, Is.False, "an operand was subnormal");
            }
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    /// <summary>Whether this thread met any since it was last asked. False where that cannot be known.</summary>
    private static unsafe bool MetSubnormals()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !OperatingSystem.IsLinux()) return false;
        uint* environment = stackalloc uint[Status + 1];
        fegetenv(environment);
        bool met = (environment[Status] & DenormalOperand) != 0;
        environment[Status] &= ~DenormalOperand;
        fesetenv(environment);
        return met;
    }

    [LibraryImport("libm.so.6")]
    private static unsafe partial int fegetenv(uint* environment);

    [LibraryImport("libm.so.6")]
    private static unsafe partial int fesetenv(uint* environment);

    /// <summary>(n, 3) along x, from next to nothing to beyond the cutoff.</summary>
    private static Tensor Line(int count)
    {
        Tensor vectors = zeros(count, 3, dtype: ScalarType.Float32);
        vectors.select(1, 0).copy_(linspace(0.01, 1.1 * Cutoff, count, dtype: ScalarType.Float32));
        return vectors;
    }

    private static void None(params Tensor[] tensors)
    {
        for (int i = 0; i < tensors.Length; i++) Expect.Below(Share(tensors[i]), MostSubnormal);
    }

    /// <summary>Of subnormal numbers among all, by their bits.</summary>
    private static double Share(Tensor tensor)
    {
        using Tensor values = tensor.detach().contiguous();
        if (values.numel() == 0) return 0;
        int count = 0;
        if (values.dtype == ScalarType.Float32) foreach (float x in values.data<float>()) count += float.IsSubnormal(x) ? 1 : 0;
        else foreach (double x in values.data<double>()) count += double.IsSubnormal(x) ? 1 : 0;
        return (double)count / values.numel();
    }
}
