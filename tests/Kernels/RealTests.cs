using System.Numerics;
using ChemScale.Kernels.Maths;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

/// <summary>The kernels' own functions against the library's, over their whole range.</summary>
public class RealTests
{
    [Test]
    public void Sine_and_cosine_are_within_a_unit_of_one()
    {
        foreach (double x in Points(-10_000, 10_000))
        {
            SinCos<double> wide = F64.SinCos(x);
            Expect.Close(wide.Sin, Math.Sin(x), absolute: 2.3e-16);
            Expect.Close(wide.Cos, Math.Cos(x), absolute: 2.3e-16);
            float y = (float)x;
            SinCos<float> narrow = F32.SinCos(y);
            Expect.Close(narrow.Sin, Math.Sin(y), absolute: 1.2e-7);
            Expect.Close(narrow.Cos, Math.Cos(y), absolute: 1.2e-7);
        }
    }

    [Test]
    public void The_cosine_of_pi_is_minus_one()
    {
        Assert.That(F64.SinCos(Math.PI).Cos, Is.EqualTo(-1));
        Assert.That(F32.SinCos(MathF.PI).Cos, Is.EqualTo(-1f));
    }

    [Test]
    public void Exponentials_are_within_two_units_in_the_last_place()
    {
        foreach (double x in Points(-700, 700)) Close(F64.Exp(x), Math.Exp(x), 2);
        foreach (double x in Points(-87, 88)) Close(F32.Exp((float)x), (float)Math.Exp((float)x), 2);
    }

    [Test]
    public void Exponentials_end_in_zero_and_infinity()
    {
        Assert.That(F32.Exp(-1000), Is.Zero);
        Assert.That(F32.Exp(1000), Is.EqualTo(float.PositiveInfinity));
        Assert.That(F32.Exp(float.NaN), Is.NaN);
        Assert.That(F32.Exp(0), Is.EqualTo(1));
        Expect.Close(F32.Exp(-95), Math.Exp(-95), absolute: 1.5e-45);
        Assert.That(F64.Exp(-1e9), Is.Zero);
        Assert.That(F64.Exp(1e9), Is.EqualTo(double.PositiveInfinity));
        Assert.That(F64.Exp(double.NaN), Is.NaN);
        Assert.That(F64.Exp(0), Is.EqualTo(1));
    }

    [Test]
    public void The_magnitude_below_zero_has_the_same_bits_but_the_sign()
    {
        foreach (double x in Points(-100, 100).Concat([0, -0.0, 1e-310, double.MaxValue, double.NegativeInfinity]))
        {
            Assert.That(BitConverter.DoubleToInt64Bits(F64.MinusMagnitude(x)), Is.EqualTo(BitConverter.DoubleToInt64Bits(-Math.Abs(x))));
            Assert.That(BitConverter.SingleToInt32Bits(F32.MinusMagnitude((float)x)), Is.EqualTo(BitConverter.SingleToInt32Bits(-MathF.Abs((float)x))));
        }
        Assert.That(F32.MinusMagnitude(float.NaN), Is.NaN);
        Assert.That(F64.MinusMagnitude(double.NaN), Is.NaN);
    }

    [Test]
    public void Logarithms_of_one_plus_are_within_a_few_units_in_the_last_place()
    {
        foreach (double x in Points(0, 1).Append(0).Append(1e-9))
        {
            Close(F64.Log1p(x), Log1p(x), 4);
            Close(F32.Log1p((float)x), (float)Log1p((float)x), 2);
        }
    }

    [Test]
    public void Logarithms_from_one_on_are_within_a_few_units_in_the_last_place()
    {
        foreach (double x in Points(1, 4).Concat(Points(1, 5_000)).Append(1).Append(2).Append(1e30))
        {
            Close(F64.Log(x), Math.Log(x), 4);
            Close(F32.Log((float)x), (float)Math.Log((float)x), 2);
        }
        Assert.That(F32.Log(float.NaN), Is.NaN);
        Assert.That(F64.Log(double.NaN), Is.NaN);
        Assert.That(F32.Log(float.PositiveInfinity), Is.EqualTo(float.PositiveInfinity));
        Assert.That(F64.Log(double.PositiveInfinity), Is.EqualTo(double.PositiveInfinity));
    }

    // x minus the rounding of 1 + x, restored: exact to a few units.
    private static double Log1p(double x)
    {
        double u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }

    private static IEnumerable<double> Points(double from, double to)
    {
        var random = new Random(1);
        for (int i = 0; i < 20_000; i++) yield return from + (to - from) * random.NextDouble();
    }

    private static void Close<T>(T actual, T expected, int units)
        where T : IFloatingPointIeee754<T>
    {
        T unit = T.BitIncrement(T.Abs(expected)) - T.Abs(expected);
        Assert.That(T.Abs(actual - expected) <= T.CreateChecked(units) * unit, $"{actual} is not {expected}");
    }
}
