using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Store;

public class TokenStoreTests
{
    [Test]
    public void Every_molecule_comes_back_once_on_one_side()
    {
        using TemporaryFolder folder = new();
        StoreManifest manifest = SmallStore.Write(folder.Path, 1000);
        using TokenStore store = TokenStore.Open(folder.Path);
        store.Verify();
        string[] all = [.. SmallStore.Texts(store.Train), .. SmallStore.Texts(store.Validation)];
        Assert.That(all, Is.EquivalentTo(Enumerable.Range(0, 1000).Select(SmallStore.Molecule)));
        Assert.That(manifest.Train.Documents + manifest.Validation.Documents, Is.EqualTo(1000));
        Assert.That(manifest.Train.Tokens + manifest.Validation.Tokens, Is.EqualTo(all.Sum(text => 2 + text.Count(c => c == '['))));
        Assert.That(manifest.Train.Longest, Is.EqualTo(SmallStore.Texts(store.Train).Max(text => 2 + text.Count(c => c == '['))));
        Expect.Between(store.Manifest.Validation.Documents, 70, 130, "a tenth, by chance");
        Assert.That(store.Train.Tokens, Is.EqualTo(manifest.Train.Tokens));
        Assert.That(store.Tokenizer.Grammar, Is.EqualTo(SelfiesGrammar.V1));
        Assert.That(store.Tokenizer.GrammarIsStated);
    }

    [Test]
    public void The_manifest_is_read_as_it_was_written()
    {
        using TemporaryFolder folder = new();
        StoreManifest written = SmallStore.Write(folder.Path, 50, new TokenStoreOptions
        {
            Split = new SplitRule(0.25, -3),
            Source = "\"a+b\"",
            Synthetic = true,
            Record = new Dictionary<string, string> { ["limit"] = "50" },
        });
        using TokenStore store = TokenStore.Open(folder.Path);
        Assert.That(store.Manifest, Is.EqualTo(written with { Files = store.Manifest.Files, Options = store.Manifest.Options }));
        Assert.That(store.Manifest.Files, Is.EqualTo(written.Files));
        Assert.That(store.Manifest.Options, Is.EqualTo(written.Options));
        Assert.That((store.Manifest.Synthetic, store.Manifest.Source, store.Manifest.Split.Seed), Is.EqualTo((true, "\"a+b\"", -3L)));
    }

    [Test]
    public void The_order_of_the_corpus_does_not_change_a_byte()
    {
        using TemporaryFolder folder = new();
        string[] molecules = [.. Enumerable.Range(0, 500).Select(SmallStore.Molecule)];
        SmallStore.Write(folder["a"], molecules);
        SmallStore.Write(folder["b"], molecules.Reverse());
        foreach (string file in Directory.EnumerateFiles(folder["a"]).Select(file => Path.GetFileName(file)))
            Assert.That(
                File.ReadAllBytes(Path.Combine(folder["b"], file)),
                Is.EqualTo(File.ReadAllBytes(Path.Combine(folder["a"], file))),
                file);
    }

