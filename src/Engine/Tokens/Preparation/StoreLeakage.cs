using ChemScale.Engine.Tokens.Store;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// How many molecules of one store another one holds, by <see cref="Chemistry.Identity.MoleculeKey"/> and so however they are written, whatever the grammar
/// and vocabulary of either. A held-out molecule that the other store trains on is a leak.
/// </summary>
public sealed record StoreLeakage
{
    /// <summary>The other store's folder.</summary>
    public required string Against { get; init; }

    /// <summary>Training molecules that the other store trains on.</summary>
    public required long TrainInTrain { get; init; }

    /// <summary>Training molecules that the other store holds out.</summary>
    public required long TrainInValidation { get; init; }

    /// <summary>Held-out molecules that the other store trains on.</summary>
    public required long ValidationInTrain { get; init; }

    /// <summary>Held-out molecules that the other store holds out.</summary>
    public required long ValidationInValidation { get; init; }

    /// <summary>Held-out molecules that the same store trains on.</summary>
    public required long ValidationInOwnTrain { get; init; }

    /// <summary>What molecules are found by does not depend on how they are written; what else the stores are compared by may. Null: both are written alike.</summary>
    public string? Caution { get; init; }

    /// <summary>Compares two stores; eight bytes of memory a molecule.</summary>
    /// <param name="store">Whose molecules are counted.</param>
    /// <param name="other">Where they are looked for.</param>
    /// <param name="threads">1 or more.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="InputException">A number of threads out of range.</exception>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static StoreLeakage Between(TokenStore store, TokenStore other, int threads, CancellationToken stop = default)
    {
        ProcessorBudget.Check(threads);
        ulong[] train = Keys(store, store.Train, threads, stop), validation = Keys(store, store.Validation, threads, stop);
        ulong[] otherTrain = Keys(other, other.Train, threads, stop), otherValidation = Keys(other, other.Validation, threads, stop);
        return new StoreLeakage
        {
            Against = other.Folder,
            TrainInTrain = Common(train, otherTrain),
            TrainInValidation = Common(train, otherValidation),
            ValidationInTrain = Common(validation, otherTrain),
            ValidationInValidation = Common(validation, otherValidation),
            ValidationInOwnTrain = Common(validation, train),
            Caution = store.Tokenizer.Notation.Canonical == other.Tokenizer.Notation.Canonical ? null
                : $"{store.Folder} has its molecules {Writing(store)}, {other.Folder} {Writing(other)}: the molecules are told by their graphs, but losses of models of the two "
                + "are of other texts",
        };

        static string Writing(TokenStore of) => of.Tokenizer.Notation.Canonical ? "written one way each" : "as they were given";
    }

    private static ulong[] Keys(TokenStore store, TokenSplit split, int threads, CancellationToken stop)
    {
        ulong[] keys = new ulong[split.Documents];
        long part = (split.Documents + threads - 1) / threads;
        SplitRule rule = new(0, 0, SplitKind.Molecule);
        Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = stop }, thread =>
        {
            MoleculePlacer placer = new(rule, store.Tokenizer.Notation.CreateCodec());
            for (long i = thread * part; i < Math.Min(split.Documents, (thread + 1) * part); i++)
            {
                if (i % 1024 == 0) stop.ThrowIfCancellationRequested();
                keys[i] = placer.Key(store.Tokenizer.Decode(split.Document(i)), out _);
            }
        });
        Array.Sort(keys);
        return keys;
    }

    // Of the first list, how many are in the second; both sorted.
    private static long Common(ulong[] keys, ulong[] others)
    {
        long common = 0, at = 0;
        foreach (ulong key in keys)
        {
            while (at < others.Length && others[at] < key) at++;
            if (at < others.Length && others[at] == key) common++;
        }
        return common;
    }
}
