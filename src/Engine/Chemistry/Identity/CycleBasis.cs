using System.Numerics;

namespace ChemScale.Engine.Chemistry.Identity;

/// <summary>Independent rings as sets of bonds, by linear algebra over GF(2).</summary>
internal sealed class CycleBasis
{
    private readonly Dictionary<int, int> column = [];
    private readonly List<ulong[]> rows = [];
    private readonly List<int> leading = [];
    private readonly int words;

    public CycleBasis(ReadOnlySpan<int> part)
    {
        foreach (int b in part) column[b] = column.Count;
        words = (part.Length + 63) / 64;
    }

    public int Count => rows.Count;

    public void Add(ReadOnlySpan<int> ring)
    {
        ulong[] row = Reduced(ring, out int lead);
        if (lead < 0) return;
        rows.Add(row);
        leading.Add(lead);
    }

    public bool Spans(ReadOnlySpan<int> ring)
    {
        Reduced(ring, out int lead);
        return lead < 0;
    }

    private ulong[] Reduced(ReadOnlySpan<int> ring, out int lead)
    {
        ulong[] row = new ulong[words];
        foreach (int b in ring) row[column[b] / 64] ^= 1UL << column[b] % 64;
        for (int i = 0; i < rows.Count; i++)
        {
            if ((row[leading[i] / 64] >> leading[i] % 64 & 1) == 0) continue;
            for (int w = 0; w < words; w++) row[w] ^= rows[i][w];
        }
        lead = -1;
        for (int w = 0; w < words && lead < 0; w++)
            if (row[w] != 0) lead = 64 * w + BitOperations.TrailingZeroCount(row[w]);
        return row;
    }
}
