using ChemScale.Engine.Stores;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Tests.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Stores;

public class StoreStampTests
{
    private const long Settled = 20_000_000;

    private TemporaryFolder folder = null!;
    private int reads;

    [SetUp]
    public void MakeStore()
    {
        reads = 0;
        folder = new();
        SmallStore.Write(folder.Path, 50);
        Thread.Sleep(50);
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void A_store_is_read_whole_once()
    {
        Open();
        Open();
        Assert.That(reads, Is.EqualTo(1));
        Assert.That(Directory.GetFiles(folder.Path, $"{StoreStamp.FileName}*"), Has.Length.EqualTo(1));
    }

    [TestCase("train.tokens"), TestCase("validation.offsets"), TestCase("tokenizer.json"), TestCase("store.json")]
    public void A_file_that_was_changed_copied_or_touched_since_is_read_again_even_under_its_old_time(string name)
    {
        Open();
        DateTime modified = File.GetLastWriteTimeUtc(folder[name]);
        byte[] bytes = File.ReadAllBytes(folder[name]);
        File.WriteAllBytes(folder[name], bytes);
        File.SetLastWriteTimeUtc(folder[name], modified);
        if (OperatingSystem.IsLinux()) Expect(2);
        File.WriteAllBytes(folder[name], bytes);
        Expect(OperatingSystem.IsLinux() ? 3 : 2);
        File.Move(folder[name], folder["other"]);
        File.Copy(folder["other"], folder[name]);
        File.SetLastWriteTimeUtc(folder[name], File.GetLastWriteTimeUtc(folder["other"]));
        if (OperatingSystem.IsLinux()) Expect(4);
        File.SetLastWriteTimeUtc(folder[name], modified.AddHours(-1));
        Expect(OperatingSystem.IsLinux() ? 5 : 3);

        void Expect(int reads)
        {
            Open();
            Assert.That(this.reads, Is.EqualTo(reads));
        }
    }

    [Test]
    public void A_damaged_or_foreign_stamp_is_none()
    {
        Open();
        string stamp = folder[StoreStamp.FileName], text = File.ReadAllText(stamp);
        foreach (string other in (string[])["", text[..^1], text.Replace(" verified 1", " verified 0"), text.Replace("train.tokens ", "train.tokens 1")])
        {
            File.WriteAllText(stamp, other);
            int before = reads;
            Open();
            Assert.That(reads, Is.EqualTo(before + 1), other);
        }
    }

    [Test]
    public void A_store_that_is_wrong_or_young_gets_no_stamp()
    {
        Assert.That(() => Open(() => throw new IOException("wrong")), Throws.TypeOf<IOException>());
        Open(settled: long.MaxValue);
        Open(settled: long.MaxValue);
        Assert.That(reads, Is.EqualTo(2));
        Assert.That(Directory.GetFiles(folder.Path, ".*"), Is.Empty);
    }

    [Test]
    public void A_change_under_a_stamp_is_found_at_the_next_opening()
    {
        Thread.Sleep(2100);
        TokenStore.Open(folder.Path).Dispose();
        Assert.That(File.Exists(folder[StoreStamp.FileName]), Is.True);
        byte[] bytes = File.ReadAllBytes(folder["train.tokens"]);
        Array.Clear(bytes, 4, 20);
        File.WriteAllBytes(folder["train.tokens"], bytes);
        Assert.That(() => TokenStore.Open(folder.Path), Refused.With("train.tokens: SHA-256"));
    }

    [Test]
    public void Reading_a_store_ends_where_it_is_asked_to() =>
        Assert.That(() => TokenStore.Open(folder.Path, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    private void Open(Action? verify = null, long settled = Settled)
    {
        StoreManifest manifest = StoreManifest.Read(folder.Path, out string sha256);
        StoreStamp.Ensure(folder.Path, StoreLayout.Names, manifest, sha256, verify ?? (() => reads++), settled);
        // The next change must not fall into the same step of the file system's clock.
        Thread.Sleep(25);
    }
}
