using ILGPU;

namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>A query as a column of weights: what the forward pass left of it.</summary>
internal struct QueryColumn
{
    private int query;
    private float greatest;
    private float inverse;

    public float Delta;

    /// <param name="query">The query.</param>
    /// <param name="last">Last that there is: those behind are hidden from every key.</param>
    /// <param name="heads">Of the model.</param>
    /// <param name="head">Which.</param>
    /// <param name="greatest">(T, heads) m</param>
    /// <param name="inverse">(T, heads) 1 / l</param>
    /// <param name="delta">(T, heads) D</param>
    public static QueryColumn Of(
        int query, int last, int heads, int head, ArrayView<float> greatest, ArrayView<float> inverse, ArrayView<float> delta)
    {
        int statistic = AttentionPlace.Min(query, last) * heads + head;
        return new QueryColumn
        {
            // No key is behind a negative number.
            query = query <= last ? query : -1,
            greatest = greatest[statistic],
            inverse = inverse[statistic],
            Delta = delta[statistic],
        };
    }

    /// <summary>p of this query and a key, from their score.</summary>
    public readonly float Weight<TUnit>(float score, int key, int window)
        where TUnit : struct, IMatrixUnit
    {
        // Computed for hidden keys too: a choice is cheaper than a branch.
        float weight = TUnit.Exp(score - greatest) * inverse;
        return AttentionPlace.Sees(query, key, window) ? weight : 0;
    }
}
