using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens;

public class TokenizerTests
{
    [Test]
    public void A_vocabulary_of_a_corpus_is_sorted_by_count_then_ordinally_behind_the_special_tokens()
    {
        Vocabulary vocabulary = SmallTokenizer.Create().Vocabulary;
        string[] texts = [.. Enumerable.Range(0, vocabulary.Size).Select(vocabulary.Text)];
        Assert.That(texts, Is.EqualTo(
            (string[])["[UNK]", "[PAD]", "[CLS]", "[SEP]", "[MASK]", "[C]", "[N]", "[O]", "[=O]", "[Br]", "[Ring1]"]));
        Assert.That(
            (vocabulary.Unknown, vocabulary.Padding, vocabulary.Start, vocabulary.End),
            Is.EqualTo(((ushort)0, (ushort?)1, (ushort)2, (ushort)3)));
        Assert.That(Enumerable.Range(0, vocabulary.Size).Count(vocabulary.IsSpecial), Is.EqualTo(5));
    }

    [Test]
    public void Rare_symbols_are_left_out_and_become_unknown()
    {
        Tokenizer tokenizer = SmallTokenizer.Counts().ToTokenizer(SelfiesGrammar.V1, minimumCount: 2);
        Assert.That(tokenizer.Vocabulary.Size, Is.EqualTo(8));
        Assert.That(tokenizer.Encode("[C][Br][N]"), Is.EqualTo((ushort[])[2, 5, 0, 6, 3]));
    }

    [Test]
    public void Counts_of_threads_merge_into_the_same_vocabulary()
    {
        SymbolCounts whole = new(), first = new(), second = new();
        for (int i = 0; i < 300; i++)
        {
            string text = $"[{i}][{i % 7}][C]";
            whole.Add(text);
            (i % 3 == 0 ? first : second).Add(text);
        }
        second.Merge(first);
        Assert.That(second.Sorted(), Is.EqualTo(whole.Sorted()));
        Assert.That(whole.Sorted()[0], Is.EqualTo(("[C]", 300L)));
    }

    [Test]
    public void A_dot_between_fragments_is_a_token()
    {
        SymbolCounts counts = new();
        counts.Add("[C].[N]");
        Tokenizer tokenizer = counts.ToTokenizer(SelfiesGrammar.V2);
        ushort[] ids = tokenizer.Encode("[N].[C]");
        Assert.That(ids, Has.Length.EqualTo(5).And.None.EqualTo(0));
        Assert.That(tokenizer.Decode(ids), Is.EqualTo("[N].[C]"));
    }

    [Test]
    public void A_span_that_is_too_short_is_answered_with_the_length_needed()
    {
        Tokenizer tokenizer = SmallTokenizer.Create();
        Assert.That(tokenizer.Encode("[C][N][O]", new ushort[4]), Is.EqualTo(-5));
        Assert.That(tokenizer.Encode("[C][N][O]", new ushort[5]), Is.EqualTo(5));
        Assert.That(tokenizer.EncodeBody("[C][N][O]", new ushort[5]), Is.EqualTo(3));
    }

    [TestCase("Right", "2 5 6 7 3")]
    [TestCase("Left", "2 7 9 9 3")]
    public void A_molecule_beyond_the_truncation_entry_is_refused_or_by_option_cut_as_Hugging_Face_cuts(string direction, string cut)
    {
        string json = SmallTokenizer.With(
            "/truncation",
            $$"""{"direction":"{{direction}}","max_length":5,"strategy":"LongestFirst","stride":0}""");
        const string molecule = "[C][N][O][Br][Br]";
        Tokenizer refusing = Tokenizer.Parse(json, "t.json");
        Assert.That(refusing.Truncation, Is.EqualTo(new Truncation(5, direction == "Right")));
        Assert.That(refusing.Encode(molecule, new ushort[20]), Is.EqualTo(-7));
        Assert.That(() => refusing.Encode(molecule), Refused.With("a molecule of 7 tokens; expected at most 5"));
        Assert.That(refusing.Encode("[C][N][O]"), Is.EqualTo((ushort[])[2, 5, 6, 7, 3]));

        Tokenizer cutting = Tokenizer.Parse(json, "t.json", LengthRule.Truncate);
        Assert.That(string.Join(' ', cutting.Encode(molecule)), Is.EqualTo(cut));
    }

