using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using NUnit.Framework;

namespace ChemScale.Tests.Native;

public class FlushToZeroTests
{
    [OneTimeSetUp]
    public void Compile()
    {
        if (!FlushToZero.IsSupported) Assert.Ignore("no GNU C library, or another processor");
        // Before the mode is on: a method that is compiled in it may be wrong.
        Within(Product, float.Epsilon);
        Within(Product, 1);
    }

    [Test]
    public void Subnormal_numbers_are_zero_within_and_themselves_outside()
    {
        Assert.That(Product(float.Epsilon), Is.EqualTo(float.Epsilon));
        Assert.That(Within(Product, float.Epsilon), Is.Zero);
        Assert.That(Product(float.Epsilon), Is.EqualTo(float.Epsilon));
    }

    [Test]
    public void Normal_numbers_are_as_ever() => Assert.That(Within(Product, 0.1f), Is.EqualTo(0.1f));

    [Test]
    public void An_exception_ends_it()
    {
        Assert.That(() => Within(static _ => throw new InvalidOperationException(), 1), Throws.InvalidOperationException);
        Assert.That(Product(float.Epsilon), Is.EqualTo(float.Epsilon));
    }

    [Test]
    public void The_inner_of_two_leaves_the_mode_to_the_outer()
    {
        static float Twice(float x)
        {
            Within(Product, x);
            return Product(x);
        }

        Within(Twice, 1);
        Assert.That(Within(Twice, float.Epsilon), Is.Zero);
        Assert.That(Product(float.Epsilon), Is.EqualTo(float.Epsilon));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float Product(float x) => x * One();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static float One() => 1;

    private static float Within(Func<float, float> body, float x)
    {
        using FlushToZero mode = FlushToZero.Enter();
        return body(x);
    }
}
