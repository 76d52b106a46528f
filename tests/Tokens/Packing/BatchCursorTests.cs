using ChemScale.Engine;
using ChemScale.Engine.Tokens.Packing;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Tests.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Packing;

public class BatchCursorTests
{
    private TemporaryFolder folder = null!;
    private TokenStore store = null!;

    [OneTimeSetUp]
    public void Open()
    {
        folder = new TemporaryFolder();
        SmallStore.Write(folder.Path, 300);
        store = TokenStore.Open(folder.Path);
    }

    [OneTimeTearDown]
    public void Close()
    {
        store.Dispose();
        folder.Dispose();
    }

    [Test]
    public void A_batch_holds_ids_positions_targets_and_row_starts()
    {
        PackedBatch batch = PackedBatch.Of([2, 7, 3], [2, 5, 6, 3]);
        Assert.That(batch.TokenIds, Is.EqualTo((int[])[2, 7, 3, 2, 5, 6, 3]));
        Assert.That(batch.Positions, Is.EqualTo((int[])[0, 1, 2, 0, 1, 2, 3]));
        Assert.That(batch.Targets, Is.EqualTo((int[])[7, 3, -100, 5, 6, 3, -100]));
        Assert.That(batch.RowStarts, Is.EqualTo((int[])[0, 3, 7]));
        Assert.That((batch.Molecules, batch.Tokens, batch.PredictedTokens, batch.Longest), Is.EqualTo((2, 7, 5, 4)));
        Assert.That(batch.Targets.Count(target => target != PackedBatch.Ignored), Is.EqualTo(batch.PredictedTokens));
    }

    [TestCase(BatchUnit.Molecules, 7)]
    [TestCase(BatchUnit.Tokens, 50)]
    public void An_epoch_holds_every_molecule_once_and_the_next_one_in_another_order(BatchUnit unit, int size)
    {
        BatchCursor cursor = new(store.Train, new BatchOptions { Unit = unit, Size = size, Seed = 5 });
        string[] first = Epoch(cursor), second = Epoch(cursor);
        Assert.That(first, Is.EquivalentTo(SmallStore.Texts(store.Train)));
        Assert.That(second, Is.EquivalentTo(first).And.Not.EqualTo(first));
        Assert.That(cursor.Epoch, Is.EqualTo(2));
        Assert.That(
            Epoch(new BatchCursor(store.Train, new BatchOptions { Size = 4, Seed = 5 })),
            Is.EqualTo(first),
            "the seed alone decides");
        Assert.That(Epoch(new BatchCursor(store.Train, new BatchOptions { Size = 4, Seed = 6 })), Is.Not.EqualTo(first));
    }

    [Test]
    public void Batches_have_the_size_asked_for()
    {
        BatchCursor byMolecules = new(store.Train, new BatchOptions { Size = 8 });
        long batches = 0;
        for (; byMolecules.Epoch == 0; batches++)
        {
            long left = store.Train.Documents - byMolecules.Position;
            Assert.That(byMolecules.Next().Molecules, Is.EqualTo(Math.Min(8, left)));
        }
        Assert.That(batches, Is.EqualTo(byMolecules.BatchesPerEpoch));

        BatchCursor byTokens = new(store.Train, new BatchOptions { Unit = BatchUnit.Tokens, Size = 64 });
        Assert.That(byTokens.BatchesPerEpoch, Is.Null);
        while (byTokens.Epoch == 0)
        {
            PackedBatch batch = byTokens.Next();
            Expect.AtMost(batch.Tokens, 64);
            if (byTokens.Position > 0) Expect.Above(batch.Tokens, 64 - store.Manifest.Train.Longest, "as many as fit");
        }
    }

    [TestCase(BatchUnit.Molecules, 7)]
    [TestCase(BatchUnit.Tokens, 50)]
    public void A_cursor_goes_on_exactly_from_its_state(BatchUnit unit, int size)
    {
        BatchOptions options = new() { Unit = unit, Size = size, Seed = 9 };
        BatchCursor whole = new(store.Train, options);
        for (int steps = 0; steps < 120; steps++)
        {
            BatchCursor resumed = new(store.Train, options, whole.State);
            Assert.That(resumed.Next().TokenIds, Is.EqualTo(whole.Next().TokenIds));
            Assert.That(resumed.State, Is.EqualTo(whole.State));
        }
        Expect.Above(whole.Epoch, 0, "epochs were crossed");
    }

    [Test]
    public void A_state_of_other_data_or_another_seed_is_refused()
    {
        BatchOptions options = new() { Seed = 1 };
        CursorState state = new BatchCursor(store.Train, options).State;
        Assert.That(
            () => new BatchCursor(store.Train.Subset(10), options, state),
            Refused.With($"molecules {state.Documents}; expected 10"));
        Assert.That(() => new BatchCursor(store.Train, options with { Seed = 2 }, state), Refused.With("seed 1; expected 2"));
        Assert.That(
            () => new BatchCursor(store.Train, options, state with { Position = state.Documents }),
            Throws.TypeOf<InputException>());
    }

    [Test]
    public void Molecules_longer_than_the_model_are_refused_with_their_count_and_the_longest()
    {
        int longest = store.Manifest.Train.Longest;
        int count = SmallStore.Texts(store.Train).Count(text => text.Count(c => c == '[') + 2 == longest);
        Assert.That(() => new BatchCursor(store.Train, new BatchOptions { Positions = longest - 1 }), Throws.TypeOf<InputException>()
            .With.Message.Contains($"{count} molecules with more than {longest - 1} tokens, the longest with {longest}"));
        BatchOptions small = new() { Unit = BatchUnit.Tokens, Size = longest - 1 };
        Assert.That(() => new BatchCursor(store.Train, small), Throws.TypeOf<InputException>()
            .With.Message.Contains("the batch's tokens"));
        Assert.That(() => new BatchCursor(store.Train, new BatchOptions { Positions = longest }), Throws.Nothing);
    }

    [Test]
    public void Validation_batches_are_the_same_every_time()
    {
        ValidationBatches batches = new(store.Validation, new BatchOptions { Size = 8 });
        int[] once = [.. batches.SelectMany(batch => batch.TokenIds)];
        Assert.That(batches.SelectMany(batch => batch.TokenIds), Is.EqualTo(once));
        Assert.That(once, Has.Length.EqualTo(store.Validation.Tokens));
        Assert.That(batches.Sum(batch => batch.PredictedTokens), Is.EqualTo(batches.PredictedTokens));
    }

    private static string[] Epoch(BatchCursor cursor)
    {
        List<string> texts = [];
        long epoch = cursor.Epoch;
        while (cursor.Epoch == epoch)
        {
            PackedBatch batch = cursor.Next();
            for (int row = 0; row < batch.Molecules; row++)
            {
                int[] ids = batch.TokenIds[batch.RowStarts[row]..batch.RowStarts[row + 1]];
                texts.Add(SmallStore.Tokenizer.Decode([.. ids.Select(id => (ushort)id)]));
            }
        }
        return [.. texts];
    }
}
