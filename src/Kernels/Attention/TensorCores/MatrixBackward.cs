using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// <see cref="AttentionBackwardQueries"/> by matrix products of bfloat16: warps and loops of <see cref="MatrixForward"/>. The rows of qkv
/// and the output's gradient are rounded, and so is ds.
/// </summary>
internal static class MatrixBackwardQueries
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of 16 rows</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="output">(T, h) as packs</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="outputGradient">(T, h) as packs, g</param>
    /// <param name="gradient">(T, 3 h) as packs: its first third is written</param>
    /// <param name="delta">(T, heads) D, written</param>
    public static void Run<TUnit, THead, TSum>(
        ArrayView<Pack4<float>> qkv, ArrayView<int> tiles, int heads, int window, float scale, ArrayView<Pack4<float>> output,
        ArrayView<float> greatest, ArrayView<float> inverse, ArrayView<Pack4<float>> outputGradient, ArrayView<Pack4<float>> gradient,
        [Written] ArrayView<float> delta)
        where TUnit : struct, IMatrixUnit
        where THead : unmanaged, IFragments<THead>
        where TSum : unmanaged, IAccumulators<TSum>
    {
        MatrixPlace place = MatrixPlace.Find(tiles, heads);
        if (!place.Active) return;
        ArrayView<Pack2<float>> pairs = qkv.Cast<Pack2<float>>();
        int part = heads * FragmentLayout.BlockPacks * THead.Blocks, row = 3 * part;
        int column = place.Head * FragmentLayout.BlockPacks * THead.Blocks, own = column + place.Lane;
        int lowRow = place.FirstRow + place.TileRow, highRow = lowRow + 8, last = place.LastRow;
        int low = AttentionPlace.Min(lowRow, last), high = AttentionPlace.Min(highRow, last);
        int lowStatistic = low * heads + place.Head, highStatistic = high * heads + place.Head;
        THead q = THead.Load<TUnit>(qkv, low * row + own, high * row + own);
        THead g = THead.Load<TUnit>(outputGradient, low * part + own, high * part + own);
        // Of the rounded gradient, so that it is the mean of the products that follow.
        Pack2<float> dot = THead.Dot(g, output, low * part + own, high * part + own);
        float lowMean = FourLanes.Sum(dot.X), highMean = FourLanes.Sum(dot.Y);
        float lowTop = greatest[lowStatistic], highTop = greatest[highStatistic];
        float lowFactor = inverse[lowStatistic], highFactor = inverse[highStatistic];
        TSum sum = TSum.Zero;

        int begin = AttentionPlace.Max(place.Begin, place.FirstRow - window + 1);
        for (int first = begin; first <= last; first += FragmentLayout.Size)
        {
            int lowKey = AttentionPlace.Min(first + place.TileRow, last), highKey = AttentionPlace.Min(first + place.TileRow + 8, last);
            int k = part + own, v = k + part;
            Accumulator s = THead.Product<TUnit>(Accumulator.Zero, q, qkv, lowKey * row + k, highKey * row + k);
            Accumulator d = THead.Product<TUnit>(Accumulator.Zero, g, qkv, lowKey * row + v, highKey * row + v);
            int key = first + place.Column;
            d.Low0 = Slope<TUnit>(scale * s.Low0 - lowTop, lowFactor, d.Low0 - lowMean, lowRow, key, window);
            d.Low1 = Slope<TUnit>(scale * s.Low1 - lowTop, lowFactor, d.Low1 - lowMean, lowRow, key + 1, window);
            d.Low8 = Slope<TUnit>(scale * s.Low8 - lowTop, lowFactor, d.Low8 - lowMean, lowRow, key + 8, window);
            d.Low9 = Slope<TUnit>(scale * s.Low9 - lowTop, lowFactor, d.Low9 - lowMean, lowRow, key + 9, window);
            d.High0 = Slope<TUnit>(scale * s.High0 - highTop, highFactor, d.High0 - highMean, highRow, key, window);
            d.High1 = Slope<TUnit>(scale * s.High1 - highTop, highFactor, d.High1 - highMean, highRow, key + 1, window);
            d.High8 = Slope<TUnit>(scale * s.High8 - highTop, highFactor, d.High8 - highMean, highRow, key + 8, window);
            d.High9 = Slope<TUnit>(scale * s.High9 - highTop, highFactor, d.High9 - highMean, highRow, key + 9, window);
            sum = TSum.Add<TUnit>(sum, Fragment.Of<TUnit>(d), pairs, TransposedRows.Of(place, first, last, 2 * row, 2 * (part + column)));
        }

        bool lowActive = lowRow <= last, highActive = highRow <= last;
        sum = TSum.Scale(sum, scale, scale);
        if (lowActive) TSum.StoreLow(gradient, low * row + own, sum);
        if (highActive) TSum.StoreHigh(gradient, high * row + own, sum);
        if (place.Lane != 0) return;
        if (lowActive) delta[lowStatistic] = lowMean;
        if (highActive) delta[highStatistic] = highMean;
    }

    private static float Slope<TUnit>(float exponent, float factor, float difference, int query, int key, int window)
        where TUnit : struct, IMatrixUnit
    {
        // Computed for hidden keys too: a choice is cheaper than a branch.
        float slope = TUnit.Exp(exponent) * factor * difference;
        return AttentionPlace.Sees(query, key, window) ? slope : 0;
    }
}