    [Test]
    public void A_molecule_falls_on_the_same_side_whatever_the_corpus_and_small_subsets_are_inside_large_ones()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder["small"], 200);
        SmallStore.Write(folder["large"], 1000);
        using TokenStore small = TokenStore.Open(folder["small"]);
        using TokenStore large = TokenStore.Open(folder["large"]);
        Assert.That(SmallStore.Texts(small.Validation), Is.SubsetOf(SmallStore.Texts(large.Validation)));
        Assert.That(SmallStore.Texts(small.Train), Is.SubsetOf(SmallStore.Texts(large.Train)));

        TokenSplit ten = large.Train.Subset(10), hundred = large.Train.Subset(100);
        Assert.That(SmallStore.Texts(ten), Is.EqualTo(SmallStore.Texts(hundred)[..10]));
        Assert.That(hundred.Tokens, Is.EqualTo(SmallStore.Texts(hundred).Sum(text => 2 + text.Count(c => c == '['))));
        Assert.That(() => hundred.Subset(101), Refused.With("101 molecules; expected 1 to 100"));
    }

    [Test]
    public void A_subset_is_an_unbiased_sample_of_a_sorted_corpus()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 6000);
        using TokenStore store = TokenStore.Open(folder.Path);
        Expect.Close(Share(store.Train.Subset(1000)), Share(store.Train), absolute: 0.05, message: "3 standard deviations");

        static double Share(TokenSplit split) =>
            SmallStore.Texts(split).Count(text => text.StartsWith("[C][O][N]", StringComparison.Ordinal)) / (double)split.Documents;
    }

    [TestCase(false, 300)]
    [TestCase(true, 600)]
    public void Duplicates_are_counted_and_dropped_unless_asked_for(bool keep, int expected)
    {
        using TemporaryFolder folder = new();
        IEnumerable<string> twice = Enumerable.Range(0, 600).Select(i => SmallStore.Molecule(i % 300));
        StoreManifest manifest = SmallStore.Write(
            folder.Path,
            twice,
            new TokenStoreOptions { Split = new SplitRule(0.1, 0), KeepDuplicates = keep });
        Assert.That(manifest.Duplicates, Is.EqualTo(300));
        Assert.That(manifest.Train.Documents + manifest.Validation.Documents, Is.EqualTo(expected));
    }

    [Test]
    public void Molecules_that_share_a_key_but_not_their_ids_are_no_duplicates()
    {
        using TemporaryFolder folder = new();
        using (TokenStoreWriter writer = new(folder.Path, new TokenStoreOptions { Split = new SplitRule(0, 0) }))
        {
            foreach (string molecule in (string[])["[N][C]", "[C][N]", "[N][C]"]) writer.Add(12345, SmallStore.Tokenizer.Encode(molecule));
            Assert.That(writer.Complete(SmallStore.Tokenizer).Duplicates, Is.EqualTo(1));
        }
        using TokenStore store = TokenStore.Open(folder.Path);
        Assert.That(SmallStore.Texts(store.Train), Is.EqualTo((string[])["[C][N]", "[N][C]"]));
    }

    [Test]
    public void Ids_are_renumbered_at_the_end_where_the_vocabulary_was_not_known_before()
    {
        using TemporaryFolder folder = new();
        ushort[] final = [0, 1, 2, 3, 4, 7, 6, 5, 0];
        using (TokenStoreWriter writer = new(folder.Path, new TokenStoreOptions { Split = new SplitRule(0, 0) }))
        {
            writer.Add(1, [2, 5, 6, 8, 3]);
            Assert.That(writer.Complete(SmallStore.Tokenizer, final).UnknownTokens, Is.EqualTo(1));
        }
        using TokenStore store = TokenStore.Open(folder.Path);
        Assert.That(store.Train.Document(0).ToArray(), Is.EqualTo((ushort[])[2, 7, 6, 0, 3]));
    }

    [Test]
    public void Buckets_that_outgrow_memory_are_spilled_and_come_back_whole()
    {
        using TemporaryFolder folder = new();
        ushort[] ids = SmallStore.Tokenizer.Encode(string.Concat(Enumerable.Repeat("[C][N]", 1000)));
        using (TokenStoreWriter writer = new(folder.Path, new TokenStoreOptions { Split = new SplitRule(0, 0) }))
        {
            for (ulong key = 0; key < 200; key++) writer.Add(key, ids);
            Expect.Above(new FileInfo(folder[".incomplete/bucket-00"]).Length, 0);
            writer.Complete(SmallStore.Tokenizer);
        }
        using TokenStore store = TokenStore.Open(folder.Path);
        store.Verify();
        Assert.That(store.Train.Documents, Is.EqualTo(200));
        for (int i = 0; i < 200; i++) Assert.That(store.Train.Document(i).SequenceEqual(ids));
        Assert.That(Directory.Exists(folder[".incomplete"]), Is.False);
    }

    [Test]
    public void An_empty_side_is_a_side_without_molecules()
    {
        using TemporaryFolder folder = new();
        SmallStore.Write(folder.Path, 20, new TokenStoreOptions { Split = new SplitRule(0, 0) });
        using TokenStore store = TokenStore.Open(folder.Path);
        store.Verify();
        Assert.That((store.Train.Documents, store.Validation.Documents, store.Validation.Tokens), Is.EqualTo((20L, 0L, 0L)));
        Assert.That(() => store.Validation.Subset(1), Throws.TypeOf<InputException>());
    }
}
