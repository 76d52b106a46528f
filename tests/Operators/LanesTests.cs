using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Operators.Lanes;
using NUnit.Framework;

namespace ChemScale.Tests.Operators;

/// <summary>Functions of vectors against those of the library, number by number.</summary>
public unsafe class LanesTests
{
    [Test]
    public void Powers_of_two_are_those_of_the_library_and_small_ones_zero()
    {
        Powers<SingleLanes8, float>(3e-7);
        Powers<DoubleLanes4, double>(1e-14);
        if (!Vector512.IsHardwareAccelerated) return;
        Powers<SingleLanes16, float>(3e-7);
        Powers<DoubleLanes8, double>(1e-14);
    }

    private static void Powers<TLanes, T>(double tolerance)
        where TLanes : unmanaged, ILanes<TLanes, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T* at = stackalloc T[4 * TLanes.Count], alone = stackalloc T[TLanes.Count];
        for (double start = -130; start < 100; start += 4 * TLanes.Count * 0.0173)
        {
            for (int i = 0; i < 4 * TLanes.Count; i++) at[i] = T.CreateChecked(start + 0.0173 * i);
            T[] x = [.. new ReadOnlySpan<T>(at, 4 * TLanes.Count)];
            TLanes a = Load(0), b = Load(1), c = Load(2), d = Load(3);
            TLanes.Store(alone, TLanes.Exp2(c));
            TLanes.Exp2(ref a, ref b, ref c, ref d);
            Store(0, a);
            Store(1, b);
            Store(2, c);
            Store(3, d);
            for (int i = 0; i < x.Length; i++)
            {
                double power = double.CreateChecked(x[i]), expected = power < -100 ? 0 : Math.Pow(2, power);
                Expect.Close(double.CreateChecked(at[i]), expected, relative: tolerance, message: $"{typeof(TLanes).Name} 2^{power}");
            }
            for (int i = 0; i < TLanes.Count; i++) Assert.That(alone[i], Is.EqualTo(at[2 * TLanes.Count + i]));
        }

        TLanes Load(int which) => TLanes.Load(at + which * TLanes.Count);
        void Store(int which, TLanes value) => TLanes.Store(at + which * TLanes.Count, value);
    }
}
