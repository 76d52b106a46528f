using ChemScale.Engine.Operators.Differentiation;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The one autograd function of all passes, on an operation that has everything: y = (a b, absent, a^2 c), b or c perhaps absent.</summary>
public class OperationFunctionTests : OperatorFixture
{
    private static readonly double[] A = [0.5, -1.5, 2], B = [3, 0.25, -1], C = [-2, 1, 0.75];

    [Test]
    public void First_and_second_derivatives_match_finite_differences([Values] bool own)
    {
        Operation operation = Of(new Products { HasDoubleBackward = own }, A, B, C);
        operation.MatchesFiniteDifferences();
        operation.Gradient.MatchesFiniteDifferences();
        operation.TakesStridedTensors();
        operation.RepeatsItself(second: true);
    }

    [Test]
    public void Third_derivatives_come_from_the_composed_form([Values] bool own)
    {
        var passes = new Products { HasDoubleBackward = own };
        Operation third = Of(passes, A, B, C).Gradient.Gradient;
        third.MatchesFiniteDifferences();
        Expect.Above(passes.ComposedCalls, 0);
    }

    [Test]
    public void The_composed_form_is_asked_only_where_the_passes_have_no_answer([Values] bool own)
    {
        var passes = new Products { HasDoubleBackward = own };
        Tensor[] x = Leaves(A, B, C);
        Tensor value = Sum(OperationFunction.Apply(passes, x));
        Assert.That(passes.ComposedCalls, Is.Zero);
        IList<Tensor> first = Gradients.Of([value], x, retainGraph: true, createGraph: true);
        Assert.That(passes.ComposedCalls, Is.Zero);
        _ = Gradients.Of([first[0].square().sum()], x, allowUnused: true);
        Assert.That(passes.ComposedCalls, Is.EqualTo(own ? 0 : 1));
    }

    [Test]
    public void Absent_inputs_stay_absent_and_absent_outputs_too()
    {
        Tensor[] x = Leaves(A, C);
        var passes = new Products();
        Tensor?[] y = OperationFunction.Apply(passes, x[0], null, x[1]);
        Assert.That(y.Select(t => t is null), Is.EqualTo((bool[])[true, true, false]));
        IList<Tensor> by = Gradients.Of([y[2]!.sum()], x, retainGraph: true, createGraph: true);
        Expect.Close(by[0], 2 * x[0] * x[1], absolute: 0);
        Expect.Close(by[1], x[0].square(), absolute: 0);
        IList<Tensor> second = Gradients.Of([by[0].sum()], x);
        Expect.Close(second[0], 2 * x[1], absolute: 0);
        Expect.Close(second[1], 2 * x[0], absolute: 0);
    }

    [Test]
    public void An_output_that_nobody_differentiates_has_no_gradient()
    {
        Tensor[] x = Leaves(A, B, C);
        var passes = new Products();
        Tensor?[] y = OperationFunction.Apply(passes, x);
        IList<Tensor> by = Gradients.Of([y[0]!.sum()], x, allowUnused: true);
        Assert.That(passes.Given, Is.EqualTo((bool[])[true, false, false]));
        Expect.Close(by[1], x[0], absolute: 0);
        Assert.That(by[2].IsInvalid, "nothing depends on c");
    }

    [Test]
    public void Nothing_is_kept_where_nothing_wants_a_gradient()
    {
        var passes = new Products();
        Tensor?[] y = OperationFunction.Apply(passes, [.. Leaves(A, B, C).Select(t => t.detach())]);
        Assert.That((passes.Kept, y[0]!.requires_grad), Is.EqualTo((false, false)));
    }

    [Test]
    public void What_came_in_may_be_returned_and_one_tensor_twice()
    {
        Tensor[] x = Leaves(A, B), plain = Leaves(A, B);
        Tensor?[] y = OperationFunction.Apply(new Passing(), x);
        Expect.Close(y[0]!, plain[0], absolute: 0);
        Assert.That((x[0].is_leaf, y[0]!.is_leaf), Is.EqualTo((true, false)), "an input is no output");
        Tensor weights = tensor(C);
        IList<Tensor> by = Gradients.Of([(y[0]! * weights).sum() + (y[1]! * weights).square().sum()], x, retainGraph: true, createGraph: true);
        IList<Tensor> expected = Gradients.Of(
            [(plain[0] * weights).sum() + ((plain[0] + plain[1]) * weights).square().sum()], plain, retainGraph: true, createGraph: true);
        for (int i = 0; i < 2; i++) Expect.Close(by[i], expected[i], absolute: 1e-15);
        IList<Tensor> second = Gradients.Of([by[0].square().sum()], x), secondExpected = Gradients.Of([expected[0].square().sum()], plain);
        for (int i = 0; i < 2; i++) Expect.Close(second[i], secondExpected[i], absolute: 1e-13);
        // Without a graph of the gradients the two answers are one tensor.
        IList<Tensor> once = Gradients.Of([OperationFunction.Apply(new Passing(), x)[1]!.sum()], x);
        Assert.That(once.Select(t => t.data<double>().ToArray()), Is.All.EqualTo((double[])[1, 1, 1]));
    }

