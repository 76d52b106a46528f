using System.Security.Cryptography;
using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Files;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Store;

public class DamagedStoreTests
{
    [TestCase("train.tokens")]
    [TestCase("train.offsets")]
    [TestCase("validation.tokens")]
    [TestCase("validation.offsets")]
    [TestCase("tokenizer.json")]
    [TestCase("store.json")]
    public void A_file_that_is_missing_or_a_byte_short_or_long_is_named_on_opening(string name)
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        byte[] whole = File.ReadAllBytes(folder[name]);
        File.WriteAllBytes(folder[name], whole[..^2]);
        Assert.That(() => TokenStore.Open(folder.Path), Refused.With(name));
        File.WriteAllBytes(folder[name], [.. whole, 65]);
        Assert.That(() => TokenStore.Open(folder.Path), Refused.With(name));
        File.Delete(folder[name]);
        Assert.That(() => TokenStore.Open(folder.Path), Refused.With(name));
        File.WriteAllBytes(folder[name], whole);
        TokenStore.Open(folder.Path).Dispose();
    }

    [TestCase("train.tokens")]
    [TestCase("train.offsets")]
    [TestCase("validation.tokens")]
    [TestCase("validation.offsets")]
    [TestCase("tokenizer.json")]
    public void A_flipped_bit_is_found_by_verifying_at_the_latest(string name)
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        byte[] bytes = File.ReadAllBytes(folder[name]);
        for (int at = 0; at < bytes.Length; at += Math.Max(1, bytes.Length / 40))
        {
            bytes[at] ^= 16;
            File.WriteAllBytes(folder[name], bytes);
            Assert.That(() => Verify(folder.Path), Refused.With(name), $"byte {at}");
            bytes[at] ^= 16;
        }
    }

    [Test]
    public void A_manifest_with_any_number_changed_is_refused()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        string manifest = File.ReadAllText(folder["store.json"]);
        foreach (string key in (string[])["documents", "tokens", "bytes", "size", "format"])
        {
            int at = manifest.IndexOf($"\"{key}\": ", StringComparison.Ordinal) + key.Length + 4;
            File.WriteAllText(folder["store.json"], manifest.Insert(at, "1"));
            Assert.That(() => TokenStore.Open(folder.Path), Throws.TypeOf<InputException>(), key);
        }
        Assert.That(() => TokenStore.Open(folder["nowhere"]), Refused.With("no store.json"));
    }

    [Test]
    public void Offsets_that_make_no_sense_are_refused_where_they_are_met()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        using TokenStore store = TokenStore.Open(folder.Path);
        // In place, for the file is mapped: what happens to a disk after it was read.
        using (var file = new FileStream(folder["train.offsets"], FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.Position = 5 * sizeof(ulong);
            file.Write(BitConverter.GetBytes(1UL << 60));
        }
        Expect.Above(store.Train.Document(3).Length, 0);
        Assert.That(() => store.Train.Document(4).Length, Refused.With("train.offsets: document 4"));
        Assert.That(() => store.Train.Document(5).Length, Throws.TypeOf<InputException>());
    }

    [Test]
    public void Ids_outside_the_vocabulary_are_found_even_under_a_right_checksum()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        byte[] bytes = File.ReadAllBytes(folder["train.tokens"]);
        string before = Convert.ToHexStringLower(SHA256.HashData(bytes));
        bytes[3] = 200;
        File.WriteAllBytes(folder["train.tokens"], bytes);
        string manifest = Unsealed(folder["store.json"]).Replace(before, Convert.ToHexStringLower(SHA256.HashData(bytes)));
        File.WriteAllBytes(folder["store.json"], Seal.Json(manifest));
        Assert.That(() => Verify(folder.Path), Refused.With("in document 0; expected ids below 11"));
    }

    [Test]
    public void A_file_that_vanishes_after_opening_is_named_by_verifying()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 200);
        using TokenStore store = TokenStore.Open(folder.Path);
        File.Delete(folder["train.offsets"]);
        Assert.That(() => store.Verify(), Refused.With("train.offsets: is missing"));
    }

    private static string Unsealed(string path) => Encoding.UTF8.GetString(Seal.OpenJson(File.ReadAllBytes(path), path, out _));

    private static void Verify(string folder)
    {
        using TokenStore store = TokenStore.Open(folder);
        store.Verify();
    }
}
