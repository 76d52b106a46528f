using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.CrossEntropy;

/// <summary>Rows: -ln softmax(x)[target]. Their mean: sums of runs of rows, then the sum of those, each in a fixed order.</summary>
internal static class CrossEntropyForward
{
    /// <summary>
    /// The lanes of a row read it once, each keeping the largest m of its numbers so far and the sum of e^(x - m), and then agree on one m.
    /// </summary>
    /// <param name="logits">(T, V), V numbers or packs of them</param>
    /// <param name="targets">(T) 0 .. V - 1; <paramref name="ignored"/>: no loss; anything else: NaN</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) largest logit, written</param>
    /// <param name="sums">(T) sum of e^(x - top), written</param>
    /// <param name="losses">(T), written</param>
    public static void Rows<T, TReal, TPack, TLanes>(
        ArrayView<TPack> logits, ArrayView<long> targets, long ignored, [Written] ArrayView<T> tops, [Written] ArrayView<T> sums, [Written] ArrayView<T> losses)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
        where TLanes : struct, ILanes
    {
        int rows = targets.IntLength, width = logits.IntLength / rows;
        int lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        // As many rounds for every thread: lanes without a row still take part in the sums.
        for (int start = 0; start < rows; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), row = own < rows ? own : rows - 1, first = row * width;
            T largest = TPack.Max(logits[first]), sum = T.Zero, lost = T.Zero;
            for (int k = lane; k < width; k += TLanes.Count)
            {
                TPack x = logits[first + k];
                T rise = TPack.Max(x);
                if (rise > largest)
                {
                    T fall = TReal.Exp(largest - rise);
                    sum *= fall;
                    lost *= fall;
                    largest = rise;
                }
                // What rounding takes from one sum goes into the next: a device without warps has one lane for a row.
                T term = TPack.Sum(TPack.Map<Exponential<T, TReal>>(x - TPack.Of(largest))) - lost, next = sum + term;
                lost = next - sum - term;
                sum = next;
            }
            T top = TLanes.Max(largest);
            sum = TLanes.Sum(sum * TReal.Exp(largest - top));
            if (lane == 0 && own < rows)
            {
                long target = targets[row];
                T loss = T.Zero;
                if (target != ignored)
                {
                    bool there = target >= 0 && target < width * TPack.Count;
                    int column = there ? (int)target : 0, pack = column / TPack.Count;
                    T wanted = TPack.At(logits[first + pack], column - pack * TPack.Count);
                    loss = there ? top - wanted + TReal.Log(sum) : T.Zero / T.Zero;
                }
                tops[row] = top;
                sums[row] = sum;
                losses[row] = loss;
            }
        }
    }

    /// <summary>Sums of the losses, and numbers of the rows that count, of each chunk of rows.</summary>
    /// <param name="chunkLength">Rows of a chunk.</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="losses">(T)</param>
    /// <param name="partials">(chunks, 2), written</param>
    public static void Chunks<T, TLanes>(int chunkLength, ArrayView<long> targets, long ignored, ArrayView<T> losses, [Written] ArrayView<T> partials)
        where T : unmanaged, INumber<T>
        where TLanes : struct, ILanes
    {
        int chunks = partials.IntLength / 2, lane = Grid.GlobalIndex.X & (TLanes.Count - 1), perRound = (Grid.DimX * Group.DimX) >> TLanes.Shift;
        for (int start = 0; start < chunks; start += perRound)
        {
            int own = start + (Grid.GlobalIndex.X >> TLanes.Shift), chunk = own < chunks ? own : chunks - 1;
            int from = chunk * chunkLength, end = from + chunkLength;
            end = end < losses.IntLength ? end : losses.IntLength;
            T sum = T.Zero, count = T.Zero;
            for (int row = from + lane; row < end; row += TLanes.Count)
            {
                sum += losses[row];
                count += targets[row] == ignored ? T.Zero : T.One;
            }
            sum = TLanes.Sum(sum);
            count = TLanes.Sum(count);
            if (lane == 0 && own < chunks)
            {
                partials[2 * chunk] = sum;
                partials[2 * chunk + 1] = count;
            }
        }
    }

    /// <summary>The mean from the chunks' sums; NaN where no row counts.</summary>
    /// <param name="partials">(chunks, 2)</param>
    /// <param name="loss">(1), written</param>
    /// <param name="counted">(1) rows that count, written</param>
    public static void Mean<T, TLanes>(ArrayView<T> partials, [Written] ArrayView<T> loss, [Written] ArrayView<T> counted)
        where T : unmanaged, INumber<T>
        where TLanes : struct, ILanes
    {
        T sum = T.Zero, count = T.Zero, lost = T.Zero;
        for (int i = Grid.GlobalIndex.X & (TLanes.Count - 1); i < partials.IntLength / 2; i += TLanes.Count)
        {
            // What rounding takes from one sum goes into the next: a device without warps has one lane for all.
            T term = partials[2 * i] - lost, next = sum + term;
            lost = next - sum - term;
            sum = next;
            count += partials[2 * i + 1];
        }
        sum = TLanes.Sum(sum);
        count = TLanes.Sum(count);
        if (Grid.GlobalIndex.X == 0)
        {
            loss[0] = sum / count;
            counted[0] = count;
        }
    }
}

/// <summary>(softmax(x) - onehot(target)) times gradient / rows that count; 0 in the others. A thread an element, or four.</summary>
internal static class CrossEntropyBackward
{
    /// <param name="gradient">(1) with respect to the mean</param>
    /// <param name="logits">(T, V), V numbers or packs of them</param>
    /// <param name="targets">(T)</param>
    /// <param name="ignored">Target of a row that does not count.</param>
    /// <param name="tops">(T) largest logit</param>
    /// <param name="sums">(T) sum of e^(x - top)</param>
    /// <param name="counted">(1) rows that count</param>
    /// <param name="result">(T, V), written</param>
    public static void Run<T, TReal, TPack>(
        ArrayView<T> gradient, ArrayView<TPack> logits, ArrayView<long> targets, long ignored, ArrayView<T> tops, ArrayView<T> sums,
        ArrayView<T> counted, [Written] ArrayView<TPack> result)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        int width = logits.IntLength / targets.IntLength;
        T factor = gradient[0] / counted[0];
        for (int i = Grid.GlobalIndex.X; i < result.IntLength; i += Grid.DimX * Group.DimX)
        {
            int row = i / width, first = (i - row * width) * TPack.Count;
            long target = targets[row];
            TPack probability = TPack.Map<Exponential<T, TReal>>(logits[i] - TPack.Of(tops[row])) / TPack.Of(sums[row]);
            // A row that does not count is zero whatever its numbers are.
            result[i] = target == ignored ? default : (probability - TPack.Unit(target - first)) * factor;
        }
    }
}
