using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Tests.Atoms.Preparation;
using ChemScale.Tests.Files;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Store;

public class FrameStoreTests
{
    private TemporaryFolder folder = null!;
    private FramePreparation options = null!;

    [SetUp]
    public void MakeStore()
    {
        folder = new();
        options = SmallFrames.Options(folder, SmallFrames.Save(folder["a.xyz"], SmallFrames.Make(50)));
        FramePreparer.Run(options);
    }

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void A_file_cut_short_missing_or_changed_is_named_on_opening()
    {
        foreach (string file in Directory.GetFiles(folder["store"]).Where(file => !file.EndsWith(".json", StringComparison.Ordinal)))
        {
            byte[] whole = File.ReadAllBytes(file);
            File.WriteAllBytes(file, whole[..^1]);
            Assert.That(() => FrameStore.Open(folder["store"]), Refused.With(Path.GetFileName(file), $"{whole.Length - 1} bytes"));
            byte[] changed = [.. whole];
            changed[^1] ^= 1;
            File.WriteAllBytes(file, changed);
            Assert.That(() => FrameStore.Open(folder["store"]), Refused.With(Path.GetFileName(file), "SHA-256"));
            File.Delete(file);
            Assert.That(() => FrameStore.Open(folder["store"]), Refused.With(Path.GetFileName(file), "is missing"));
            File.WriteAllBytes(file, whole);
        }
        using FrameStore sound = FrameStore.Open(folder["store"]);
        sound.Verify();
    }

    [TestCase("\"format\": 1", "\"format\": 2", "frames.json: format: 2")]
    [TestCase("\"rule\"", "\"ruler\"", "frames.json: no key rule")]
    [TestCase("\"bytes\"", "\"sizes\"", "frames.json: no key files[0].bytes")]
    [TestCase("\"forceRms\":", "\"forceRms\": \"high\", \"x\":", "statistics.forceRms: \"high\"")]
    [TestCase("{", "[", "frames.json: not JSON")]
    public void A_manifest_that_makes_no_sense_is_named_by_key(string from, string to, string message)
    {
        string path = Path.Combine(folder["store"], "frames.json"), text = File.ReadAllText(path);
        int at = text.IndexOf(from, StringComparison.Ordinal);
        File.WriteAllText(path, text[..at] + to + text[(at + from.Length)..]);
        Assert.That(() => FrameStore.Open(folder["store"]), Refused.With(message));
    }

    [Test]
    public void A_manifest_reads_back_as_it_was_written()
    {
        using FrameStore store = FrameStore.Open(folder["store"]);
        Assert.That(File.ReadAllText(Path.Combine(folder["store"], "frames.json")), Is.EqualTo(store.Manifest.ToJson()));
        Assert.That(store.Manifest.ConfigTypes, Is.EqualTo((string[])["bulk"]));
    }

    [Test]
    public void No_store_and_a_store_in_the_way_are_named()
    {
        Assert.That(() => FrameStore.Open(folder["none"]), Refused.With("no frames.json", "prepare frames into a store"));
        Assert.That(() => FramePreparer.Run(options), Refused.With("holds a complete frame store"));
    }

    [Test]
    public void Whichever_file_operation_fails_the_store_that_was_there_is_whole_or_the_new_one_is()
    {
        string before = Fingerprint();
        FramePreparation other = options with { Seed = 9, Overwrite = true };
        int failures = 0;
        for (int n = 1; ; n++)
        {
            FaultyStorage storage = new(n, Fault.Once);
            try
            {
                FramePreparer.Run(other, null, storage);
                // What fails once the new store is in place is taking the draft away.
                Assert.That(storage.FailedOperation, Is.EqualTo("").Or.Contain("DeleteDirectory"), "no failure is swallowed");
                Assert.That(Fingerprint(), Is.Not.EqualTo(before));
                if (!storage.Failed) break;
                FramePreparer.Run(options with { Overwrite = true });
            }
            catch (FaultyStorage.InjectedFault)
            {
                failures++;
                Assert.That(Fingerprint(), Is.EqualTo(before), storage.FailedOperation);
            }
        }
        Expect.Above(failures, 60);
        Assert.That(Directory.GetDirectories(folder["store"]), Is.Empty);
    }

    private string Fingerprint()
    {
        using FrameStore store = FrameStore.Open(folder["store"]);
        store.Verify();
        return store.Manifest.Fingerprint;
    }
}
