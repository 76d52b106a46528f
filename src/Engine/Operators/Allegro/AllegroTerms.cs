using System.Numerics;

namespace ChemScale.Engine.Operators.Allegro;

/// <summary>
/// Terms of one representation that a tensor product makes, C_kij of z_k, x_i, y_j, in three orders: by k, by i and by j. z's components are numbered
/// from the representation's first, (2 l + 1, paths).
/// </summary>
internal sealed class AllegroTerms<T>
    where T : unmanaged, INumber<T>
{
    private AllegroTerms(AllegroOutput output, IReadOnlyList<TensorProductEntry> entries, int first)
    {
        Output = output;
        ByOutput = new TermList<T>(entries.Select(e => (e.Output - first, e.Left, e.Right, e.Value)));
        ByLeft = new TermList<T>(entries.Select(e => (e.Left, e.Output - first, e.Right, e.Value)));
        ByRight = new TermList<T>(entries.Select(e => (e.Right, e.Output - first, e.Left, e.Value)));
    }

    public AllegroOutput Output { get; }

    /// <summary>k of i and j</summary>
    public TermList<T> ByOutput { get; }

    /// <summary>i of k and j</summary>
    public TermList<T> ByLeft { get; }

    /// <summary>j of k and i</summary>
    public TermList<T> ByRight { get; }

    public int Most => ByOutput.Values.Length;

    /// <summary>Those of each representation of a product.</summary>
    public static AllegroTerms<T>[] Of(AllegroProduct product)
    {
        var all = new AllegroTerms<T>[product.Outputs.Count];
        for (int o = 0, first = 0; o < all.Length; o++)
        {
            int end = first + product.Outputs[o].Components * product.Outputs[o].Paths, start = first;
            all[o] = new AllegroTerms<T>(product.Outputs[o], [.. product.Entries.Where(e => e.Output >= start && e.Output < end)], start);
            first = end;
        }
        return all;
    }
}

/// <summary>Terms sorted by component of the result; only results that have any.</summary>
internal sealed class TermList<T>
    where T : unmanaged, INumber<T>
{
    public TermList(IEnumerable<(int Result, int First, int Second, double Value)> terms)
    {
        (int Result, int First, int Second, double Value)[] sorted = [.. terms.OrderBy(t => t.Result).ThenBy(t => t.First).ThenBy(t => t.Second)];
        Results = [.. sorted.Select(t => t.Result).Distinct()];
        Starts = [.. Results.Select(r => Array.FindIndex(sorted, t => t.Result == r)), sorted.Length];
        First = [.. sorted.Select(t => t.First)];
        Second = [.. sorted.Select(t => t.Second)];
        Values = [.. sorted.Select(t => T.CreateTruncating(t.Value))];
    }

    public int[] Results { get; }

    public int[] Starts { get; }

    public int[] First { get; }

    public int[] Second { get; }

    public T[] Values { get; }
}
