using System.Collections;
using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Packing;

/// <summary>The same batches in the same order at every enumeration: a fixed set to measure on.</summary>
public sealed class ValidationBatches : IEnumerable<PackedBatch>
{
    private readonly TokenSplit _documents;
    private readonly BatchOptions _options;

    /// <param name="documents">All of them are used; take a <see cref="TokenSplit.Subset"/> for fewer.</param>
    /// <param name="options">Size, unit and positions; never shuffled.</param>
    /// <exception cref="InputException">No molecules, or molecules longer than the model's positions.</exception>
    public ValidationBatches(TokenSplit documents, BatchOptions options)
    {
        _documents = documents;
        _options = options with { Shuffle = false };
        _ = new BatchCursor(documents, _options);
    }

    /// <summary>Tokens that are predicted in one pass.</summary>
    public long PredictedTokens => _documents.Tokens - _documents.Documents;

    public IEnumerator<PackedBatch> GetEnumerator()
    {
        BatchCursor cursor = new(_documents, _options);
        while (cursor.Epoch == 0) yield return cursor.Next();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