    [Test]
    public void A_pass_that_fails_fails_its_own_pass_and_leaves_nothing([Values("forward", "backward", "double backward", "composed")] string where)
    {
        int live = AutogradFunction.LiveNodes;
        using (DisposeScope scope = NewDisposeScope())
        {
            Exception reason = where == "forward" ? Assert.Throws<InvalidOperationException>(All)! : Assert.Throws<BackwardException>(All)!.InnerException!;
            Assert.That(reason.Message, Is.EqualTo(where));
        }
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(live));
        Assert.That(() => Of(new Products(), A, B, C).MatchesFiniteDifferences(), Throws.Nothing);

        void All()
        {
            Tensor[] x = Leaves(A, B, C);
            var passes = new Products { Fails = where, HasDoubleBackward = where != "composed" };
            IList<Tensor> first = Gradients.Of([Sum(OperationFunction.Apply(passes, x))], x, retainGraph: true, createGraph: true);
            _ = Gradients.Of([first[0].square().sum()], x, allowUnused: true);
        }
    }

    [Test]
    public void Passes_that_forget_a_gradient_are_named()
    {
        Tensor[] x = Leaves(A, B, C);
        Tensor value = Sum(OperationFunction.Apply(new Products { Forgets = true }, x));
        BackwardException e = Assert.Throws<BackwardException>(() => Gradients.Of([value], x))!;
        Assert.That(e.InnerException!.Message, Is.EqualTo("Products.Backward gave 2 gradients for 3"));
    }

    private static Operation Of(Products passes, params double[][] at) => new(["a", "b", "c"], [.. at.Select(t => tensor(t))],
        x => [.. OperationFunction.Apply(passes, x).OfType<Tensor>()]);

    private static Tensor[] Leaves(params double[][] at) => [.. at.Select(t => tensor(t).requires_grad_())];

    private static Tensor Sum(Tensor?[] outputs) => outputs.OfType<Tensor>().Select(t => t.pow(3).sum()).Aggregate((a, b) => a + b);

    private sealed class Products : IOperationPasses
    {
        public bool HasDoubleBackward { get; init; } = true;

        public string? Fails { get; init; }

        public bool Forgets { get; init; }

        public int ComposedCalls { get; private set; }

        public bool Kept { get; private set; }

        public bool[]? Given { get; private set; }

        public Tensor?[] Composed(Tensor?[] inputs)
        {
            ComposedCalls++;
            Meet("composed");
            return Outputs(inputs);
        }

        public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
        {
            Meet("forward");
            Kept = keep;
            Tensor?[] outputs = Outputs(inputs);
            // An output among what is kept, and something made on the way.
            return (outputs, keep ? [outputs[0], 2 * inputs[0]!] : []);
        }

        public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients)
        {
            Meet("backward");
            Given = [.. gradients.Select(g => g is not null)];
            Assert.That(inputs.Concat(kept).Concat(gradients).OfType<Tensor>().All(t => t.is_contiguous()), "contiguous");
            (Tensor a, Tensor? b, Tensor? c, Tensor? g, Tensor? h) = (inputs[0]!, inputs[1], inputs[2], gradients[0], gradients[2]);
            Assert.That(g is null || kept[0]!.Equals(a * b!), "the first output was kept");
            Tensor? byA = Add(b is not null && g is not null ? g * b : null, c is not null && h is not null ? h * c * kept[1]! : null);
            Tensor?[] by = [byA, g is null ? null : g * a, h is null ? null : h * a.square()];
            return Forgets ? by[1..] : by;
        }

        public Tensor?[]? DoubleBackward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients, Tensor?[] along)
        {
            if (!HasDoubleBackward) return null;
            Meet("double backward");
            (Tensor a, Tensor? b, Tensor? c, Tensor? g, Tensor? h) = (inputs[0]!, inputs[1], inputs[2], gradients[0], gradients[2]);
            (Tensor? u, Tensor? v, Tensor? w) = (along[0], along[1], along[2]);
            Tensor? byA = null, byB = null, byC = null, byG = null, byH = null;
            if (g is not null)
            {
                byA = v is null ? null : v * g;
                byB = u is null ? null : u * g;
                byG = Add(u is null ? null : u * b!, v is null ? null : v * a);
            }
            if (h is not null)
            {
                byA = Add(byA, Add(u is null ? null : u * h * c! * 2, w is null ? null : w * h * kept[1]!));
                byC = u is null ? null : u * h * kept[1]!;
                byH = Add(u is null ? null : u * c! * kept[1]!, w is null ? null : w * a.square());
            }
            return [byA, byB, byC, byG, null, byH];
        }

        private static Tensor?[] Outputs(Tensor?[] inputs) =>
            [inputs[1] is { } b ? inputs[0]! * b : null, null, inputs[2] is { } c ? inputs[0]!.square() * c : null];

        private static Tensor? Add(Tensor? a, Tensor? b) => a is null ? b : b is null ? a : a + b;

        private void Meet(string where)
        {
            if (Fails == where) throw new InvalidOperationException(where);
        }
    }

    /// <summary>y = (a, a + b), whose outputs and gradients are what came in wherever they can be.</summary>
    private sealed class Passing : IOperationPasses
    {
        public Tensor?[] Composed(Tensor?[] inputs) => [inputs[0]!.view_as(inputs[0]!), inputs[0]! + inputs[1]!];

        public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep) => ([inputs[0], inputs[0]! + inputs[1]!], []);

        public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) =>
            [gradients[0] is null ? gradients[1] : gradients[1] is null ? gradients[0] : gradients[0]! + gradients[1]!, gradients[1]];
    }
}
