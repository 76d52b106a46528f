using System.Numerics;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>
/// One head of one molecule: queries a lane each; the backward pass goes once over query tiles (dq) and once over key tiles (dk, dv).
/// </summary>
internal sealed unsafe class FewHeadsTask<TLanes, T> : IAttentionTask<T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int TasksPerMolecule(int heads) => heads;

    public static void Forward(AttentionShape shape, int task, T* qkv, T* output, T* logSum)
    {
        int lanes = TLanes.Count, d = shape.HeadWidth, width = shape.Width;
        (int first, int length, int head) = Locate(shape, task);
        long stride = 3L * width;
        T* q = qkv + first * stride + head * d, k = q + width, v = k + width;
        T* o = output + (long)first * width + head * d;
        T* lse = logSum + (long)head * shape.Rows.Tokens + first;
        T scale = T.CreateChecked(shape.Scale);

        T* queries = (T*)Scratch.Rent((nuint)((2 * d + length + 1) * lanes * sizeof(T)));
        T* sums = queries + d * lanes;
        T* weights = sums + d * lanes;
        T* row = weights + length * lanes;

        for (int i0 = 0; i0 < length; i0 += lanes)
        {
            int count = Math.Min(lanes, length - i0);
            int low = shape.Window > 0 ? Math.Max(0, i0 - shape.Window + 1) : 0, seen = i0 + count - low;
            RowProducts<TLanes, T>.Transpose(q + i0 * stride, stride, count, d, scale, queries);
            RowProducts<TLanes, T>.Dot(queries, k + low * stride, stride, seen, d, weights);

            TLanes hidden = TLanes.All(T.NegativeInfinity), greatest = hidden;
            for (int r = 0; r < seen; r++)
            {
                TLanes s = MaskKey(shape.Window, low + r - i0, TLanes.Load(weights + r * lanes), hidden);
                TLanes.Store(weights + r * lanes, s);
                greatest = TLanes.Max(greatest, s);
            }
            TLanes total = TLanes.Zero;
            for (int r = 0; r < seen; r++)
            {
                TLanes e = TLanes.Exp(TLanes.Subtract(TLanes.Load(weights + r * lanes), greatest));
                TLanes.Store(weights + r * lanes, e);
                total = TLanes.Add(total, e);
            }
            RowProducts<TLanes, T>.WeightedSum(weights, v + low * stride, stride, seen, d, sums);
            for (int c = 0; c < d; c++) TLanes.Store(sums + c * lanes, TLanes.Divide(TLanes.Load(sums + c * lanes), total));
            RowProducts<TLanes, T>.Untranspose(sums, count, d, T.One, o + (long)i0 * width, width);
            TLanes.Store(row, TLanes.Add(greatest, TLanes.Log(total)));
            for (int lane = 0; lane < count; lane++) lse[i0 + lane] = row[lane];
        }
    }

    public static void Backward(AttentionShape shape, int task, T* qkv, T* output, T* logSum, T* outputGradient, T* gradient)
    {
        int lanes = TLanes.Count, d = shape.HeadWidth, width = shape.Width;
        (int first, int length, int head) = Locate(shape, task);
        long stride = 3L * width;
        T* q = qkv + first * stride + head * d, k = q + width, v = k + width;
        T* dq = gradient + first * stride + head * d, dk = dq + width, dv = dk + width;
        T* o = output + (long)first * width + head * d, go = outputGradient + (long)first * width + head * d;
        T* lse = logSum + (long)head * shape.Rows.Tokens + first;
        T scale = T.CreateChecked(shape.Scale);

        T* a = (T*)Scratch.Rent((nuint)((3 * d * lanes + 2 * length * lanes + length + lanes) * sizeof(T)));
        T* b = a + d * lanes;
        T* result = b + d * lanes;
        T* p = result + d * lanes;
        T* ds = p + length * lanes;
        T* delta = ds + length * lanes; // sum_c go_ic o_ic = sum_j p_ij dp_ij
        for (int i = 0; i < length; i++)
        {
            T sum = T.Zero;
            for (int c = 0; c < d; c++) sum += go[(long)i * width + c] * o[(long)i * width + c];
            delta[i] = sum;
        }
        for (int i = length; i < length + lanes; i++) delta[i] = T.Zero;

        for (int i0 = 0; i0 < length; i0 += lanes)
        {
            int count = Math.Min(lanes, length - i0);
            int low = shape.Window > 0 ? Math.Max(0, i0 - shape.Window + 1) : 0, seen = i0 + count - low;
            RowProducts<TLanes, T>.Transpose(q + i0 * stride, stride, count, d, scale, a);
            RowProducts<TLanes, T>.Transpose(go + (long)i0 * width, width, count, d, T.One, b);
            RowProducts<TLanes, T>.Dot(a, k + low * stride, stride, seen, d, p);
            RowProducts<TLanes, T>.Dot(b, v + low * stride, stride, seen, d, ds);
            for (int lane = 0; lane < lanes; lane++) result[lane] = lane < count ? lse[i0 + lane] : T.Zero;
            TLanes logSums = TLanes.Load(result), deltas = TLanes.Load(delta + i0);
            for (int r = 0; r < seen; r++)
            {
                TLanes weight = TLanes.Exp(TLanes.Subtract(TLanes.Load(p + r * lanes), logSums));
                weight = MaskKey(shape.Window, low + r - i0, weight, TLanes.Zero);
                TLanes.Store(ds + r * lanes, TLanes.Multiply(weight, TLanes.Subtract(TLanes.Load(ds + r * lanes), deltas)));
            }
            RowProducts<TLanes, T>.WeightedSum(ds, k + low * stride, stride, seen, d, result);
            RowProducts<TLanes, T>.Untranspose(result, count, d, scale, dq + i0 * stride, stride);
        }

        for (int j0 = 0; j0 < length; j0 += lanes)
        {
            int count = Math.Min(lanes, length - j0);
            int end = shape.Window > 0 ? Math.Min(length, j0 + count - 1 + shape.Window) : length, seen = end - j0;
            RowProducts<TLanes, T>.Transpose(k + j0 * stride, stride, count, d, scale, a);
            RowProducts<TLanes, T>.Transpose(v + j0 * stride, stride, count, d, T.One, b);
            RowProducts<TLanes, T>.Dot(a, q + j0 * stride, stride, seen, d, p);
            RowProducts<TLanes, T>.Dot(b, go + (long)j0 * width, width, seen, d, ds);
            for (int r = 0; r < seen; r++)
            {
                TLanes weight = TLanes.Exp(TLanes.Subtract(TLanes.Load(p + r * lanes), TLanes.All(lse[j0 + r])));
                // Key j0 + lane is seen by query j0 + r where lane <= r and lane > r - window.
                if (r < lanes - 1 || shape.Window > 0)
                    weight = TLanes.SelectRange(shape.Window > 0 ? r - shape.Window + 1 : 0, r + 1, weight, TLanes.Zero);
                TLanes.Store(p + r * lanes, weight);
                TLanes.Store(ds + r * lanes, TLanes.Multiply(weight, TLanes.Subtract(TLanes.Load(ds + r * lanes), TLanes.All(delta[j0 + r]))));
            }
            RowProducts<TLanes, T>.WeightedSum(ds, q + j0 * stride, stride, seen, d, result);
            RowProducts<TLanes, T>.Untranspose(result, count, d, scale, dk + j0 * stride, stride);
            RowProducts<TLanes, T>.WeightedSum(p, go + (long)j0 * width, width, seen, d, result);
            RowProducts<TLanes, T>.Untranspose(result, count, d, T.One, dv + j0 * stride, stride);
        }
    }

    /// <summary>Keeps the lanes (queries) that see a key <paramref name="ahead"/> tokens after lane 0's query.</summary>
    private static TLanes MaskKey(int window, int ahead, TLanes value, TLanes other)
    {
        int high = window > 0 ? ahead + window : TLanes.Count;
        return ahead <= 0 && high >= TLanes.Count ? value : TLanes.SelectRange(ahead, high, value, other);
    }

    private static (int First, int Length, int Head) Locate(AttentionShape shape, int task)
    {
        (int molecule, int head) = Math.DivRem(task, shape.Heads);
        int first = shape.Rows.Starts[molecule];
        return (first, shape.Rows.Starts[molecule + 1] - first, head);
    }
}
