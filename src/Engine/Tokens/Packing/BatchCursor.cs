using System.Collections;
using System.Runtime.InteropServices;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Packing;

/// <summary>
/// Batches of whole molecules, epoch after epoch, in an order that the seed alone decides. A batch never spans two epochs: the last one
/// of an epoch may be smaller. Not thread safe.
/// </summary>
internal sealed class BatchCursor
{
    private readonly BatchOptions options;
    private readonly List<long> indices = [];
    private Permutation order;

    /// <param name="documents">The molecules, one epoch of them.</param>
    /// <param name="options">How they are batched.</param>
    /// <param name="state">Where to go on; null: at the start.</param>
    /// <exception cref="InputException">
    /// No molecules; molecules longer than the model's positions or the token budget (they are never cut); a state of other data.
    /// </exception>
    public BatchCursor(TokenSplit documents, BatchOptions options, CursorState? state = null)
    {
        if (options.Size < 1) throw new InputException("batch size", $"{options.Size}", "at least 1");
        if (documents.Documents == 0) throw new InputException("training data", "no molecules", "at least one");
        RefuseLongMolecules(documents, options);
        Documents = documents;
        this.options = options;
        if (state is not null) Check(state);
        Epoch = state?.Epoch ?? 0;
        Position = state?.Position ?? 0;
        order = new Permutation(documents.Documents, options.Seed, Epoch);
    }

    public TokenSplit Documents { get; }

    /// <summary>Epochs completed.</summary>
    public long Epoch { get; private set; }

    /// <summary>Molecules of the present epoch that were handed out; 0 between epochs.</summary>
    public long Position { get; private set; }

    /// <summary>Feed it to the constructor, with the same data and options, to go on exactly here.</summary>
    public CursorState State => new(Epoch, Position, options.Seed, Documents.Documents);

    /// <summary>Batches of one epoch where batches are counted in molecules; null where they are counted in tokens.</summary>
    public long? BatchesPerEpoch =>
        options.Unit == BatchUnit.Molecules ? (Documents.Documents + options.Size - 1) / options.Size : null;

    /// <summary>The next batch. After the last one of an epoch <see cref="Epoch"/> is one more and <see cref="Position"/> 0.</summary>
    public PackedBatch Next()
    {
        indices.Clear();
        long size = 0;
        for (long at = Position; at < Documents.Documents; at++)
        {
            long index = options.Shuffle ? order[at] : at;
            size += options.Unit == BatchUnit.Tokens ? Documents.Length(index) : 1;
            if (size > options.Size) break;
            indices.Add(index);
        }
        PackedBatch batch = PackedBatch.Of(Documents, CollectionsMarshal.AsSpan(indices));
        Position += indices.Count;
        if (Position == Documents.Documents)
        {
            Epoch++;
            Position = 0;
            order = new Permutation(Documents.Documents, options.Seed, Epoch);
        }
        return batch;
    }

    private static void RefuseLongMolecules(TokenSplit documents, BatchOptions options)
    {
        int most = options.Unit == BatchUnit.Tokens ? Math.Min(options.Positions, options.Size) : options.Positions;
        string limit = most < options.Positions ? "the batch's tokens" : "the model's positions";
        long longer = 0;
        int longest = 0;
        for (long i = 0; i < documents.Documents; i++)
        {
            int length = documents.Length(i);
            if (length > most) longer++;
            longest = Math.Max(longest, length);
        }
        if (longer == 0) return;
        throw new InputException(
            "molecule length",
            $"{longer} molecules with more than {most} tokens, the longest with {longest}",
            $"at most {most}, {limit}",
            "prepare the molecules with a lower limit on tokens, or raise it here");
    }

    private void Check(CursorState state)
    {
        if (state.Documents != Documents.Documents) throw Other("molecules", state.Documents, Documents.Documents);
        if (state.Seed != options.Seed) throw Other("seed", state.Seed, options.Seed);
        if (state.Epoch < 0) throw Other("epoch", state.Epoch, 0);
        if (state.Position < 0 || state.Position >= Documents.Documents) throw Other("position", state.Position, 0);

        static InputException Other(string what, long found, long expected) =>
            new(
                "data cursor of the checkpoint",
                $"{what} {found}",
                $"{expected}",
                "resume with the data and options the run was started with");
    }
}

/// <summary>What <see cref="BatchOptions.Size"/> counts.</summary>
public enum BatchUnit
{
    /// <summary>Molecules, as in the paper.</summary>
    Molecules,

    /// <summary>Tokens: as many whole molecules as fit.</summary>
    Tokens,
}

/// <summary>How molecules are put into batches.</summary>
internal sealed record BatchOptions
{
    public BatchUnit Unit { get; init; } = BatchUnit.Molecules;

    /// <summary>Molecules of a batch, or its most tokens.</summary>
    public int Size { get; init; } = 8;

    /// <summary>Decides the order of every epoch.</summary>
    public long Seed { get; init; }

    /// <summary>Another order each epoch; false: the order of the store.</summary>
    public bool Shuffle { get; init; } = true;

    /// <summary>Positions of the model: the longest molecule it can take, in tokens.</summary>
    public int Positions { get; init; } = 2048;
}

/// <summary>Where a <see cref="BatchCursor"/> stands: all that resuming needs.</summary>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Position">Molecules of the present epoch that were handed out.</param>
/// <param name="Seed">Seed of the order.</param>
/// <param name="Documents">Molecules of the subset: another subset is another order.</param>
internal sealed record CursorState(long Epoch, long Position, long Seed, long Documents);

/// <summary>The same batches in the same order at every enumeration: a fixed set to measure on.</summary>
internal sealed class ValidationBatches : IEnumerable<PackedBatch>
{
    private readonly TokenSplit documents;
    private readonly BatchOptions options;

    /// <param name="documents">All of them are used; take a <see cref="TokenSplit.Subset"/> for fewer.</param>
    /// <param name="options">Size, unit and positions; never shuffled.</param>
    /// <exception cref="InputException">No molecules, or molecules longer than the model's positions.</exception>
    public ValidationBatches(TokenSplit documents, BatchOptions options)
    {
        this.documents = documents;
        this.options = options with { Shuffle = false };
        _ = new BatchCursor(documents, this.options);
    }

    /// <summary>Tokens that are predicted in one pass.</summary>
    public long PredictedTokens => documents.Tokens - documents.Documents;

    public IEnumerator<PackedBatch> GetEnumerator()
    {
        BatchCursor cursor = new(documents, options);
        while (cursor.Epoch == 0) yield return cursor.Next();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