/// <summary>
/// <see cref="AttentionBackwardKeys"/> by matrix products of bfloat16: a warp takes 16 keys of one head, and queries pass by, 16 at a
/// time. A row of its products is a key, a column a query. Rounded are the rows of qkv and the output's gradient, p and ds.
/// </summary>
internal static class MatrixBackwardKeys
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of 16 rows</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="delta">(T, heads) D</param>
    /// <param name="outputGradient">(T, h) as packs, g</param>
    /// <param name="gradient">(T, 3 h) as packs: its last two thirds are written</param>
    public static void Run<TUnit, THead, TSum>(
        ArrayView<Pack4<float>> qkv, ArrayView<int> tiles, int heads, int window, float scale, ArrayView<float> greatest,
        ArrayView<float> inverse, ArrayView<float> delta, ArrayView<Pack4<float>> outputGradient, ArrayView<Pack4<float>> gradient)
        where TUnit : struct, IMatrixUnit
        where THead : unmanaged, IFragments<THead>
        where TSum : unmanaged, IAccumulators<TSum>
    {
        MatrixPlace place = MatrixPlace.Find(tiles, heads);
        if (!place.Active) return;
        ArrayView<Pack2<float>> pairs = qkv.Cast<Pack2<float>>();
        ArrayView<Pack2<float>> gradientPairs = outputGradient.Cast<Pack2<float>>();
        int part = heads * FragmentLayout.BlockPacks * THead.Blocks, row = 3 * part;
        int column = place.Head * FragmentLayout.BlockPacks * THead.Blocks, own = column + place.Lane;
        int lowRow = place.FirstRow + place.TileRow, highRow = lowRow + 8;
        int low = AttentionPlace.Min(lowRow, place.LastRow), high = AttentionPlace.Min(highRow, place.LastRow);
        THead k = THead.Load<TUnit>(qkv, low * row + part + own, high * row + part + own);
        THead v = THead.Load<TUnit>(qkv, low * row + 2 * part + own, high * row + 2 * part + own);
        TSum dk = TSum.Zero, dv = TSum.Zero;

        // Queries that the molecule does not have stand for its last, and weigh nothing.
        int last = AttentionPlace.Min(place.End, place.LastRow + window) - 1;
        for (int first = place.FirstRow; first <= last; first += FragmentLayout.Size)
        {
            int lowQuery = AttentionPlace.Min(first + place.TileRow, last), highQuery = AttentionPlace.Min(first + place.TileRow + 8, last);
            Accumulator s = THead.Product<TUnit>(Accumulator.Zero, k, qkv, lowQuery * row + own, highQuery * row + own);
            Accumulator d = THead.Product<TUnit>(Accumulator.Zero, v, outputGradient, lowQuery * part + own, highQuery * part + own);
            int query = first + place.Column;
            QueryColumn q0 = QueryColumn.Of(query, last, heads, place.Head, greatest, inverse, delta);
            QueryColumn q1 = QueryColumn.Of(query + 1, last, heads, place.Head, greatest, inverse, delta);
            QueryColumn q8 = QueryColumn.Of(query + 8, last, heads, place.Head, greatest, inverse, delta);
            QueryColumn q9 = QueryColumn.Of(query + 9, last, heads, place.Head, greatest, inverse, delta);
            s.Low0 = q0.Weight<TUnit>(scale * s.Low0, lowRow, window);
            s.Low1 = q1.Weight<TUnit>(scale * s.Low1, lowRow, window);
            s.Low8 = q8.Weight<TUnit>(scale * s.Low8, lowRow, window);
            s.Low9 = q9.Weight<TUnit>(scale * s.Low9, lowRow, window);
            s.High0 = q0.Weight<TUnit>(scale * s.High0, highRow, window);
            s.High1 = q1.Weight<TUnit>(scale * s.High1, highRow, window);
            s.High8 = q8.Weight<TUnit>(scale * s.High8, highRow, window);
            s.High9 = q9.Weight<TUnit>(scale * s.High9, highRow, window);
            d.Low0 = s.Low0 * (d.Low0 - q0.Delta);
            d.Low1 = s.Low1 * (d.Low1 - q1.Delta);
            d.Low8 = s.Low8 * (d.Low8 - q8.Delta);
            d.Low9 = s.Low9 * (d.Low9 - q9.Delta);
            d.High0 = s.High0 * (d.High0 - q0.Delta);
            d.High1 = s.High1 * (d.High1 - q1.Delta);
            d.High8 = s.High8 * (d.High8 - q8.Delta);
            d.High9 = s.High9 * (d.High9 - q9.Delta);
            dv = TSum.Add<TUnit>(dv, Fragment.Of<TUnit>(s), gradientPairs, TransposedRows.Of(place, first, last, 2 * part, 2 * column));
            dk = TSum.Add<TUnit>(dk, Fragment.Of<TUnit>(d), pairs, TransposedRows.Of(place, first, last, 2 * row, 2 * column));
        }

        dk = TSum.Scale(dk, scale, scale);
        int dkColumn = part + own, dvColumn = dkColumn + part;
        if (lowRow <= place.LastRow)
        {
            TSum.StoreLow(gradient, low * row + dkColumn, dk);
            TSum.StoreLow(gradient, low * row + dvColumn, dv);
        }
        if (highRow > place.LastRow) return;
        TSum.StoreHigh(gradient, high * row + dkColumn, dk);
        TSum.StoreHigh(gradient, high * row + dvColumn, dv);
    }
}
