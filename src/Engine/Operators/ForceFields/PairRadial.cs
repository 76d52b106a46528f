using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Radial;

namespace ChemScale.Engine.Operators.ForceFields;

/// <summary>
/// What filters are made of, with its derivative by the distance: of pair p row 2 p holds phi_1 .. phi_K and one more number, row 2 p + 1 their
/// derivatives. In float64, whatever the numbers' type.
/// </summary>
/// <param name="settings">Basis and cutoff function.</param>
/// <param name="centers">(K)</param>
/// <param name="exponents">(K) of Gaussians; null: Bessel functions</param>
internal sealed unsafe class PairRadial(RadialSettings settings, double[] centers, double[]? exponents)
{
    /// <summary>Numbers of a pair's geometry: direction, 1 / distance, cutoff function, its derivative.</summary>
    public const int Geometry = 6;

    public int Columns => centers.Length + 1;

    /// <summary>Between rows, in numbers: whole cache lines of either type.</summary>
    public int Stride => (Columns + 15) / 16 * 16;

    /// <param name="range">Which pairs.</param>
    /// <param name="vectors">(pairs, 3) A, of the batch</param>
    /// <param name="cut">Whether phi is multiplied by the cutoff function, which is then the last number; else that is 1.</param>
    /// <param name="geometry">(pairs, <see cref="Geometry"/>), of the block, written</param>
    /// <param name="rows">(2 pairs, <see cref="Stride"/>), of the block, written; zero beyond the last number</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Fill<T>(PairRange range, T* vectors, bool cut, T* geometry, T* rows)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        int stride = Stride;
        for (int p = 0; p < range.Count; p++)
        {
            T* v = vectors + 3L * (range.First + p), g = geometry + (long)Geometry * (range.Place + p), row = rows + 2L * stride * (range.Place + p), slope = row + stride;
            double x = double.CreateTruncating(v[0]), y = double.CreateTruncating(v[1]), z = double.CreateTruncating(v[2]);
            double d = Math.Sqrt(x * x + y * y + z * z), inverse = 1 / d;
            Jet<double> f = settings.Power == 0
                ? CosineCutoffFunction<double, F64>.At(d, settings.Cutoff, 0)
                : PolynomialCutoffFunction<double, F64>.At(d, settings.Cutoff, settings.Power);
            (g[0], g[1], g[2], g[3]) = (Of(x * inverse), Of(y * inverse), Of(z * inverse), Of(inverse));
            (g[4], g[5]) = (Of(f.Value), Of(f.First));
            for (int k = 0; k < centers.Length; k++)
            {
                Jet<double> phi = exponents is null ? Bessel<double, F64>.At(d, inverse, centers[k], 0) : Gaussian<double, F64>.At(d, inverse, centers[k], exponents[k]);
                row[k] = Of(cut ? phi.Value * f.Value : phi.Value);
                slope[k] = Of(cut ? phi.First * f.Value + phi.Value * f.First : phi.First);
            }
            row[centers.Length] = cut ? g[4] : T.One;
            slope[centers.Length] = cut ? g[5] : T.Zero;
            for (int k = centers.Length + 1; k < stride; k++) row[k] = slope[k] = T.Zero;
        }

        static T Of(double value) => T.CreateTruncating(value);
    }
}
