using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Tests.Gpu;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>Whose failure is whose: passes within passes, beside each other, on threads of libtorch's own; and the scopes they run in.</summary>
public class GradientsTests : OperatorFixture
{
    // From this depth on libtorch takes threads of its own for passes within passes.
    private const int Deep = 70;

    [Test]
    public void A_failing_backward_is_thrown_by_its_pass_and_by_no_other()
    {
        Tensor leaf = ones(3).requires_grad_();
        for (int i = 0; i < 3; i++)
        {
            Tensor failing = Twice.Failing().Apply(leaf)[0].sum(), right = new Twice().Apply(leaf)[0].sum();
            Fails(() => Gradients.Backward(failing));
            Assert.That(Gradients.Of([right], [leaf])[0].data<float>().ToArray(), Is.EqualTo((float[])[2, 2, 2]));
        }
        Assert.That(leaf.grad, Is.Null);
    }

    // Whoever goes past it may fail passes of others: nothing says whose pass it was.
    [Test, NonParallelizable]
    public void A_pass_that_went_past_the_one_place_gives_no_wrong_gradient_either()
    {
        Tensor leaf = ones(3).requires_grad_();
        Assert.That(() => Twice.Failing().Apply(leaf)[0].sum().backward(), Throws.Exception.With.Message.Contains("number of gradients"));
        Assert.That(leaf.grad, Is.Null);
        // Nor is its reason taken for another's.
        Assert.That(() => Gradients.Backward(leaf), Throws.Exception.Not.TypeOf<BackwardException>());
    }

    [Test]
    public void What_cannot_be_differentiated_is_refused_and_ends_no_process()
    {
        Tensor leaf = ones(3).requires_grad_(), other = ones(3).requires_grad_(), sum = leaf.sum();
        Assert.That(() => Gradients.Of([leaf * 2], [leaf]), Throws.ArgumentException.With.Message.Contains("no scalar"));
        Assert.That(() => Gradients.Of([ones(1)], [leaf]), Throws.ArgumentException.With.Message.Contains("depends on nothing"));
        Assert.That(() => Gradients.Of([sum], [ones(3)]), Throws.ArgumentException.With.Message.Contains("wants no gradient"));
        Assert.That(() => Gradients.Of([sum], [leaf, other], retainGraph: true), Throws.ArgumentException.With.Message.Contains("no output depends on"));
        Assert.That(Gradients.Of([sum], [leaf, other], allowUnused: true)[1].IsInvalid);
    }

    [Test]
    public void A_failure_leaves_no_graph_behind()
    {
        int before = AutogradFunction.LiveNodes;
        for (int i = 0; i < 20; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            Tensor leaf = ones(3).requires_grad_();
            Tensor chain = new Twice().Apply(Twice.Failing().Apply(new Twice().Apply(leaf)[0])[0])[0].sum();
            Fails(() => Gradients.Of([chain], [leaf], retainGraph: i % 2 == 0));
        }
        Assert.That(AutogradFunction.LiveNodes, Is.EqualTo(before));
    }

    [Test]
    public void A_failure_of_a_pass_within_a_pass_is_the_outer_ones([Values(1, 3, Deep)] int depth)
    {
        Tensor leaf = ones(3).requires_grad_();
        Fails(() => Gradients.Backward(Nested(depth, Twice.Failing()).Apply(leaf)[0].sum()));
        Tensor gradient = Gradients.Of([Nested(depth, new Twice()).Apply(leaf)[0].sum()], [leaf])[0];
        Assert.That(gradient.data<float>().ToArray(), Is.EqualTo((float[])[2, 2, 2]));
    }

    [Test]
    public void A_failure_within_a_composed_derivative_is_the_outer_passs()
    {
        Tensor leaf = ones(3).requires_grad_();
        Tensor first = Gradients.Of([new ByComposed(Twice.Failing).Apply(leaf)[0].sum()], [leaf], createGraph: true, retainGraph: true, allowUnused: true)[0];
        Fails(() => Gradients.Backward(first.sum()));
    }

    [Test]
    public void A_backward_runs_in_the_scope_of_its_forward_on_whichever_thread([Values(1, Deep)] int depth)
    {
        var seen = new HashSet<(RunScope, int)>();
        var made = new RunScope(OperatorMode.Composed);
        Tensor leaf = ones(3).requires_grad_();
        Tensor output;
        using (made.Enter())
            output = Nested(depth, new Twice(() => seen.Add((RunScope.Current, Environment.CurrentManagedThreadId)))).Apply(leaf)[0].sum();
        using (new RunScope(OperatorMode.Host).Enter()) Gradients.Backward(output);
        (RunScope scope, int thread) = seen.Single();
        Assert.That(scope, Is.SameAs(made));
        Assert.That(thread == Environment.CurrentManagedThreadId, Is.EqualTo(depth < Deep));
        Assert.That(RunScope.Current.Mode, Is.EqualTo(OperatorMode.Auto));
    }

    [Test]
    public void Failures_of_one_thread_never_reach_another([Values] bool sharedScope)
    {
        using var meeting = new Barrier(2);
        // Both are within their passes when one fails.
        FailBesides(CPU, sharedScope, () => meeting.SignalAndWait(), () => meeting.RemoveParticipant());
    }

