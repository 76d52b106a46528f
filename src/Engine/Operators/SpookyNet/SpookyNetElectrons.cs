using System.Numerics;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SpookyNet;

/// <summary>
/// What a frame's charge or spin adds to features: each atom's share depends on its element. A frame without any adds nothing, and gives its weights no
/// gradient.
/// </summary>
internal sealed unsafe class ElectronicPasses<TLanes, T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const double SumFloor = 1e-8;

    private readonly int f;
    private readonly T root;

    public ElectronicPasses(SpookyNetSettings settings, SpookyNetLayout layout)
    {
        f = layout.Features;
        root = T.CreateTruncating(1 / Math.Sqrt(settings.Features));
    }

    /// <summary>Adds to features x.</summary>
    public void Values(SpookyElectronic of, T* weights, SpookySizes sizes, ReadOnlySpan<double> amounts, T* elements, in ElectronicMemory<T> to, T* x, T* room)
    {
        int start = 0;
        for (int frame = 0; frame < sizes.Frames.Length; start += sizes.Frames[frame++])
        {
            if (amounts[frame] == 0) continue;
            int n = sizes.Frames[frame];
            long at = (long)start * f;
            T* key = room, value = key + f;
            Rows(of, weights, amounts[frame], key, value);
            Perceptrons<TLanes, T>.Dense(of.Query, weights, n, elements + at, to.Query + at, false);
            T total = T.CreateTruncating(SumFloor);
            for (int i = start; i < start + n; i++)
            {
                to.Scores[i] = SpookyRowsOf<TLanes, T>.Dot(f, to.Query + (long)i * f, key) * root;
                to.Shares[i] = T.CreateTruncating(SpookyNetGeometry.Softplus(double.CreateTruncating(to.Scores[i])).Value);
                total += to.Shares[i];
            }
            for (int i = start; i < start + n; i++)
            {
                to.Shares[i] /= total;
                SpookyRowsOf<TLanes, T>.Scaled(f, to.Shares[i], value, to.Input + (long)i * f, false);
            }
            Perceptrons<TLanes, T>.Values(of.Block, weights, n, to.Input + at, to.Rows.From(at), x + at, room, add: true);
        }
    }

    /// <summary>Gradients of S, to weights and to elements' features.</summary>
    /// <param name="of">Charge or spin.</param>
    /// <param name="weights">Packed.</param>
    /// <param name="sizes">Of the block.</param>
    /// <param name="amounts">(frames)</param>
    /// <param name="elements">(atoms, F)</param>
    /// <param name="kept">As <see cref="Values"/> left it.</param>
    /// <param name="hat">(atoms, F) by x</param>
    /// <param name="byElements">(atoms, F), added to</param>
    /// <param name="share">Gradients by weights, added to.</param>
    /// <param name="rows">(2 atoms, F) room</param>
    /// <param name="room">Of perceptrons, and four rows.</param>
    public void Adjoints(SpookyElectronic of, T* weights, SpookySizes sizes, ReadOnlySpan<double> amounts, T* elements, in ElectronicMemory<T> kept, T* hat, T* byElements,
        T* share, T* rows, T* room)
    {
        int start = 0;
        for (int frame = 0; frame < sizes.Frames.Length; start += sizes.Frames[frame++])
        {
            if (amounts[frame] == 0) continue;
            int n = sizes.Frames[frame];
            long at = (long)start * f;
            T* byInput = rows, byQuery = rows + (long)n * f;
            Perceptrons<TLanes, T>.Adjoints(of.Block, weights, n, kept.Input + at, kept.Rows.From(at), null, default, null, default, hat + at, byInput, share, room, false);
            T* key = room, value = key + f, byKey = value + f, byValue = byKey + f;
            Rows(of, weights, amounts[frame], key, value);
            new Span<T>(byKey, 2 * f).Clear();
            T total = T.CreateTruncating(SumFloor), mean = T.Zero;
            for (int i = start; i < start + n; i++)
            {
                total += T.CreateTruncating(SpookyNetGeometry.Softplus(double.CreateTruncating(kept.Scores[i])).Value);
                mean += kept.Shares[i] * SpookyRowsOf<TLanes, T>.Dot(f, byInput + (long)(i - start) * f, value);
            }
            for (int i = start; i < start + n; i++)
            {
                T* up = byInput + (long)(i - start) * f, query = byQuery + (long)(i - start) * f;
                T byShare = (SpookyRowsOf<TLanes, T>.Dot(f, up, value) - mean) / total;
                T byScore = byShare * T.CreateTruncating(SpookyNetGeometry.Softplus(double.CreateTruncating(kept.Scores[i])).Slope) * root;
                SpookyRowsOf<TLanes, T>.Scaled(f, kept.Shares[i], up, byValue, true);
                SpookyRowsOf<TLanes, T>.Scaled(f, byScore, kept.Query + (long)i * f, byKey, true);
                SpookyRowsOf<TLanes, T>.Scaled(f, byScore, key, query, false);
            }
            Perceptrons<TLanes, T>.Outer(of.Query, n, n, byQuery, elements + at, share);
            Perceptrons<TLanes, T>.Back(of.Query, weights, n, byQuery, byElements + at, add: true);
            for (int sign = 0; sign < of.Signs; sign++)
            {
                double e = Amount(of, amounts[frame], sign), scaled = e / Scale(of, amounts[frame], sign);
                for (int c = 0; c < f; c++)
                {
                    share[of.Key.ByWeight + (long)c * of.Key.Inputs + sign] += byKey[c] * T.CreateTruncating(scaled);
                    share[of.Value.ByWeight + (long)c * of.Value.Inputs + sign] += byValue[c] * T.CreateTruncating(e);
                }
            }
        }
    }

    private static double Amount(SpookyElectronic of, double amount, int sign) => of.Signs == 1 ? Math.Abs(amount) : Math.Max(0, sign == 0 ? amount : -amount);

    private static double Scale(SpookyElectronic of, double amount, int sign) => Math.Max(1, Amount(of, amount, sign));

    /// <summary>Key and value of a frame.</summary>
    private void Rows(SpookyElectronic of, T* weights, double amount, T* key, T* value)
    {
        new Span<T>(key, f).Clear();
        new Span<T>(value, f).Clear();
        for (int sign = 0; sign < of.Signs; sign++)
        {
            double e = Amount(of, amount, sign);
            SpookyRowsOf<TLanes, T>.Scaled(f, T.CreateTruncating(e / Scale(of, amount, sign)), weights + of.Key.Forward + (long)sign * f, key, true);
            SpookyRowsOf<TLanes, T>.Scaled(f, T.CreateTruncating(e), weights + of.Value.Forward + (long)sign * f, value, true);
        }
    }
}
