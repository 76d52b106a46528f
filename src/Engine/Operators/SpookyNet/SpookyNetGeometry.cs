using System.Numerics;
using ChemScale.Engine.Operators.ForceFields;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Kernels.Maths;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>The pairs of a block: all of them, and those within the local cutoff. Atoms by their places in the block.</summary>
/// <param name="pieces">Room.</param>
/// <param name="pairs">How many.</param>
/// <param name="stride">Of radial rows.</param>
internal unsafe readonly struct PairMemory<T>(ref Pieces<T> pieces, int pairs, int stride)
    where T : unmanaged
{
    private readonly int* integers = (int*)pieces.Take((5L * pairs + 1) * sizeof(int) / sizeof(T) + 1);

    /// <summary>(pairs, 4) unit vector, distance</summary>
    public readonly T* Units = pieces.Take(4L * pairs);

    /// <summary>(near, 8)</summary>
    public readonly T* Harmonics = pieces.Take((long)SpookyPairSizes.Harmonics * pairs);

    /// <summary>(near, 2, K) radial basis with cutoff function and its derivative by distance; of both those by the decay</summary>
    public readonly T* Radial = pieces.Take(2L * stride * pairs), ByDecay = pieces.Take(2L * stride * pairs);

    /// <summary>(near, 2) cutoff function and its derivative</summary>
    public readonly T* Envelope = pieces.Take(2L * pairs);

    /// <summary>Pairs within the local cutoff.</summary>
    public ref int Near => ref integers[5 * pairs];

    /// <summary>(pairs)</summary>
    public int* First => integers;

    public int* Second => integers + pairs;

    /// <summary>(near) place among all pairs</summary>
    public int* Of => integers + 2L * pairs;

    /// <summary>(near)</summary>
    public int* NearFirst => integers + 3L * pairs;

    public int* NearSecond => integers + 4L * pairs;
}

/// <summary>Numbers of a pair.</summary>
internal static class SpookyPairSizes
{
    public const int Harmonics = 8;

    /// <summary>By harmonics and distance: gradients, or their tangents.</summary>
    public const int Sums = Harmonics + 1;
}

/// <summary>Everything of a pair that depends on its vector alone, and the energies of pairs. In float64, whatever the numbers' type.</summary>
internal sealed unsafe class SpookyNetGeometry
{
    private static readonly double Root3 = Math.Sqrt(3);

    private readonly SpookyNetSettings settings;
    private readonly int stride;
    private readonly double[] logBinomials;

    /// <param name="settings">What is no tensor.</param>
    /// <param name="stride">Of radial rows: K, filled up.</param>
    public SpookyNetGeometry(SpookyNetSettings settings, int stride)
    {
        (this.settings, this.stride) = (settings, stride);
        logBinomials = ExponentialBernsteinBasis.LogBinomials(settings.RadialFunctions);
    }

    /// <summary>ln(1 + e^x), and its derivative.</summary>
    public static (double Value, double Slope) Softplus(double x) =>
        (x > 0 ? x + Math.Log(1 + Math.Exp(-x)) : Math.Log(1 + Math.Exp(x)), 1 / (1 + Math.Exp(-x)));