    /// <summary>A device has one thread for the passes of all, which tells them apart by their scopes.</summary>
    [Test, Category("Gpu")]
    public void Failures_on_a_devices_thread_never_reach_another_run() => FailBesides(TestDevice.Require(), false, () => { }, () => { });

    private static void FailBesides(Device device, bool sharedScope, Action meet, Action leave)
    {
        var common = new RunScope();
        Exception?[] unexpected = new Exception?[2];
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(t => new Thread(() =>
        {
            try
            {
                using RunScope.Entry run = (sharedScope ? common : new RunScope()).Enter();
                using DisposeScope scope = NewDisposeScope();
                Tensor leaf = ones(3, device: device).requires_grad_();
                for (int i = 0; i < 200; i++)
                {
                    Twice function = t == 0 ? Twice.Failing(meet) : new Twice(meet);
                    Tensor output = function.Apply(leaf)[0].sum();
                    if (t == 0) Fails(() => Gradients.Backward(output));
                    else Gradients.Backward(output);
                }
                if (t == 1) Assert.That(leaf.grad!.cpu().data<float>().ToArray(), Is.EqualTo((float[])[400, 400, 400]));
            }
            catch (Exception e)
            {
                unexpected[t] = e;
                leave();
            }
        }))];
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
        Assert.That(unexpected, Is.All.Null);
    }

    [Test]
    public void A_scope_goes_along_to_threads_and_tasks_that_are_begun_in_it()
    {
        RunScope outer = RunScope.Current;
        var run = new RunScope(OperatorMode.Host) { ScratchValues = 7 };
        List<RunScope> seen = [];
        using (run.Enter())
        {
            Assert.That(new RunScope().ScratchValues, Is.EqualTo(7));
            Task.Run(() => seen.Add(RunScope.Current)).Wait();
            Parallel.For(0, 1, _ => seen.Add(RunScope.Current));
            var thread = new Thread(() => seen.Add(RunScope.Current));
            thread.Start();
            thread.Join();
        }
        Assert.That(seen, Is.EqualTo((RunScope[])[run, run, run]));
        Assert.That(RunScope.Current, Is.SameAs(outer));
    }

    [Test, NonParallelizable]
    public void Random_numbers_of_a_scope_are_those_of_torch_from_the_same_seed()
    {
        using var run = new RunScope(seed: 11);
        manual_seed(11);
        Tensor expected = randn(40), found = randn([40], generator: run.Random);
        Assert.That(found.data<float>().ToArray(), Is.EqualTo(expected.data<float>().ToArray()));
        // A checkpoint of torch's own generator goes on in a scope's.
        run.Random.set_state(get_rng_state());
        Assert.That(randn([9], generator: run.Random).data<float>().ToArray(), Is.EqualTo(randn(9).data<float>().ToArray()));
    }

    private static void Fails(Action pass)
    {
        var e = Assert.Throws<BackwardException>(() => pass());
        Assert.That(e!.Message, Is.EqualTo("a backward pass failed: on purpose"));
        Assert.That(e.InnerException, Is.TypeOf<ArithmeticException>());
    }

    private static AutogradFunction Nested(int depth, AutogradFunction innermost) => depth == 0 ? innermost : new Within(Nested(depth - 1, innermost));

    /// <summary>2 x.</summary>
    private sealed class Twice(Action? meanwhile = null) : AutogradFunction
    {
        private bool fails;

        public static Twice Failing(Action? meanwhile) => new(meanwhile) { fails = true };

        public static Twice Failing() => Failing(null);

        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs) => [inputs[0]! * 2];

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            meanwhile?.Invoke();
            return fails ? throw new ArithmeticException("on purpose") : [gradients[0]! * 2];
        }
    }

    /// <summary>Differentiates another function by a pass of its own.</summary>
    private sealed class Within(AutogradFunction inner) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            context.Save(inputs);
            return inner.Apply(inputs);
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
        {
            using var mode = enable_grad();
            Tensor leaf = context.Saved()[0]!.detach().requires_grad_();
            return [.. Gradients.Of(inner.Apply(leaf), [leaf], [gradients[0]!])];
        }
    }

    /// <summary>A function whose second derivatives come from a composed form, which fails there.</summary>
    private sealed class ByComposed(Func<AutogradFunction> part) : AutogradFunction
    {
        protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
        {
            context.Save(inputs);
            return [inputs[0]!.square()];
        }

        protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients) =>
            new Gradient(part).Apply([context.Saved()[0], gradients[0]]);

        private sealed class Gradient(Func<AutogradFunction> part) : AutogradFunction
        {
            protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
            {
                context.Save(inputs);
                return [inputs[0]! * inputs[1]! * 2];
            }

            protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
            {
                Tensor?[] saved = context.Saved();
                return ComposedDerivatives.OfBackward(x => [part().Apply(x)[0].square()], saved.AsSpan(0, 1), saved.AsSpan(1), gradients);
            }
        }
    }
}
