using ChemScale.Engine;
using ChemScale.Engine.Stores;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Store;

public class StoreSafetyTests
{
    private static readonly TokenStoreOptions Overwrite = new() { Split = new SplitRule(0.1, 7), Overwrite = true };

    [Test]
    public void A_complete_store_is_not_replaced_unless_asked()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Root, 100);
        Assert.That(() => SmallStore.Write(folder.Root, 50), Refused.With("holds a complete token store"));
        Assert.That(Documents(folder.Root), Is.EqualTo(100));
        SmallStore.Write(folder.Root, 50, Overwrite);
        Assert.That(Documents(folder.Root), Is.EqualTo(50));
    }

    [Test]
    public void A_file_of_the_users_own_is_not_replaced_unless_asked()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["tokenizer.json"], "mine");
        Assert.That(() => SmallStore.Write(folder.Root, 50), Refused.With("tokenizer.json: is in the way"));
        Assert.That(File.ReadAllText(folder["tokenizer.json"]), Is.EqualTo("mine"));
    }

    [Test]
    public void A_writer_given_up_leaves_the_folder_as_it_was()
    {
        using TemporaryFolder folder = new();
        using (TokenStoreWriter writer = new(folder["new"], new TokenStoreOptions())) writer.Add(1, [2, 5, 3]);
        Assert.That(Directory.Exists(folder["new"]), Is.False);
        SmallStore.Write(folder.Root, 100);
        using (TokenStoreWriter writer = new(folder.Root, Overwrite)) writer.Add(1, [2, 5, 3]);
        Assert.That(Documents(folder.Root), Is.EqualTo(100));
        Assert.That(Directory.GetDirectories(folder.Root), Is.Empty);
    }

    [Test]
    public void What_a_killed_writer_left_is_no_store_and_does_not_stop_the_next_one()
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder[".incomplete"]);
        File.WriteAllText(folder[".incomplete/train.tokens"], "half");
        File.WriteAllText(folder[".incomplete/lock"], "");
        Assert.That(() => TokenStore.Open(folder.Root), Refused.With("no store.json"));
        SmallStore.Write(folder.Root, 100);
        Assert.That(Documents(folder.Root), Is.EqualTo(100));
    }

    [Test]
    public void Two_writers_do_not_share_a_folder()
    {
        using TemporaryFolder folder = new();
        using TokenStoreWriter first = new(folder.Root, new TokenStoreOptions());
        Assert.That(() => new TokenStoreWriter(folder.Root, new TokenStoreOptions()), Refused.With("being written by another process"));
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
        SmallStore.Write(folder.Root, 100);
        int failures = 0;
        for (int n = 1; ; n++)
        {
            FailingFolder files = new(n);
            try
            {
                SmallStore.Write(folder.Root, 50, Overwrite, files);
                Expect.Below(files.Operations, n, "no failure is swallowed");
                break;
            }
            catch (InputException e)
            {
                failures++;
                Assert.That(e.Message, Does.Contain("cannot be written").And.Contain("disk full"));
            }
            Assert.That(Documents(folder.Root), Is.EqualTo(100), $"operation {n}");
            Assert.That(Directory.GetDirectories(folder.Root), Is.Empty, $"operation {n}");
        }
        Expect.Above(failures, 20);
        Assert.That(Documents(folder.Root), Is.EqualTo(50));
    }

    private static long Documents(string folder)
    {
        using TokenStore store = TokenStore.Open(folder);
        store.Verify();
        return store.Train.Documents + store.Validation.Documents;
    }

    /// <summary>The n-th operation (create, write, flush or move) fails.</summary>
    private sealed class FailingFolder(int n) : StoreFolder
    {
        public int Operations { get; private set; }

        public override Stream Create(string path)
        {
            Count();
            return new CountedStream(base.Create(path), Count);
        }

        public override void Move(string from, string to)
        {
            Count();
            base.Move(from, to);
        }

        public override void Flush(Stream stream)
        {
            Count();
            base.Flush(stream);
        }

        private void Count()
        {
            if (++Operations == n) throw new IOException("disk full");
        }
    }

    private sealed class CountedStream(Stream inner, Action count) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int length) => inner.Read(buffer, offset, length);

        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);

        public override void SetLength(long value) => inner.SetLength(value);

        public override void Write(byte[] buffer, int offset, int length)
        {
            count();
            inner.Write(buffer, offset, length);
        }

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
