using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Packing;

/// <summary>
/// Whole molecules laid end to end, no padding: T tokens of B molecules. Attention and positions restart at each molecule.
/// </summary>
internal sealed class PackedBatch
{
    /// <summary>The target of a position that predicts nothing.</summary>
    public const int Ignored = -100;

    private PackedBatch(int[] rowStarts)
    {
        RowStarts = rowStarts;
        TokenIds = new int[rowStarts[^1]];
        Positions = new int[rowStarts[^1]];
        Targets = new int[rowStarts[^1]];
    }

    /// <summary>(T) ids.</summary>
    public int[] TokenIds { get; }

    /// <summary>(T) place within the molecule, from 0.</summary>
    public int[] Positions { get; }

    /// <summary>(B+1) where each molecule starts, and T.</summary>
    public int[] RowStarts { get; }

    /// <summary>(T) the next id of the molecule; <see cref="Ignored"/> at its last token.</summary>
    public int[] Targets { get; }

    /// <summary>B.</summary>
    public int Molecules => RowStarts.Length - 1;

    /// <summary>T.</summary>
    public int Tokens => TokenIds.Length;

    /// <summary>T - B: what the loss is averaged over.</summary>
    public int PredictedTokens => Tokens - Molecules;

    /// <summary>Tokens of the longest molecule.</summary>
    public int Longest { get; private set; }

    /// <summary>Packs the molecules of a store at these indices, in this order.</summary>
    public static PackedBatch Of(TokenSplit documents, ReadOnlySpan<long> indices)
    {
        int[] rowStarts = new int[indices.Length + 1];
        for (int i = 0; i < indices.Length; i++) rowStarts[i + 1] = checked(rowStarts[i] + documents.Length(indices[i]));
        PackedBatch batch = new(rowStarts);
        for (int i = 0; i < indices.Length; i++) batch.Fill(i, documents.Document(indices[i]));
        return batch;
    }

    /// <summary>Packs these molecules, in this order.</summary>
    public static PackedBatch Of(params ReadOnlySpan<ushort[]> molecules)
    {
        int[] rowStarts = new int[molecules.Length + 1];
        for (int i = 0; i < molecules.Length; i++) rowStarts[i + 1] = checked(rowStarts[i] + molecules[i].Length);
        PackedBatch batch = new(rowStarts);
        for (int i = 0; i < molecules.Length; i++) batch.Fill(i, molecules[i]);
        return batch;
    }

    private void Fill(int row, ReadOnlySpan<ushort> ids)
    {
        int start = RowStarts[row];
        for (int i = 0; i < ids.Length; i++)
        {
            TokenIds[start + i] = ids[i];
            Positions[start + i] = i;
            Targets[start + i] = i + 1 < ids.Length ? ids[i + 1] : Ignored;
        }
        Longest = Math.Max(Longest, ids.Length);
    }
}