    /// <param name="block">Which frames.</param>
    /// <param name="graph">Of the batch.</param>
    /// <param name="vectors">(pairs, 3) A, of the batch</param>
    /// <param name="decay">1/A</param>
    /// <param name="to">Written.</param>
    public void Fill<T>(in SpookyNetBlock block, SpookyNetGraph graph, T* vectors, double decay, in PairMemory<T> to)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int near = 0;
        for (int f = block.FirstFrame; f < block.FirstFrame + block.Frames; f++)
        {
            int shift = graph.AtomStarts[f] - block.FirstAtom;
            for (int pair = graph.PairStarts[f]; pair < graph.PairStarts[f + 1]; pair++)
            {
                int p = pair - block.FirstPair;
                T* v = vectors + 3L * pair, unit = to.Units + 4L * p;
                double x = double.CreateTruncating(v[0]), y = double.CreateTruncating(v[1]), z = double.CreateTruncating(v[2]);
                double d = Math.Sqrt(x * x + y * y + z * z), inverse = 1 / d;
                (x, y, z) = (x * inverse, y * inverse, z * inverse);
                (unit[0], unit[1], unit[2], unit[3]) = (Of<T>(x), Of<T>(y), Of<T>(z), Of<T>(d));
                (to.First[p], to.Second[p]) = (graph.First[pair] + shift, graph.Second[pair] + shift);
                if (!(d < settings.Cutoff)) continue;
                (to.Of[near], to.NearFirst[near], to.NearSecond[near]) = (p, to.First[p], to.Second[p]);
                T* h = to.Harmonics + (long)SpookyPairSizes.Harmonics * near;
                (h[0], h[1], h[2], h[3]) = (unit[0], unit[1], unit[2], Of<T>(Root3 * x * y));
                (h[4], h[5], h[6], h[7]) = (Of<T>(Root3 * y * z), Of<T>((3 * z * z - 1) / 2), Of<T>(Root3 * x * z), Of<T>(Root3 / 2 * (x * x - y * y)));
                (double value, double slope) = Bump(d);
                (to.Envelope[2 * near], to.Envelope[2 * near + 1]) = (Of<T>(value), Of<T>(slope));
                Bernstein(d, decay, value, slope, to.Radial + 2L * stride * near, to.ByDecay + 2L * stride * near);
                near++;
            }
        }
        to.Near = near;
    }

    /// <summary>Gradients of E by a pair's vector, from those by harmonics and distance.</summary>
    public static void ByVector<T>(T* unit, T* sums, T* byVector)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T x = unit[0], y = unit[1], z = unit[2], inverse = T.One / unit[3], root = Of<T>(Root3), three = Of<T>(3);
        T gx = sums[0] + root * (sums[3] * y + sums[6] * z + sums[7] * x), gy = sums[1] + root * (sums[3] * x + sums[4] * z - sums[7] * y);
        T gz = sums[2] + root * (sums[4] * y + sums[6] * x) + three * sums[5] * z;
        // The direction turns with what of the vector's change is at right angles to it.
        T along = sums[8] - (gx * x + gy * y + gz * z) * inverse;
        (byVector[0], byVector[1], byVector[2]) = (along * x + gx * inverse, along * y + gy * inverse, along * z + gz * inverse);
    }

    /// <summary>Tangents of harmonics (8) and of the distance along a change of the vector.</summary>
    public static void Motion<T>(T* unit, T* along, T* to)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T x = unit[0], y = unit[1], z = unit[2], inverse = T.One / unit[3], far = x * along[0] + y * along[1] + z * along[2], root = Of<T>(Root3);
        T dx = (along[0] - x * far) * inverse, dy = (along[1] - y * far) * inverse, dz = (along[2] - z * far) * inverse;
        (to[0], to[1], to[2], to[3], to[4]) = (dx, dy, dz, root * (dx * y + x * dy), root * (dy * z + y * dz));
        (to[5], to[6], to[7], to[8]) = (Of<T>(3) * z * dz, root * (dx * z + x * dz), root * (x * dx - y * dy), far);
    }

    /// <summary>What the charges of a pair are multiplied with, and its derivative: eV / e^2 for each atom of the pair (<see cref="ShieldedCoulomb"/>).</summary>
    public (double Value, double Slope) Coulomb(double d)
    {
        if (d >= settings.ElectrostaticCutoff) return (0, 0);
        (double on, double off) = settings.Switch;
        double t = (d - on) / (off - on), s = t <= 0 ? 1 : 0, slope = 0;
        if (t is > 0 and < 1)
        {
            double argument = 1 / t - 1 / (1 - t);
            s = argument <= Negligible.Exponent ? 0 : 1 / (1 + Math.Exp(-argument));
            slope = s * (1 - s) * (-1 / (t * t) - 1 / ((1 - t) * (1 - t))) / (off - on);
        }
        double shielded = 1 / Math.Sqrt(d * d + 1), plain = 1 / d, value = s * shielded + (1 - s) * plain;
        slope = slope * (shielded - plain) - s * d * shielded * shielded * shielded - (1 - s) * plain * plain;
        if (double.IsFinite(settings.ElectrostaticCutoff))
        {
            double c = settings.ElectrostaticCutoff;
            (value, slope) = (value + d / (c * c) - 2 / c, slope + 1 / (c * c));
        }
        const double Half = 0.5 * CoulombConstant.ElectronVoltAngstrom;
        return (Half * value, Half * slope);
    }

    /// <summary><see cref="BumpCutoff"/> below the cutoff.</summary>
    private (double Value, double Slope) Bump(double d)
    {
        double c = settings.Cutoff, rest = (c - d) * (c + d), exponent = -d * d / rest;
        if (!(exponent > Negligible.Exponent)) return (0, 0);
        double value = Math.Exp(exponent);
        return (value, -value * 2 * d * c * c / (rest * rest));
    }

    /// <summary><see cref="ExponentialBernsteinBasis"/> with the cutoff function; zero beyond K.</summary>
    private void Bernstein<T>(double d, double decay, double envelope, double slope, T* row, T* byDecay)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double u = decay * d, small = -Expm1(-u), log = Math.Log(small), rate = (1 - small) / small;
        int count = logBinomials.Length;
        for (int v = 0; v < stride; v++)
        {
            double exponent = v < count ? (v - count) * u + v * log + logBinomials[v] : double.NegativeInfinity;
            double b = exponent > Negligible.Exponent ? Math.Exp(exponent) : 0;
            // The product too: weights are multiplied with it.
            if (b * envelope <= Negligible.Value)
            {
                row[v] = row[stride + v] = byDecay[v] = byDecay[stride + v] = T.Zero;
                continue;
            }
            // Of u: b' = b l, b'' = b (l^2 + l').
            double l = v - count + v * rate, first = b * l, second = b * (l * l - v * rate / small);
            row[v] = Of<T>(b * envelope);
            row[stride + v] = Of<T>(decay * first * envelope + b * slope);
            byDecay[v] = Of<T>(d * first * envelope);
            byDecay[stride + v] = Of<T>(first * envelope + d * (decay * second * envelope + first * slope));
        }
    }

    /// <summary>e^x - 1</summary>
    private static double Expm1(double x)
    {
        if (Math.Abs(x) > 0.1) return Math.Exp(x) - 1;
        double sum = 0;
        for (int k = 14; k >= 1; k--) sum = (sum + 1) * x / k;
        return sum;
    }

    private static T Of<T>(double value)
        where T : unmanaged, IFloatingPointIeee754<T> => T.CreateTruncating(value);
}

