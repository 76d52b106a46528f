using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>
/// <see cref="AttentionForward"/> by matrix products of bfloat16: a warp takes 16 queries of one head, and keys pass by, 16 at a time.
/// Queries, keys, values and the weights exp(s - m) are rounded; scores, m, l and the output are float32.
/// </summary>
internal static class MatrixForward
{
    /// <param name="qkv">(T, 3 h) as packs</param>
    /// <param name="tiles">(tiles, 3) of 16 rows</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="window">Keys that a query sees at most, its own included.</param>
    /// <param name="scale">Of the scores.</param>
    /// <param name="output">(T, h) as packs, written</param>
    /// <param name="greatest">(T, heads) m, written</param>
    /// <param name="inverse">(T, heads) 1 / l, written</param>
    public static void Run<TUnit, THead, TSum>(
        ArrayView<Pack4<float>> qkv, ArrayView<int> tiles, int heads, int window, float scale, [Written] ArrayView<Pack4<float>> output,
        [Written] ArrayView<float> greatest, [Written] ArrayView<float> inverse)
        where TUnit : struct, IMatrixUnit
        where THead : unmanaged, IFragments<THead>
        where TSum : unmanaged, IAccumulators<TSum>
    {
        MatrixPlace place = MatrixPlace.Find(tiles, heads);
        if (!place.Active) return;
        ArrayView<Pack2<float>> pairs = qkv.Cast<Pack2<float>>();
        int part = heads * FragmentLayout.BlockPacks * THead.Blocks, row = 3 * part;
        int column = place.Head * FragmentLayout.BlockPacks * THead.Blocks, own = column + place.Lane;
        // Rows that the tile does not have stand for its last, and are not stored.
        int lowRow = place.FirstRow + place.TileRow, highRow = lowRow + 8, last = place.LastRow;
        int low = AttentionPlace.Min(lowRow, last), high = AttentionPlace.Min(highRow, last);
        THead q = THead.Load<TUnit>(qkv, low * row + own, high * row + own);
        TSum sum = TSum.Zero;
        // Finite, so that a step of hidden keys alone leaves zeros.
        float lowTop = -3e38f, highTop = -3e38f, lowTotal = 0, highTotal = 0;

        int begin = AttentionPlace.Max(place.Begin, place.FirstRow - window + 1);
        for (int first = begin; first <= last; first += FragmentLayout.Size)
        {
            int lowKey = AttentionPlace.Min(first + place.TileRow, last), highKey = AttentionPlace.Min(first + place.TileRow + 8, last);
            int k = part + own;
            Accumulator s = THead.Product<TUnit>(Accumulator.Zero, q, qkv, lowKey * row + k, highKey * row + k);
            int key = first + place.Column;
            s.Low0 = Score(s.Low0, scale, lowRow, key, window);
            s.Low1 = Score(s.Low1, scale, lowRow, key + 1, window);
            s.Low8 = Score(s.Low8, scale, lowRow, key + 8, window);
            s.Low9 = Score(s.Low9, scale, lowRow, key + 9, window);
            s.High0 = Score(s.High0, scale, highRow, key, window);
            s.High1 = Score(s.High1, scale, highRow, key + 1, window);
            s.High8 = Score(s.High8, scale, highRow, key + 8, window);
            s.High9 = Score(s.High9, scale, highRow, key + 9, window);
            float lowGrown = FourLanes.Max(Max(lowTop, Max(Max(s.Low0, s.Low1), Max(s.Low8, s.Low9))));
            float highGrown = FourLanes.Max(Max(highTop, Max(Max(s.High0, s.High1), Max(s.High8, s.High9))));
            float lowShrink = TUnit.Exp(lowTop - lowGrown), highShrink = TUnit.Exp(highTop - highGrown);
            lowTop = lowGrown;
            highTop = highGrown;
            s.Low0 = TUnit.Exp(s.Low0 - lowTop);
            s.Low1 = TUnit.Exp(s.Low1 - lowTop);
            s.Low8 = TUnit.Exp(s.Low8 - lowTop);
            s.Low9 = TUnit.Exp(s.Low9 - lowTop);
            s.High0 = TUnit.Exp(s.High0 - highTop);
            s.High1 = TUnit.Exp(s.High1 - highTop);
            s.High8 = TUnit.Exp(s.High8 - highTop);
            s.High9 = TUnit.Exp(s.High9 - highTop);
            // Each lane adds up its own columns; the four of a row meet at the end.
            lowTotal = lowTotal * lowShrink + (s.Low0 + s.Low1 + (s.Low8 + s.Low9));
            highTotal = highTotal * highShrink + (s.High0 + s.High1 + (s.High8 + s.High9));
            sum = TSum.Scale(sum, lowShrink, highShrink);
            sum = TSum.Add<TUnit>(sum, Fragment.Of<TUnit>(s), pairs, TransposedRows.Of(place, first, last, 2 * row, 2 * (2 * part + column)));
        }

        float lowFactor = 1 / FourLanes.Sum(lowTotal), highFactor = 1 / FourLanes.Sum(highTotal);
        bool lowActive = lowRow <= last, highActive = highRow <= last;
        sum = TSum.Scale(sum, lowFactor, highFactor);
        if (lowActive) TSum.StoreLow(output, low * part + own, sum);
        if (highActive) TSum.StoreHigh(output, high * part + own, sum);
        if (place.Lane != 0) return;
        int lowStatistic = low * heads + place.Head, highStatistic = high * heads + place.Head;
        if (lowActive) greatest[lowStatistic] = lowTop;
        if (lowActive) inverse[lowStatistic] = lowFactor;
        if (highActive) greatest[highStatistic] = highTop;
        if (highActive) inverse[highStatistic] = highFactor;
    }

    private static float Score(float score, float scale, int query, int key, int window) =>
        AttentionPlace.Sees(query, key, window) ? score * scale : float.NegativeInfinity;

    private static float Max(float a, float b) => a > b ? a : b;
}
