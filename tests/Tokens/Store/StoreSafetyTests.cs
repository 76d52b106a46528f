using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Store;

public class StoreSafetyTests
{
    private static readonly TokenStoreOptions Overwrite = new() { Split = new SplitRule(0.1, 7), Overwrite = true };

    [Test]
    public void A_complete_store_is_not_replaced_unless_asked()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 100);
        Assert.That(() => SmallStore.Write(folder.Path, 50), Refused.With("holds a complete token store"));
        Assert.That(Documents(folder.Path), Is.EqualTo(100));
        SmallStore.Write(folder.Path, 50, Overwrite);
        Assert.That(Documents(folder.Path), Is.EqualTo(50));
    }

    [Test]
    public void A_file_of_the_users_own_is_not_replaced_unless_asked()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["tokenizer.json"], "mine");
        Assert.That(() => SmallStore.Write(folder.Path, 50), Refused.With("tokenizer.json: is in the way"));
        Assert.That(File.ReadAllText(folder["tokenizer.json"]), Is.EqualTo("mine"));
    }

    [Test]
    public void A_writer_given_up_leaves_the_folder_as_it_was()
    {
        using TemporaryFolder folder = new();
        using (TokenStoreWriter writer = new(folder["new"], new TokenStoreOptions())) writer.Add(1, [2, 5, 3]);
        Assert.That(Directory.Exists(folder["new"]), Is.False);
        SmallStore.Write(folder.Path, 100);
        using (TokenStoreWriter writer = new(folder.Path, Overwrite)) writer.Add(1, [2, 5, 3]);
        Assert.That(Documents(folder.Path), Is.EqualTo(100));
        Assert.That(Directory.GetDirectories(folder.Path), Is.Empty);
    }

    [Test]
    public void What_a_killed_writer_left_is_no_store_and_does_not_stop_the_next_one()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder[".incomplete"]);
        File.WriteAllText(folder[".incomplete/train.tokens"], "half");
        File.WriteAllText(folder[".incomplete/lock"], "");
        Assert.That(() => TokenStore.Open(folder.Path), Refused.With("no store.json"));
        SmallStore.Write(folder.Path, 100);
        Assert.That(Documents(folder.Path), Is.EqualTo(100));
    }

    [Test]
    public void Two_writers_do_not_share_a_folder()
    {
        using TemporaryFolder folder = new();
        using TokenStoreWriter first = new(folder.Path, new TokenStoreOptions());
        Assert.That(() => new TokenStoreWriter(folder.Path, new TokenStoreOptions()), Refused.With("being written by another process"));
        first.Add(1, SmallStore.Tokenizer.Encode("[C]"));
        first.Complete(SmallStore.Tokenizer);
    }

    [Test]
    public void A_folder_that_cannot_be_made_is_the_users_mistake()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        Assert.That(() => new TokenStoreWriter(folder["file/store"], new TokenStoreOptions()), Refused.With("cannot be written"));
    }

    [Test]
    public void Whichever_file_operation_fails_the_store_that_was_there_is_whole_or_the_new_one_is()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 100);
        int failures = 0;
        for (int n = 1; ; n++)
        {
            FaultyStorage storage = new(n, Fault.Once);
            try
            {
                SmallStore.Write(folder.Path, 50, Overwrite, storage);
                // What fails once the new store is in place is taking the draft away.
                Assert.That(storage.FailedOperation, Is.EqualTo("").Or.Contain("DeleteDirectory"), "no failure is swallowed");
                Assert.That(Documents(folder.Path), Is.EqualTo(50));
                if (!storage.Failed) break;
                SmallStore.Write(folder.Path, 100, Overwrite);
                continue;
            }
            catch (FaultyStorage.InjectedFault)
            {
                failures++;
            }
            Assert.That(Documents(folder.Path), Is.EqualTo(100), storage.FailedOperation);
        }
        Expect.Above(failures, 30);
        Assert.That(Directory.GetDirectories(folder.Path), Is.Empty);
    }

    [Test]
    public void Wherever_a_writer_dies_the_next_one_finds_the_store_that_was_there_or_the_new_one()
    {
        using TemporaryFolder folder = new();
        int kept = 0, replaced = 0;
        for (int n = 1; ; n++)
        {
            Directory.CreateDirectory(folder["s"]);
            SmallStore.Write(folder["s"], 100);
            FaultyStorage storage = new(n, Fault.Lasting);
            try
            {
                SmallStore.Write(folder["s"], 50, Overwrite, storage);
            }
            catch (FaultyStorage.InjectedFault)
            {
                Assert.That(() => SmallStore.Write(folder["s"], 20), Refused.With("holds a complete token store"), storage.FailedOperation);
                // The new one only where what failed was the last of all: telling the medium of its names.
                Assert.That(Documents(folder["s"]), Is.EqualTo(100).Or.EqualTo(50), storage.FailedOperation);
                kept += Documents(folder["s"]) == 100 ? 1 : 0;
                replaced += Documents(folder["s"]) == 50 ? 1 : 0;
            }
            SmallStore.Write(folder["s"], 20, Overwrite);
            Assert.That(Documents(folder["s"]), Is.EqualTo(20));
            Assert.That(Directory.GetDirectories(folder["s"]), Is.Empty, storage.FailedOperation);
            Directory.Delete(folder["s"], recursive: true);
            if (!storage.Failed) break;
        }
        Assert.That((kept, replaced), Is.EqualTo((35, 1)));
    }

    [Test]
    public void A_writer_that_died_while_its_files_went_in_is_not_in_the_way()
    {
        using TemporaryFolder folder = new();
        for (int n = 1; ; n++)
        {
            FaultyStorage storage = new(n, Fault.Lasting);
            try
            {
                SmallStore.Write(folder["s"], 50, storage: storage);
                break;
            }
            catch (FaultyStorage.InjectedFault)
            {
                if (TokenStore.Exists(folder["s"]))
                {
                    Assert.That(Documents(folder["s"]), Is.EqualTo(50), storage.FailedOperation);
                    Directory.Delete(folder["s"], recursive: true);
                    continue;
                }
            }
            SmallStore.Write(folder["s"], 20);
            Assert.That(Documents(folder["s"]), Is.EqualTo(20), storage.FailedOperation);
            Directory.Delete(folder["s"], recursive: true);
        }
    }

    [Test]
    public void Whichever_operation_of_a_preparation_fails_there_is_no_store_and_the_same_command_makes_it()
    {
        using TemporaryFolder folder = new();
        string smiles = folder["a.smi"];
        File.WriteAllLines(smiles, Enumerable.Range(1, 40).Select(i => new string('C', i) + "O"));
        PreparationOptions options = new() { Files = [smiles], Output = folder["whole"], Threads = 1, ValidationFraction = 0.2 };
        string whole = MoleculePreparation.Run(options).Store.Fingerprint;
        int failures = 0;
        for (int n = 1; ; n++)
        {
            FaultyStorage storage = new(n, Fault.Once);
            PreparationOptions again = options with { Output = folder["s"] };
            try
            {
                MoleculePreparation.Run(again, storage);
                Assert.That(storage.FailedOperation, Is.EqualTo("").Or.Contain("DeleteDirectory"), "no failure is swallowed");
            }
            catch (FaultyStorage.InjectedFault)
            {
                failures++;
                Assert.That(TokenStore.Exists(folder["s"]), Is.False, storage.FailedOperation);
                Assert.That(MoleculePreparation.Run(again).Store.Fingerprint, Is.EqualTo(whole), storage.FailedOperation);
            }
            if (!storage.Failed) break;
            Directory.Delete(folder["s"], recursive: true);
        }
        Expect.Above(failures, 25);
    }

    private static long Documents(string folder)
    {
        using TokenStore store = TokenStore.Open(folder);
        store.Verify();
        return store.Train.Documents + store.Validation.Documents;
    }
}