    [Test]
    public void The_grammar_is_inferred_where_the_file_does_not_state_it()
    {
        SymbolCounts counts = new();
        counts.Add("[C][Branch1]");
        Assert.That(Unstated(counts, SelfiesGrammar.V1).Grammar, Is.EqualTo(SelfiesGrammar.V2));
        counts.Add("[Branch1_1]");
        Assert.That(Unstated(counts, SelfiesGrammar.V2).Grammar, Is.EqualTo(SelfiesGrammar.V1));
        Assert.That(() => Unstated(SmallTokenizer.Counts(), SelfiesGrammar.V1).Grammar, Throws.TypeOf<InputException>());

        static Tokenizer Unstated(SymbolCounts counts, SelfiesGrammar stated)
        {
            string json = counts.ToTokenizer(stated).ToJson().Replace($$""","chemscale":{"grammar":"{{stated.Name()}}"}""", "");
            Tokenizer tokenizer = Tokenizer.Parse(json, "t.json");
            Assert.That(tokenizer.GrammarIsStated, Is.False);
            return tokenizer;
        }
    }

    [Test]
    public void Pieces_that_are_no_entry_are_spelt_longest_first_or_unknown_as_a_whole()
    {
        string json = SmallTokenizer.With(
            "/model/vocab",
            """{"[UNK]":0,"[PAD]":1,"[CLS]":2,"[SEP]":3,"[MASK]":4,"[C":5,"##l":6,"##l]":7,"##]":8,"[":9}""");
        Tokenizer tokenizer = Tokenizer.Parse(json, "t.json");
        Assert.That(tokenizer.Encode("[Cl]"), Is.EqualTo((ushort[])[2, 5, 7, 3]));
        Assert.That(tokenizer.Encode("[Cll]"), Is.EqualTo((ushort[])[2, 5, 6, 7, 3]));
        Assert.That(tokenizer.Encode("[C][N]"), Is.EqualTo((ushort[])[2, 5, 8, 0, 3]));
        Assert.That(tokenizer.Decode([2, 5, 6, 7, 5, 8, 3]), Is.EqualTo("[Cll][C]"));
        Assert.That(tokenizer.Encode($"[C{new string('l', 97)}]"), Has.Length.EqualTo(2 + 98));
        Assert.That(tokenizer.Encode($"[C{new string('l', 98)}]"), Is.EqualTo((ushort[])[2, 0, 3]));
    }

    [Test]
    public void A_normalizer_and_an_added_token_outside_the_model_are_honoured()
    {
        const string added = """[{"id":0,"special":true,"content":"[UNK]"},{"id":11,"special":false,"content":"*link*"}]""";
        JsonNode root = JsonNode.Parse(SmallTokenizer.With("/added_tokens", added))!;
        const string strip = """{"type":"Strip","strip_left":true,"strip_right":true}""";
        root["normalizer"] = JsonNode.Parse($$"""{"type":"Sequence","normalizers":[{{strip}}]}""");
        string json = root.ToJsonString();
        Tokenizer tokenizer = Tokenizer.Parse(json, "t.json");
        ushort[] ids = tokenizer.Encode("  [C]*link*[N] ");
        Assert.That(ids, Is.EqualTo((ushort[])[2, 5, 11, 6, 3]));
        Assert.That(tokenizer.Decode(ids), Is.EqualTo("[C]*link*[N]"));
    }

    [Test]
    public void Threads_share_one_tokenizer()
    {
        Tokenizer tokenizer = SmallTokenizer.Create();
        string[] texts = [.. Enumerable.Range(0, 2000).Select(i => $"[C][{i}x][N]")];
        Parallel.ForEach(texts, text => Assert.That(tokenizer.Encode(text), Is.EqualTo((ushort[])[2, 5, 0, 6, 3])));
    }

    [Test]
    public void Encoding_symbols_allocates_nothing()
    {
        Tokenizer tokenizer = SmallTokenizer.Create();
        string text = string.Concat(Enumerable.Repeat("[C][Br][N][Xx]", 8));
        ushort[] ids = new ushort[tokenizer.MaximumIds(text.Length)];
        tokenizer.Encode(text, ids);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) tokenizer.Encode(text, ids);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);
    }
}
