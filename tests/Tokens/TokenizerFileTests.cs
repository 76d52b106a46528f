using System.IO.Compression;
using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens;

public class TokenizerFileTests
{
    [TestCaseSource(typeof(ReferenceData), nameof(ReferenceData.Cases), ["tokenizers", "token_ids_v*.tsv.gz"])]
    public void Ids_equal_those_of_an_independent_reader(string file)
    {
        string version = Path.GetFileName(file)["token_ids_".Length..][..2];
        Tokenizer tokenizer = Tokenizer.Load(ReferenceData.Require($"tokenizers/{version}/tokenizer.json"));
        Assert.That(tokenizer.Grammar, Is.EqualTo(version == "v1" ? SelfiesGrammar.V1 : SelfiesGrammar.V2));
        Assert.That(tokenizer.GrammarIsStated, Is.False);

        int known = 0;
        List<string> different = [];
        using StreamReader reader = new(new GZipStream(File.OpenRead(file), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            string[] fields = line.Split('\t');
            ushort[] ids = tokenizer.Encode(fields[0]);
            if (string.Join(' ', ids) != fields[1]) different.Add(fields[0]);
            // A symbol that the vocabulary has not is lost: nothing but the ids can be equal.
            if (ids.Contains(tokenizer.Vocabulary.Unknown)) continue;
            known++;
            if (tokenizer.Decode(ids) != fields[0]) different.Add(fields[0]);
        }
        Expect.Above(known, 0);
        Assert.That(different, Is.Empty);
    }

    /// <summary>Whether all tokens are of the model so far, or some are added behind it.</summary>
    [Test]
    public void More_symbols_have_the_next_ids([Values] bool behind)
    {
        Tokenizer small = SmallTokenizer.Create();
        if (behind)
        {
            JsonArray added = JsonNode.Parse(small.ToJson())!["added_tokens"]!.DeepClone().AsArray();
            added.Add(JsonNode.Parse($$"""{"id": {{small.Vocabulary.Size}}, "content": "[EXTRA]", "special": true}"""));
            small = Tokenizer.Parse(SmallTokenizer.With("/added_tokens", added.ToJsonString()), "small");
        }
        int size = small.Vocabulary.Size;
        string longest = $"[{new string('C', 120)}]";
        Tokenizer more = Tokenizer.Parse(small.Extended(["[Se]", longest], "here").ToJson(), "again");
        Assert.That(more.Vocabulary.Size, Is.EqualTo(size + 2));
        Assert.That(more.Encode("[C][Se][N]" + longest), Is.EqualTo((int[])[2, small.Encode("[C]")[1], size, small.Encode("[N]")[1], size + 1, 3]));
        Assert.That(more.Decode(more.Encode("[C][Se]" + longest)), Is.EqualTo("[C][Se]" + longest));
        Assert.That(more.Encode("[C][C][Br]"), Is.EqualTo(small.Encode("[C][C][Br]")));
        Assert.That(more.IsSymbol(size), Is.True);
        foreach (string[] wrong in (string[][])[["[C]"], ["Se"], ["[Se]", "[Se]"], ["[SEP]"], ["[Se][As]"]])
            Assert.That(() => small.Extended(wrong, "here"), Throws.TypeOf<InputException>(), string.Join(' ', wrong));
    }

    // Expected ids: the Hugging Face library, version 0.23, on ChemGPT's file for grammar 1.0.4.
    [TestCase("[C][SEP][N]", "2 115 3 137 3")]
    [TestCase("[C[SEP]", "2 161 3 3")]
    [TestCase("[[SEP]]", "2 37 3 38 3")]
    [TestCase("[C].[N]", "2 115 0 137 3")]
    [TestCase("[C]\n[N]", "2 115 0 137 3")]
    [TestCase("[C\nN]", "2 0 3")]
    [TestCase("[Foo][Xexpl]", "2 156 102 102 66 366 148 3")]
    [TestCase("C", "2 15 3")]
    [TestCase("", "2 3")]
    [TestCase("[]", "2 37 66 3")]
    [TestCase("[C][", "2 115 37 3")]
    [TestCase("[C]]", "2 115 38 3")]
    [TestCase("[C][UNK][N]", "2 115 0 137 3")]
    [TestCase("x[C]", "2 58 115 3")]
    [TestCase("[1expl][CH5expl]", "2 37 103 148 0 3")]
    [TestCase("[é]", "2 0 3")]
    [TestCase("##C", "2 96 3")]
    [TestCase("#C", "2 5 96 3")]
    [TestCase("[Al-2Expl]", "2 232 70 83 105 145 143 3")]
    [TestCase("[C][MASK", "2 115 365 75 69 113 3")]
    [TestCase("[Br]Br", "2 178 14 72 3")]
    [Category("Data")]
    public void Odd_texts_get_the_ids_that_Hugging_Face_gives_them(string text, string expected)
    {
        Tokenizer tokenizer = Tokenizer.Load(ReferenceData.Require("tokenizers/v1/tokenizer.json"));
        Assert.That(string.Join(' ', tokenizer.Encode(text)), Is.EqualTo(expected));
    }

    [Test]
    public void A_file_written_and_read_again_is_the_same_tokenizer_and_states_its_grammar()
    {
        Tokenizer tokenizer = SmallTokenizer.Create(SelfiesGrammar.V2);
        using TemporaryFolder folder = new();
        tokenizer.Save(folder["tokenizer.json"]);
        Tokenizer again = Tokenizer.Load(folder["tokenizer.json"]);
        Assert.That(again.GrammarIsStated);
        Assert.That(again.Grammar, Is.EqualTo(SelfiesGrammar.V2));
        Assert.That(again.ToJson(), Is.EqualTo(tokenizer.ToJson()));
        Assert.That(again.Encode("[C][=O][Br]"), Is.EqualTo(tokenizer.Encode("[C][=O][Br]")));
    }

    [Test]
    public void The_grammar_stands_where_Hugging_Face_readers_ignore_unknown_keys()
    {
        JsonObject root = JsonNode.Parse(SmallTokenizer.Create().ToJson())!.AsObject();
        Assert.That(root.Select(member => member.Key), Is.EqualTo(
            (string[])
            [
                "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model",
            ]));
        Assert.That(root["pre_tokenizer"]!["chemscale"]!["grammar"]!.GetValue<string>(), Is.EqualTo("1.0.4"));
    }

    [TestCase("/model/type", "\"BPE\"", "tokenizer.json: model.type: \"BPE\"; expected 'WordPiece'")]
    [TestCase("/model/unk_token", "\"[NO]\"", "model.unk_token: \"[NO]\"; expected a token of model.vocab")]
    [TestCase("/model/vocab/[C]", "70000", "model.vocab.[C]: 70000; expected an integer from 0 to 65535")]
    [TestCase("/model/vocab/[C]", "0", "each id once ('[UNK]' has it too)")]
    [TestCase("/model/vocab/[C]", "999", "no token has id 5")]
    [TestCase("/model/vocab", "[]", "model.vocab: []; expected an object")]
    [TestCase("/model/max_input_chars_per_word", "\"many\"", "max_input_chars_per_word: \"many\"; expected an integer")]
    [TestCase("/pre_tokenizer/pattern/Regex", "\"\\\\s+\"", "pre_tokenizer.pattern.Regex")]
    [TestCase("/pre_tokenizer", "null", "pre_tokenizer: null; expected an object")]
    [TestCase("/pre_tokenizer/behavior", "\"Removed\"", "expected 'Isolated'")]
    [TestCase("/pre_tokenizer/chemscale/grammar", "\"3.0\"", "pre_tokenizer.chemscale.grammar: \"3.0\"; expected 1.0.4, 2.1 or 2.2")]
    [TestCase("/post_processor/single", "[]", "expected [CLS] A [SEP]")]
    [TestCase("/added_tokens/3/id", "8", "added_tokens[3].id: 8; expected 3")]
    [TestCase("/added_tokens/0/lstrip", "true", "added_tokens[0].lstrip: true; expected false")]
    [TestCase("/normalizer", "{\"type\":\"NFKC\"}", "normalizer.type: \"NFKC\"")]
    [TestCase("/truncation", "{\"max_length\":1}", "truncation.max_length: 1; expected an integer of at least 2")]
    [TestCase("/version", "\"2.0\"", "version: \"2.0\"; expected '1.0'")]
    public void A_file_that_is_no_such_tokenizer_is_refused_by_file_key_found_and_expected(string pointer, string value, string message)
    {
        string json = SmallTokenizer.With(pointer, value);
        Assert.That(() => Tokenizer.Parse(json, "tokenizer.json"), Refused.With(message)
            .And.Message.StartsWith("tokenizer.json: "));
    }

    [TestCase("")]
    [TestCase("hello")]
    [TestCase("[1, 2]")]
    [TestCase("{}")]
    [TestCase("{\"version\":\"1.0\"}")]
    [TestCase("{\"version\":\"1.0\",\"model\":3}")]
    [TestCase("\0\u0001\u0002")]
    public void Other_files_are_refused(string content)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["tokenizer.json"], content);
        Assert.That(
            () => Tokenizer.Load(folder["tokenizer.json"]),
            Throws.TypeOf<InputException>().With.Message.StartsWith(folder["tokenizer.json"]));
    }

    [Test]
    public void A_missing_file_is_refused() =>
        Assert.That(
            () => Tokenizer.Load("/nowhere/tokenizer.json"),
            Throws.TypeOf<InputException>().With.Message.StartsWith("/nowhere/tokenizer.json"));
}
