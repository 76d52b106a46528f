using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Operators.Lanes;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>
/// A group of heads of one molecule, a lane each: nothing of the causal triangle is computed in vain, and one pass yields all three
/// gradients. Best from about as many heads as lanes; <see cref="FewHeadsTask{TLanes,T}"/> otherwise.
/// </summary>
internal sealed unsafe class ManyHeadsTask<TLanes, T> : IAttentionTask<T>
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int TasksPerMolecule(int heads) => (heads + TLanes.Count - 1) / TLanes.Count;

    public static void Forward(AttentionShape shape, int task, T* qkv, T* output, T* logSum)
    {
        Group group = Locate(shape, task);
        int lanes = TLanes.Count, d = shape.HeadWidth, width = shape.Width, block = d * lanes, length = group.Length;
        T* k = (T*)Scratch.Rent((nuint)((2 * length * block + 2 * block + (length + 1) * lanes) * sizeof(T)));
        T* v = k + length * block;
        T* query = v + length * block;
        T* sum = query + block;
        T* weights = sum + block;
        T* row = weights + length * lanes;
        T scale = T.CreateChecked(shape.Scale);

        for (int i = 0; i < length; i++)
        {
            T* token = qkv + (group.First + i) * 3L * width + group.Head * d;
            LaneProducts<TLanes, T>.Gather(token, group.Heads, d, scale, query);
            LaneProducts<TLanes, T>.Gather(token + width, group.Heads, d, T.One, k + i * block);
            LaneProducts<TLanes, T>.Gather(token + 2 * width, group.Heads, d, T.One, v + i * block);
            int low = shape.Window > 0 ? Math.Max(0, i + 1 - shape.Window) : 0, seen = i + 1 - low;
            TLanes greatest = LaneProducts<TLanes, T>.Dot(query, k + low * block, block, seen, d, weights), total = TLanes.Zero;
            for (int j = 0; j < seen; j++)
            {
                TLanes e = TLanes.Exp(TLanes.Subtract(TLanes.Load(weights + j * lanes), greatest));
                TLanes.Store(weights + j * lanes, e);
                total = TLanes.Add(total, e);
            }
            LaneProducts<TLanes, T>.WeightedSum(weights, v + low * block, block, seen, d, sum);
            TLanes reciprocal = TLanes.Divide(TLanes.All(T.One), total);
            for (int c = 0; c < block; c += lanes) TLanes.Store(sum + c, TLanes.Multiply(TLanes.Load(sum + c), reciprocal));
            LaneProducts<TLanes, T>.Scatter(sum, group.Heads, d, T.One, output + (long)(group.First + i) * width + group.Head * d);
            TLanes.Store(row, TLanes.Add(greatest, TLanes.Log(total)));
            T* target = logSum + (long)group.Head * shape.Rows.Tokens + group.First + i;
            for (int lane = 0; lane < group.Heads; lane++) target[(long)lane * shape.Rows.Tokens] = row[lane];
        }
    }

    public static void Backward(AttentionShape shape, int task, T* qkv, T* output, T* logSum, T* outputGradient, T* gradient)
    {
        Group group = Locate(shape, task);
        int lanes = TLanes.Count, d = shape.HeadWidth, width = shape.Width, block = d * lanes, length = group.Length;
        T* k = (T*)Scratch.Rent((nuint)((4 * length * block + 4 * block + (2 * length + 1) * lanes) * sizeof(T)));
        T* v = k + length * block;
        T* dk = v + length * block;
        T* dv = dk + length * block;
        T* query = dv + length * block;
        T* up = query + block;
        T* o = up + block;
        T* dq = o + block;
        T* p = dq + block;
        T* ds = p + length * lanes;
        T* row = ds + length * lanes;
        T scale = T.CreateChecked(shape.Scale);
        NativeMemory.Clear(dk, (nuint)(2 * length * block * sizeof(T)));

        for (int i = 0; i < length; i++)
        {
            T* token = qkv + (group.First + i) * 3L * width + group.Head * d;
            long outputRow = (long)(group.First + i) * width + group.Head * d;
            LaneProducts<TLanes, T>.Gather(token, group.Heads, d, scale, query);
            LaneProducts<TLanes, T>.Gather(token + width, group.Heads, d, T.One, k + i * block);
            LaneProducts<TLanes, T>.Gather(token + 2 * width, group.Heads, d, T.One, v + i * block);
            LaneProducts<TLanes, T>.Gather(outputGradient + outputRow, group.Heads, d, T.One, up);
            LaneProducts<TLanes, T>.Gather(output + outputRow, group.Heads, d, T.One, o);
            T* saved = logSum + (long)group.Head * shape.Rows.Tokens + group.First + i;
            for (int lane = 0; lane < lanes; lane++) row[lane] = lane < group.Heads ? saved[(long)lane * shape.Rows.Tokens] : T.Zero;
            TLanes logSums = TLanes.Load(row), delta = TLanes.Zero; // delta_i = sum_c go_ic o_ic = sum_j p_ij dp_ij
            for (int c = 0; c < block; c += lanes) delta = TLanes.Fma(TLanes.Load(up + c), TLanes.Load(o + c), delta);

            int low = shape.Window > 0 ? Math.Max(0, i + 1 - shape.Window) : 0, seen = i + 1 - low;
            LaneProducts<TLanes, T>.Dot(query, k + low * block, block, seen, d, p);
            LaneProducts<TLanes, T>.Dot(up, v + low * block, block, seen, d, ds);
            for (int j = 0; j < seen * lanes; j += lanes)
            {
                TLanes weight = TLanes.Exp(TLanes.Subtract(TLanes.Load(p + j), logSums));
                TLanes.Store(p + j, weight);
                TLanes.Store(ds + j, TLanes.Multiply(weight, TLanes.Subtract(TLanes.Load(ds + j), delta)));
            }
            LaneProducts<TLanes, T>.WeightedSum(ds, k + low * block, block, seen, d, dq);
            LaneProducts<TLanes, T>.AddOuter(ds, query, dk + low * block, block, seen, d); // the query holds the scale already
            LaneProducts<TLanes, T>.AddOuter(p, up, dv + low * block, block, seen, d);
            LaneProducts<TLanes, T>.Scatter(dq, group.Heads, d, scale, gradient + (group.First + i) * 3L * width + group.Head * d);
        }
        for (int i = 0; i < length; i++)
        {
            T* token = gradient + (group.First + i) * 3L * width + group.Head * d;
            LaneProducts<TLanes, T>.Scatter(dk + i * block, group.Heads, d, T.One, token + width);
            LaneProducts<TLanes, T>.Scatter(dv + i * block, group.Heads, d, T.One, token + 2 * width);
        }
    }

    private static Group Locate(AttentionShape shape, int task)
    {
        (int molecule, int part) = Math.DivRem(task, TasksPerMolecule(shape.Heads));
        int first = shape.Rows.Starts[molecule], head = part * TLanes.Count;
        return new Group(first, shape.Rows.Starts[molecule + 1] - first, head, Math.Min(TLanes.Count, shape.Heads - head));
    }

    private readonly record struct Group(int First, int Length, int Head, int Heads);
}