/// <summary>Repulsion of a pair (<see cref="ZblPair"/>), with derivatives by its ten numbers before softplus.</summary>
internal sealed class ZblPasses
{
    private readonly double[] slopes = new double[10], weights = new double[4], exponents = new double[4];
    private readonly double inverseLength, power, total;

    /// <param name="raw">1 / length, power, four weights, four exponents</param>
    public ZblPasses(ReadOnlySpan<double> raw)
    {
        (inverseLength, slopes[0]) = SpookyNetGeometry.Softplus(raw[0]);
        (power, slopes[1]) = SpookyNetGeometry.Softplus(raw[1]);
        for (int k = 0; k < 4; k++)
        {
            (weights[k], slopes[2 + k]) = SpookyNetGeometry.Softplus(raw[2 + k]);
            (exponents[k], slopes[6 + k]) = SpookyNetGeometry.Softplus(raw[6 + k]);
            total += weights[k];
        }
        for (int k = 0; k < 4; k++) weights[k] /= total;
    }

    /// <returns>eV for each atom of the pair, and its derivative by distance</returns>
    public (double Value, double Slope) At(double d, double envelope, double envelopeSlope, int first, int second)
    {
        (double b, double bSlope, double t) = Factors(d, envelope, envelopeSlope, first, second);
        double value = 0, slope = 0;
        for (int k = 0; k < 4; k++)
        {
            double e = weights[k] * Screening(exponents[k] * t * d);
            value += e;
            slope -= e * exponents[k] * t;
        }
        return (b * value, bSlope * value + b * slope);
    }

    /// <summary>Adds derivatives of g V + h dV/dd by the ten numbers.</summary>
    public void Add(double d, double envelope, double envelopeSlope, int first, int second, double g, double h, Span<double> by)
    {
        (double b, double bSlope, double t) = Factors(d, envelope, envelopeSlope, first, second);
        double p = g * b + h * bSlope, q = h * b * t, byT = 0, mean = 0;
        Span<double> byWeight = stackalloc double[4];
        for (int k = 0; k < 4; k++)
        {
            double a = exponents[k], e = Screening(a * t * d);
            byWeight[k] = e * (p - q * a);
            mean += byWeight[k] * weights[k];
            by[6 + k] -= slopes[6 + k] * weights[k] * e * ((p - q * a) * t * d + q);
            byT -= weights[k] * a * e * ((p - q * a) * d + h * b);
        }
        for (int k = 0; k < 4; k++) by[2 + k] += slopes[2 + k] * (byWeight[k] - mean) / total;
        by[0] += slopes[0] * byT * t / inverseLength;
        by[1] += slopes[1] * byT * inverseLength * (PowerSlope(first) + PowerSlope(second));
    }

    private (double Factor, double Slope, double Rate) Factors(double d, double envelope, double slope, int first, int second)
    {
        double charges = 0.5 * CoulombConstant.ElectronVoltAngstrom * first * second;
        return (charges * envelope / d, charges * (slope / d - envelope / (d * d)), (Math.Pow(first, power) + Math.Pow(second, power)) * inverseLength);
    }

    private double PowerSlope(int number) => number == 0 ? 0 : Math.Pow(number, power) * Math.Log(number);

    private static double Screening(double x) => -x <= Negligible.Exponent ? 0 : Math.Exp(-x);
}
