using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class AttentionTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [Test]
    public void Host_and_composed_forms_agree(
        [Values(1, 2, 8, 12, 32)] int headWidth, [Values(1, 3, 12, 16, 18)] int heads, [Values(0, 5, 40)] int window,
            [Values(ScalarType.Float32, ScalarType.Float64)] ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        using var rows = new PackedRows([0, 1, 38, 70, 71, 88]);
        int width = heads * headWidth;
        using Generator generator = new(7);
        Tensor qkv = randn(rows.Tokens, 3 * width, dtype: ScalarType.Float64, generator: generator);
        Tensor probe = randn(rows.Tokens, width, dtype: ScalarType.Float64, generator: generator);
        (Tensor expected, Tensor expectedGradient) = Run(OperatorMode.Composed, qkv, ScalarType.Float64);
        (Tensor output, Tensor gradient) = Run(OperatorMode.Host, qkv, dtype);
        double tolerance = dtype == ScalarType.Float64 ? 1e-12 : 2e-4;
        Expect.Close(output, expected, absolute: tolerance);
        Expect.Close(gradient, expectedGradient, absolute: tolerance * headWidth);

        (Tensor, Tensor) Run(OperatorMode mode, Tensor input, ScalarType type)
        {
            TestScope.Mode(mode);
            Tensor leaf = input.to(type).clone().requires_grad_();
            Tensor o = Attention.Apply(leaf, rows, heads, window, 0.7);
            Gradients.Backward((o * probe.to(type)).sum());
            return (o.detach().to(ScalarType.Float64), leaf.grad!.to(ScalarType.Float64));
        }
    }

    [Test]
    public void Host_float32_error_is_at_most_twice_that_of_composed_float32([Values(8, 32)] int headWidth, [Values(4, 16)] int heads)
    {
        using var scope = NewDisposeScope();
        using var rows = new PackedRows([0, 37, 74, 120, 200]);
        int width = heads * headWidth;
        using Generator generator = new(11);
        Tensor qkv = randn(rows.Tokens, 3 * width, dtype: ScalarType.Float64, generator: generator).to(ScalarType.Float32).to(ScalarType.Float64);
        Tensor probe = randn(rows.Tokens, width, dtype: ScalarType.Float64, generator: generator).to(ScalarType.Float32).to(ScalarType.Float64);
        (Tensor exact, Tensor exactGradient) = Run(OperatorMode.Composed, ScalarType.Float64);
        (Tensor composed, Tensor composedGradient) = Run(OperatorMode.Composed, ScalarType.Float32);
        (Tensor host, Tensor hostGradient) = Run(OperatorMode.Host, ScalarType.Float32);
        Expect.Below(Error(host, exact), 2 * Error(composed, exact));
        Expect.Below(Error(hostGradient, exactGradient), 2 * Error(composedGradient, exactGradient));

        static double Error(Tensor a, Tensor b) => (a - b).pow(2).mean().sqrt().item<double>();

        (Tensor, Tensor) Run(OperatorMode mode, ScalarType type)
        {
            TestScope.Mode(mode);
            Tensor leaf = qkv.to(type).clone().requires_grad_();
            Tensor o = Attention.Apply(leaf, rows, heads);
            Gradients.Backward((o * probe.to(type)).sum());
            return (o.detach().to(ScalarType.Float64), leaf.grad!.to(ScalarType.Float64));
        }
    }

    [Test]
    public void Host_gradient_matches_finite_differences()
    {
        using var scope = NewDisposeScope();
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 3, 12]);
        using Generator generator = new(2);
        Tensor qkv = randn(12, 12, dtype: ScalarType.Float64, generator: generator);
        Tensor probe = randn(12, 4, dtype: ScalarType.Float64, generator: generator), direction = randn_like(qkv);
        Tensor leaf = qkv.clone().requires_grad_();
        Gradients.Backward((Attention.Apply(leaf, rows, 2, 4) * probe).sum());
        const double h = 1e-6;
        double F(double t) => (Attention.Apply(qkv + t * direction, rows, 2, 4) * probe).sum().item<double>();
        Expect.Close((leaf.grad! * direction).sum().item<double>(), (F(h) - F(-h)) / (2 * h), absolute: 1e-8);
    }

    [Test]
    public void Second_derivatives_of_the_host_form_equal_the_composed_ones()
    {
        using var scope = NewDisposeScope();
        SecondDerivativesAreComposedOnes(OperatorMode.Host);
    }

    /// <summary>Of a loss that bends, by attention in a form and composed.</summary>
    internal static void SecondDerivativesAreComposedOnes(OperatorMode form)
    {
        using var rows = new PackedRows([0, 5, 9]);
        using Generator generator = new(4);
        Tensor qkv = randn(9, 12, dtype: ScalarType.Float64, generator: generator), probe = randn(9, 4, dtype: ScalarType.Float64, generator: generator);
        Tensor found = Second(form), composed = Second(OperatorMode.Composed);
        Expect.Close(found, composed, absolute: 1e-12);

        Tensor Second(OperatorMode mode)
        {
            TestScope.Mode(mode);
            Tensor leaf = qkv.clone().requires_grad_();
            Tensor value = (Attention.Apply(leaf, rows, 2) * probe).pow(2).sum();
            Tensor gradient = Gradients.Of([value], [leaf], retainGraph: true, createGraph: true)[0];
            Tensor second = Gradients.Of([gradient.pow(2).sum()], [leaf])[0];
            return second;
        }
    }

    [Test, NonParallelizable]
    public void Repeats_are_bitwise_equal_whatever_the_threads()
    {
        using var scope = NewDisposeScope();
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 30, 45, 99]);
        using Generator generator = new(3);
        Tensor qkv = randn(99, 48, generator: generator);
        int threads = get_num_threads();
        Tensor? first = null;
        for (int repeat = 0; repeat < 50; repeat++)
        {
            set_num_threads(1 + repeat % 2);
            Tensor leaf = qkv.clone().requires_grad_();
            Gradients.Backward(Attention.Apply(leaf, rows, 4, 9).pow(2).sum());
            first ??= leaf.grad!;
            Expect.Close(leaf.grad!, first);
        }
        set_num_threads(threads);
    }

    [Test]
    public void No_node_outlives_its_graph()
    {
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 30]);
        int before = AutogradFunction.LiveNodes;
        for (int i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            Tensor leaf = randn(30, 24, generator: RunScope.Current.Random).requires_grad_();
            Tensor o = Attention.Apply(leaf, rows, 2);
            if (i % 2 == 0) Gradients.Backward(o.sum());
        }
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(before));
    }

    [Test]
    public void A_graph_survives_garbage_collection()
    {
        using var scope = NewDisposeScope();
        TestScope.Mode(OperatorMode.Host);
        using var rows = new PackedRows([0, 30]);
        Tensor leaf = randn(30, 24, generator: RunScope.Current.Random).requires_grad_();
        // Enough of them that the pool is empty and new nodes are made.
        Tensor[] outputs = [.. Enumerable.Range(0, 200).Select(_ => Attention.Apply(leaf, rows, 2).sum())];
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        foreach (Tensor output in outputs) Gradients.Backward(output);
        Assert.That(leaf.grad!.isfinite().all().item<bool>(), Is.True);
    }
}
