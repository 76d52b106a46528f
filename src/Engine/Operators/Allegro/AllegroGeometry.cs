using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Radial;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>What Allegro's edges are at first, with derivatives. In float64, whatever the numbers' type.</summary>
/// <param name="settings">Cutoff and harmonics.</param>
/// <param name="layout">Frequencies, mean and deviation.</param>
internal sealed unsafe class AllegroGeometry(AllegroSettings settings, AllegroLayout layout)
{
    /// <summary>Numbers of <see cref="EdgeGeometry{T}.Scalars"/> of an edge: direction, distance, cutoff function, its derivative.</summary>
    public const int Scalars = 6;

    private readonly double[] frequencies = [.. layout.Frequencies.Select(w => w / settings.Cutoff)];
    private readonly double[] scales = [.. layout.InverseDeviation.Select(s => s * 2 / settings.Cutoff)];
    private readonly double[] shifts = [.. layout.Mean.Zip(layout.InverseDeviation, (m, s) => m * s)];

    /// <summary>K, filled up.</summary>
    public int Radial { get; } = layout.TwoBody.First.Inputs;

    /// <param name="count">Edges.</param>
    /// <param name="vectors">(edges, 3) A</param>
    /// <param name="to">Written.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill<T>(int count, T* vectors, in EdgeGeometry<T> to)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int components = settings.Components;
        int most = (settings.Orders * (settings.Orders + 1)) / 2;
        double* monomials = stackalloc double[8 * most];
        for (int e = 0; e < count; e++)
        {
            double x = double.CreateTruncating(vectors[3 * e]), y = double.CreateTruncating(vectors[3 * e + 1]), z = double.CreateTruncating(vectors[3 * e + 2]);
            double d = Math.Sqrt(x * x + y * y + z * z), inverse = 1 / d;
            Jet<double> f = PolynomialCutoffFunction<double, F64>.At(d, settings.Cutoff, settings.Power);
            (x, y, z) = (x * inverse, y * inverse, z * inverse);
            T* s = to.Scalars + (long)Scalars * e, b = to.Radial + (long)Radial * e, slope = to.RadialSlopes + (long)Radial * e;
            (s[0], s[1], s[2], s[3], s[4], s[5]) = (Of<T>(x), Of<T>(y), Of<T>(z), Of<T>(d), Of<T>(f.Value), Of<T>(f.First));
            for (int k = 0; k < frequencies.Length; k++)
            {
                (double sin, double cos) = Math.SinCos(frequencies[k] * d);
                double value = scales[k] * sin * inverse, inner = value - shifts[k];
                b[k] = Of<T>(inner * f.Value);
                slope[k] = Of<T>((scales[k] * frequencies[k] * cos - value) * inverse * f.Value + inner * f.First);
            }
            for (int k = frequencies.Length; k < Radial; k++) b[k] = slope[k] = T.Zero;
            Harmonics(x, y, z, inverse, monomials, most, to.Harmonics + (long)components * e, to.HarmonicSlopes + 3L * components * e);
        }
    }

    /// <summary>Adds the gradients by frequencies.</summary>
    /// <param name="count">Edges.</param>
    /// <param name="of">Geometry of them.</param>
    /// <param name="dDot">(edges) tangents of distances</param>
    /// <param name="by">(edges, K) gradients by the radial functions</param>
    /// <param name="byDot">(edges, K) gradients by their tangents</param>
    /// <param name="sums">(K)</param>
    public void ByFrequencies<T>(int count, in EdgeGeometry<T> of, T* dDot, T* by, T* byDot, T* sums)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (int k = 0; k < frequencies.Length; k++)
        {
            double sum = 0, scale = scales[k] / settings.Cutoff;
            for (int e = 0; e < count; e++)
            {
                T* s = of.Scalars + (long)Scalars * e;
                double d = double.CreateTruncating(s[3]), f = double.CreateTruncating(s[4]), slope = double.CreateTruncating(s[5]);
                (double sin, double cos) = Math.SinCos(frequencies[k] * d);
                double along = double.CreateTruncating(byDot[(long)Radial * e + k]) * double.CreateTruncating(dDot[e]);
                sum += double.CreateTruncating(by[(long)Radial * e + k]) * cos * f + along * (cos * slope - frequencies[k] * sin * f);
            }
            sums[k] += Of<T>(sum * scale);
        }
    }

    private static T Of<T>(double value)
        where T : unmanaged, IFloatingPointIeee754<T> => T.CreateTruncating(value);

    /// <summary>Of a direction u; by the vector, (grad P(u) - l P(u) u) / d, since an order's polynomial P is homogeneous.</summary>
    private void Harmonics<T>(double x, double y, double z, double inverse, double* monomials, int most, T* values, T* slopes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double* u = stackalloc double[] { x, y, z };
        double* lower = monomials, next = monomials + 4 * most; // each with its three derivatives
        (lower[0], lower[1], lower[2], lower[3]) = (1, 0, 0, 0);
        (values[0], slopes[0], slopes[1], slopes[2]) = (T.One, T.Zero, T.Zero, T.Zero);
        for (int l = 1; l < settings.Orders; l++)
        {
            HarmonicDegree degree = settings.Harmonics[l - 1];
            int count = degree.Lower.Length;
            for (int m = 0; m < count; m++)
            {
                double* from = lower + 4 * degree.Lower[m], to = next + 4 * m;
                int axis = (int)degree.Axis[m];
                for (int i = 0; i < 4; i++) to[i] = from[i] * u[axis];
                to[1 + axis] += from[0];
            }
            double* made = next;
            next = lower;
            lower = made;
            for (int k = 0; k < 2 * l + 1; k++)
            {
                double p = 0, px = 0, py = 0, pz = 0;
                for (int m = 0; m < count; m++)
                {
                    double c = degree.Coefficients[m, k];
                    (p, px, py, pz) = (p + c * lower[4 * m], px + c * lower[4 * m + 1], py + c * lower[4 * m + 2], pz + c * lower[4 * m + 3]);
                }
                int j = l * l + k;
                values[j] = Of<T>(p);
                (slopes[3 * j], slopes[3 * j + 1], slopes[3 * j + 2]) =
                    (Of<T>((px - l * p * x) * inverse), Of<T>((py - l * p * y) * inverse), Of<T>((pz - l * p * z) * inverse));
            }
        }
    }
}

/// <summary>Geometry of a block's edges.</summary>
/// <param name="Scalars">(edges, <see cref="AllegroGeometry.Scalars"/>)</param>
/// <param name="Radial">(edges, K) radial functions, times the cutoff function</param>
/// <param name="RadialSlopes">(edges, K) their derivatives by distance</param>
/// <param name="Harmonics">(edges, (L + 1)^2)</param>
/// <param name="HarmonicSlopes">(edges, (L + 1)^2, 3) their derivatives by the vector</param>
internal readonly unsafe struct EdgeGeometry<T>(T* Scalars, T* Radial, T* RadialSlopes, T* Harmonics, T* HarmonicSlopes)
    where T : unmanaged
{
    public T* Scalars { get; } = Scalars;

    public T* Radial { get; } = Radial;

    public T* RadialSlopes { get; } = RadialSlopes;

    public T* Harmonics { get; } = Harmonics;

    public T* HarmonicSlopes { get; } = HarmonicSlopes;
}
