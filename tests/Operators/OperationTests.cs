using ChemScale.Engine.Operators.Differentiation;
using NUnit.Framework;
using NUnit.Framework.Internal;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>What the checks of operations must object to.</summary>
public class OperationTests
{
    private DisposeScope scope = null!;

    [SetUp]
    public void Open() => scope = NewDisposeScope();

    [TearDown]
    public void Close() => scope.Dispose();

    [Test]
    public void Right_derivatives_pass_and_wrong_ones_of_either_order_do_not()
    {
        Operation cube = Of(x => x.pow(3)), twice = Of(x => x * x.detach());
        Operation second = Of(x => x.square() * x.detach() * 3 - 2 * x * x.detach().square());
        Assert.That(() => cube.MatchesFiniteDifferences(), Throws.Nothing);
        Assert.That(() => cube.Gradient.MatchesFiniteDifferences(), Throws.Nothing);
        Objects(() => twice.MatchesFiniteDifferences(), "number 0 of output 0 by x");
        Objects(() => second.Gradient.MatchesFiniteDifferences(), "number 0 of output 0 by x");
    }

    [Test]
    public void Memory_read_in_order_whatever_the_strides_is_found()
    {
        Operation careless = Of(x => x.as_strided([5], [1]).square());
        Objects(() => careless.TakesStridedTensors(), "from strided x");
        Assert.That(() => Of(x => x.square()).TakesStridedTensors(), Throws.Nothing);
    }

    [Test]
    public void A_bit_that_changes_between_repeats_is_found()
    {
        int calls = 0;
        Operation restless = Of(x => x * (calls++ == 100 ? Math.BitIncrement(3.0) : 3));
        Objects(() => restless.RepeatsItself(second: false), "result 0 of repeat 99");
        Assert.That(() => Of(x => x.square()).RepeatsItself(second: true), Throws.Nothing);
    }

    [Test]
    public void Errors_are_held_to_their_own_numbers_terms()
    {
        // The small number has small terms: an error that the large one could have is too much for it.
        Tensor expected = tensor(new[] { 1.0, 1e-6 }), terms = tensor(new[] { 2.0, 1e-5 });
        Assert.That(() => Agree(tensor(new[] { 1 + 1e-12, 1e-6 })), Throws.Nothing);
        Objects(() => Agree(tensor(new[] { 1, 1e-6 + 1e-12 })), "sum");
        Objects(() => Agree(tensor(new[] { 1, double.NaN })), "sum");

        void Agree(Tensor found) => AbsoluteTerms.Agree(["sum"], [found], [expected], [terms]);
    }

    [Test]
    public void Functions_have_the_slopes_of_their_absolute_terms()
    {
        Tensor sum = tensor(3.0).requires_grad_();
        Tensor y = AbsoluteTerms.Function(sum, tensor(5.0), tensor(7.0), tensor(11.0));
        Tensor first = Gradients.Of([y], [sum], retainGraph: true, createGraph: true)[0];
        double second = Gradients.Of([first], [sum])[0].item<double>();
        Assert.That((y.item<double>(), first.item<double>(), second), Is.EqualTo((5, 7, 11)));
    }

    private static Operation Of(Func<Tensor, Tensor> function) =>
        new(["x"], [tensor(new[] { 0.5, 1, 1.5, 2, -1 })], inputs => [function(inputs[0])]);

    private static void Objects(Action check, string complaint)
    {
        // The failure is wanted: it must not count as this test's.
        using var isolated = new TestExecutionContext.IsolatedContext();
        Assert.That(check, Throws.TypeOf<AssertionException>().With.Message.Contains(complaint));
    }
}
