using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>Norm, scores, loss and gradients on raw memory, in parts and shares as <see cref="StackPasses{TLanes,T}"/> has them.</summary>
internal sealed unsafe class HeadPasses<TLanes, T>(long[] targets, PackedRows rows, double epsilon, double scale) : IHeadPasses
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    // Far below every score, and finite: differences of it are numbers.
    private static readonly T Hidden = T.CreateChecked(-1e30);

    private readonly int[] parts = rows.Parts(BlockParts.Tokens);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor x = inputs[0]!, table = inputs[3]!;
        int h = (int)x.size(-1), v = (int)table.size(0), columns = (v + TLanes.Count - 1) / TLanes.Count * TLanes.Count, count = 0;
        for (int t = 0; t < targets.Length; t++)
        {
            if (targets[t] == CrossEntropy.Ignored) continue;
            if (targets[t] < 0 || targets[t] >= v) throw new ArgumentOutOfRangeException(nameof(targets), targets[t], $"token {t} is to predict what is not of {v} tokens");
            count++;
        }
        Tensor?[] kept = keep ? [empty_like(x), empty_like(inputs[1]!), empty_like(inputs[2]!), empty_like(table)] : [];
        using TensorMemory ofX = new(x), ofWeight = new(inputs[1]), ofBias = new(inputs[2]), ofTable = new(table), ofByX = new(keep ? kept[0] : null);
        using TensorMemory ofByWeight = new(keep ? kept[1] : null), ofByBias = new(keep ? kept[2] : null), ofByTable = new(keep ? kept[3] : null);
        int pieces = parts.Length - 1;
        long size = BlockParts.Rounded((long)v * h) + BlockParts.Rounded(h) * 2;
        int shares = keep ? BlockParts.Shares(pieces, size * sizeof(T)) : pieces;
        using Workspace workspace = Workspace.Rent(Workspace.Size<T>((long)h * columns) + Workspace.Size<double>(pieces) + (keep ? Workspace.Size<T>(shares * size) : 0));
        T* turned = workspace.Take<T>((long)h * columns), sums = keep ? workspace.Take<T>(shares * size) : null;
        double* losses = workspace.Take<double>(pieces);
        T* px = (T*)ofX.Address, pt = (T*)ofTable.Address, byX = (T*)ofByX.Address, weight = (T*)ofWeight.Address, bias = (T*)ofBias.Address;
        Turn(pt, v, h, columns, turned);
        double share1 = 1.0 / count;
        TorchThreads.For(shares, share =>
        {
            int from = (int)((long)pieces * share / shares), to = (int)((long)pieces * (share + 1) / shares);
            T* byTable = sums + share * size, byWeight = byTable + BlockParts.Rounded((long)v * h), byBias = byWeight + BlockParts.Rounded(h);
            if (keep) new Span<T>(byWeight, checked((int)(2 * BlockParts.Rounded(h)))).Clear();
            for (int part = from; part < to; part++)
            {
                int first = rows.Starts[parts[part]], tokens = rows.Starts[parts[part + 1]] - first;
                using Workspace own = Workspace.Rent(3 * Workspace.Size<T>((long)tokens * h) + Workspace.Size<T>((long)tokens * columns) + Workspace.Size<T>(tokens));
                T* y = own.Take<T>((long)tokens * h), normalized = own.Take<T>((long)tokens * h), byY = own.Take<T>((long)tokens * h);
                T* scores = own.Take<T>((long)tokens * columns), reciprocal = own.Take<T>(tokens);
                var norm = new NormWeights<T>(weight, bias, T.CreateChecked(epsilon));
                RowPasses<TLanes, T>.Norm(tokens, h, px + (long)first * h, norm, null, null, normalized, y, null, reciprocal);
                Products<TLanes, T>.Multiply(tokens, columns, h, y, h, turned, columns, scores, columns);
                losses[part] = Losses(tokens, first, v, columns, scores, keep ? T.CreateChecked(share1 * scale) : T.Zero, keep);
                if (!keep) continue;
                Products<TLanes, T>.MultiplyTransposed(v, h, tokens, scores, columns, y, h, byTable, h, add: part > from);
                Products<TLanes, T>.Multiply(tokens, h, v, scores, columns, pt, h, byY, h);
                RowPasses<TLanes, T>.NormBackward(tokens, h, byY, normalized, reciprocal, weight, null, byX + (long)first * h, byWeight, byBias);
            }
        });
        double loss = 0;
        for (int part = 0; part < pieces; part++) loss += losses[part];
        if (keep)
        {
            Gather(sums, (T*)ofByTable.Address, (long)v * h);
            Gather(sums + BlockParts.Rounded((long)v * h), (T*)ofByWeight.Address, h);
            Gather(sums + BlockParts.Rounded((long)v * h) + BlockParts.Rounded(h), (T*)ofByBias.Address, h);
        }
        return ([tensor(loss * share1, dtype: x.dtype)], kept);

        void Gather(T* from, T* to, long numbers) => RowPasses<TLanes, T>.AddShares(from, to, numbers, size, shares);
    }

    /// <summary>(h, columns): the table by columns, scaled, columns beyond its tokens zero.</summary>
    private void Turn(T* table, int v, int h, int columns, T* turned)
    {
        Products<TLanes, T>.Transpose(v, h, table, h, turned, columns);
        T factor = T.CreateChecked(scale);
        for (int c = 0; c < h; c++)
        {
            T* row = turned + (long)c * columns;
            for (int j = v; j < columns; j++) row[j] = T.Zero;
            if (scale == 1) continue;
            for (int j = 0; j < v; j++) row[j] *= factor;
        }
    }

    /// <summary>Scores become gradients by them, times <paramref name="factor"/>, where they are to be kept.</summary>
    /// <returns>The sum of the losses.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double Losses(int tokens, int first, int v, int columns, T* scores, T factor, bool keep)
    {
        const double Log2E = 1.4426950408889634;
        int lanes = TLanes.Count;
        TLanes binary = TLanes.All(T.CreateChecked(Log2E));
        double loss = 0;
        for (int t = 0; t < tokens; t++, scores += columns)
        {
            long target = targets[first + t];
            if (target == CrossEntropy.Ignored)
            {
                if (keep) new Span<T>(scores, columns).Clear();
                continue;
            }
            for (int j = v; j < columns; j++) scores[j] = Hidden;
            TLanes most = TLanes.Load(scores);
            for (int j = lanes; j < columns; j += lanes) most = TLanes.Max(most, TLanes.Load(scores + j));
            T greatest = TLanes.Greatest(most);
            T wanted = scores[target];
            TLanes shift = TLanes.All(greatest), sum = TLanes.Zero;
            int done = 0;
            for (; done + 4 * lanes <= columns; done += 4 * lanes)
            {
                T* at = scores + done;
                TLanes e0 = TLanes.Multiply(TLanes.Subtract(TLanes.Load(at), shift), binary), e1 = TLanes.Multiply(TLanes.Subtract(TLanes.Load(at + lanes), shift), binary);
                TLanes e2 = TLanes.Multiply(TLanes.Subtract(TLanes.Load(at + 2 * lanes), shift), binary);
                TLanes e3 = TLanes.Multiply(TLanes.Subtract(TLanes.Load(at + 3 * lanes), shift), binary);
                TLanes.Exp2(ref e0, ref e1, ref e2, ref e3);
                sum = TLanes.Add(sum, TLanes.Add(TLanes.Add(e0, e1), TLanes.Add(e2, e3)));
                if (!keep) continue;
                TLanes.Store(at, e0);
                TLanes.Store(at + lanes, e1);
                TLanes.Store(at + 2 * lanes, e2);
                TLanes.Store(at + 3 * lanes, e3);
            }
            for (int j = done; j < columns; j += lanes)
            {
                TLanes e = TLanes.Exp2(TLanes.Multiply(TLanes.Subtract(TLanes.Load(scores + j), shift), binary));
                sum = TLanes.Add(sum, e);
                if (keep) TLanes.Store(scores + j, e);
            }
            T total = TLanes.Sum(sum);
            loss += double.CreateChecked(T.Log(total) + (greatest - wanted));
            if (!keep) continue;
            TLanes by = TLanes.All(factor / total);
            for (int j = 0; j < columns; j += lanes) TLanes.Store(scores + j, TLanes.Multiply(TLanes.Load(scores + j), by));
            scores[target] -= factor;
        }
        return loss;
    }
}

/// <summary>The head's pass at one number type and vector width.</summary>
internal interface IHeadPasses
{
    /// <returns>The loss, and the gradients by x, the norm's weight and bias, and the table.</returns>
    (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep);
}
