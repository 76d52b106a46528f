using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using NUnit.Framework;
using NUnit.Framework.Interfaces;
using NUnit.Framework.Internal;
using static TorchSharp.torch;
using Parameter = TorchSharp.Modules.Parameter;

namespace ChemScale.Tests;

/// <summary>The check of all fixtures, on two that are run by hand.</summary>
public sealed class LiveTensorsTests
{
    private static readonly List<Tensor> Kept = [];

    private readonly ConcurrentDictionary<ITest, TensorCount> counts = new();
    private LiveTensorsAttribute check = null!;

    [SetUp]
    public void Make()
    {
        counts.Clear();
        check = new LiveTensorsAttribute(counts);
    }

    [Test]
    public void A_fixture_that_keeps_tensors_is_named_by_the_next_ones_test()
    {
        TestFixture leaking = Fixture(typeof(First)), next = Fixture(typeof(Second));
        Run(leaking, () => Kept.Add(ones(3)));
        Run(leaking, () => Kept.Add(Task.Run(() => ones(4)).Result));
        try
        {
            Assert.That(() => Run(next, () => { }), Throws.TypeOf<AssertionException>().With.Message.Contain("First, which ran before, left 2 tensors alive"));
            Assert.That(() => Run(next, () => { }), Throws.Nothing, "told once");
        }
        finally
        {
            foreach (Tensor tensor in Kept) tensor.Dispose();
            Kept.Clear();
        }
    }

    [Test]
    public void What_is_freed_or_waits_for_its_finalizer_is_no_leak_nor_is_what_others_keep_meanwhile()
    {
        using var made = new Barrier(2);
        Tensor? others = null;
        var beside = new Thread(() =>
        {
            new TensorCount().Enter();
            made.SignalAndWait();
            others = ones(5);
            made.SignalAndWait();
        });
        beside.Start();
        Run(Fixture(typeof(First)), () =>
        {
            made.SignalAndWait();
            made.SignalAndWait();
            using (NewDisposeScope()) Differentiate();
            Abandon();
        });
        beside.Join();
        Assert.That(() => Run(Fixture(typeof(Second)), () => { }), Throws.Nothing);
        others!.Dispose();

        static void Differentiate()
        {
            var weight = new Parameter(ones(3));
            Engine.Operators.Differentiation.Gradients.Backward((weight * 2).sum());
            Assert.That(weight.grad!.sum().item<float>(), Is.EqualTo(6));
            // What nothing depends on has a tensor without a handle for its gradient.
            using Tensor other = ones(2).requires_grad_();
            Assert.That(Engine.Operators.Differentiation.Gradients.Of([weight.sum()], [weight, other], allowUnused: true)[1].IsInvalid);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Abandon()
        {
            for (int i = 0; i < 9; i++) _ = new Parameter(ones(3));
        }
    }

    [Test]
    public void The_check_is_of_this_fixture_too()
    {
        long before = TensorCount.Now;
        using (ones(3)) Assert.That(TensorCount.Now, Is.EqualTo(before + 1));
        Assert.That(TensorCount.Now, Is.EqualTo(before));
    }

    private void Run(TestFixture fixture, Action body)
    {
        ITest test = fixture.Tests[0];
        check.BeforeTest(test);
        body();
        check.AfterTest(test);
    }

    private static TestFixture Fixture(Type type)
    {
        var fixture = new TestFixture(new TypeWrapper(type));
        fixture.Add(new TestMethod(new MethodWrapper(type, nameof(ToString))));
        return fixture;
    }

    private sealed class First;

    private sealed class Second;
}
