using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Tokens;
using NUnit.Framework;

namespace ChemScale.Tests.Generation;

public class SymbolRuleTests
{
    // Whole symbols, among them ones that a grammar reads in some places alone; pieces; what looks like a symbol and is none.
    private static readonly string[] First = ["[C]", "[=C]", "[O]", "[N]", "[Ring1]", "[Branch1_1]", "[Branch1_2]", "[NH4+expl]", "[epsilon]", "[nop]", ".", "[Ring2]",
        "[C@@Hexpl]"];
    private static readonly string[] Second = ["[C]", "[=C]", "[O]", "[N]", "[Ring1]", "[Branch1]", "[=Branch1]", "[NH4+1]", "[epsilon]", "[nop]", ".", "[Ring2]", "[C@@H1]"];
    private static readonly string[] Pieces = ["[", "]", "C", "##C", "##]", "[C", "##N]", "[Branch9_9]", "[]", "[CH9expl]"];

    [TestCase(SelfiesGrammar.V1), TestCase(SelfiesGrammar.V2)]
    public void Whatever_a_model_draws_and_ends_is_a_molecule_with_atoms(SelfiesGrammar grammar)
    {
        Tokenizer tokenizer = Of(grammar, [.. grammar == SelfiesGrammar.V1 ? First : Second, .. Pieces]);
        Vocabulary vocabulary = tokenizer.Vocabulary;
        // Two rows more than there are tokens, and scores far apart: each sequence has its own favourites.
        using var model = new ChemGpt(new ChemGptConfig { Layers = 2, Width = 32, Heads = 4, Positions = 60, VocabularySize = vocabulary.Size + 2, InitStd = 0.2 }, 5);
        var rule = new SymbolRule(tokenizer, model.Config.VocabularySize);
        var codec = SelfiesCodec.Create(grammar);
        var seen = new HashSet<int>();
        int finished = 0;
        foreach (GeneratedSequence sequence in SequenceGenerator.Generate(
            model, new SamplingOptions { Count = 400, MaximumTokens = 30, Seed = 2 }, [], vocabulary.Start, vocabulary.End, rule.Never, rule))
        {
            seen.UnionWith(sequence.Ids);
            if (!sequence.Finished) continue;
            finished++;
            string selfies = tokenizer.Decode([.. sequence.Ids.Select(id => (ushort)id)]);
            Assert.That(codec.TryDecode(selfies, out ReadOnlySpan<char> smiles), Is.True, selfies);
            Expect.Above(smiles.Length, 0, selfies);
        }
        Expect.Above(finished, 100);
        Assert.That(seen.Select(vocabulary.Text).Intersect(Pieces), Is.Empty);
        // Nothing that stands for a symbol is held back.
        Assert.That(seen.Select(vocabulary.Text), Is.EquivalentTo(grammar == SelfiesGrammar.V1 ? First : Second));
    }

    [Test]
    public void Without_the_rule_some_of_it_is_none()
    {
        Tokenizer tokenizer = Of(SelfiesGrammar.V1, [.. First, .. Pieces]);
        Vocabulary vocabulary = tokenizer.Vocabulary;
        using var model = new ChemGpt(new ChemGptConfig { Layers = 2, Width = 32, Heads = 4, Positions = 60, VocabularySize = vocabulary.Size, InitStd = 0.2 }, 5);
        var codec = SelfiesCodec.Create(SelfiesGrammar.V1);
        int refused = SequenceGenerator.Generate(model, new SamplingOptions { Count = 100, MaximumTokens = 30, Seed = 2 }, [], vocabulary.Start, vocabulary.End, [0, 1, 2])
            .Count(s => s.Finished && (!codec.TryDecode(tokenizer.Decode([.. s.Ids.Select(id => (ushort)id)]), out ReadOnlySpan<char> smiles) || smiles.Length == 0));
        Expect.Above(refused, 10);
    }

    [TestCase("[C][O]", PromptForm.Auto, "[C][O]", "CO")]
    [TestCase("CO", PromptForm.Auto, "[C][O]", "CO")]
    [TestCase("OC", PromptForm.Smiles, "[O][C]", "OC")]
    [TestCase("C1CC1", PromptForm.Auto, "[C][C][C][Ring1][Ring1]", "C1CC1")]
    [TestCase("", PromptForm.Selfies, "", "")]
    public void A_prompt_is_what_it_is_in_both_forms(string text, PromptForm form, string selfies, string smiles)
    {
        MoleculePrompt prompt = MoleculePrompt.Read(Of(SelfiesGrammar.V1, First), text, form);
        Assert.That((prompt.Selfies, prompt.Smiles), Is.EqualTo((selfies, smiles)));
        Assert.That(prompt.Ids, Has.Length.EqualTo(selfies.Count(c => c == '[')));
    }

    [TestCase("c1ccccc1", PromptForm.Selfies, "SELFIES")]
    [TestCase("[C][Branch1][C]", PromptForm.Auto, "[Branch1]")]
    [TestCase("[C][Branch1][C]", PromptForm.Selfies, "[Branch1]")]
    [TestCase("[C][O]", PromptForm.Smiles, "SMILES")]
    [TestCase("CBr", PromptForm.Auto, "[Br]")]
    [TestCase("[C", PromptForm.Auto, "'[C'")]
    [TestCase("[Ring1]", PromptForm.Selfies, "no atoms")]
    [TestCase("[CLS]", PromptForm.Selfies, "[CLS]")]
    [TestCase("[C]C", PromptForm.Selfies, "not SELFIES")]
    public void A_prompt_that_is_none_is_refused_with_its_symbol(string text, PromptForm form, string named) =>
        Assert.That(() => MoleculePrompt.Read(Of(SelfiesGrammar.V1, First), text, form), Refused.With("prompt", named));

    [Test]
    public void No_two_sequences_of_a_seed_have_the_same_numbers()
    {
        // Both of seed 0 hashed to one 31-bit number before version 0.4.
        double[] scores = [.. Enumerable.Repeat(0.0, 1000)];
        string Drawn(long sequence)
        {
            var sampler = new TokenSampler(0, sequence, 1, 0);
            return string.Join(' ', Enumerable.Range(0, 5).Select(_ => sampler.Draw<double>(scores)));
        }
        Assert.That(Drawn(13819), Is.Not.EqualTo(Drawn(48272)));
        const int sequences = 200_000;
        Assert.That(Enumerable.Range(0, sequences).Select(s => Drawn(s)).Distinct().Count(), Is.EqualTo(sequences));
    }

    [TestCase(0.9), TestCase(0.5), TestCase(0.01)]
    public void The_nucleus_is_what_sorting_finds(double p)
    {
        var random = new Random(3);
        for (int draw = 0; draw < 50; draw++)
        {
            double[] scores = [.. Enumerable.Range(0, 60).Select(_ => 6 * random.NextDouble())];
            double[] weights = [.. scores.Select(s => Math.Exp(s / 0.7))];
            double total = weights.Sum(), sum = 0;
            var nucleus = new HashSet<int>();
            foreach (int id in Enumerable.Range(0, 60).OrderByDescending(i => weights[i]))
            {
                nucleus.Add(id);
                sum += weights[id] / total;
                if (sum >= p) break;
            }
            // The same numbers decide: what is outside weighs nothing.
            double[] masked = [.. scores.Select((s, i) => nucleus.Contains(i) ? s : double.NegativeInfinity)];
            for (int seed = 0; seed < 20; seed++)
                Assert.That(new TokenSampler(seed, draw, 0.7, 0, p).Draw<double>(scores), Is.EqualTo(new TokenSampler(seed, draw, 0.7, 0).Draw<double>(masked)));
        }
    }

    [Test]
    public void Repetition_is_held_back_as_it_is_defined()
    {
        double[] scores = [2, -2, 4, -4, 1];
        TokenSampler.Penalize<double>(scores, [0, 1, 0, 1, 0], 2);
        Assert.That(scores, Is.EqualTo((double[])[1, -4, 4, -4, 1]));
        TokenSampler.HideRepeats<double>(scores, [2, 3, 4, 2, 3], 3);
        Assert.That(scores, Is.EqualTo((double[])[1, -4, 4, -4, double.NegativeInfinity]));
        TokenSampler.HideRepeats<double>(scores, [2], 1);
        Assert.That(scores[2], Is.EqualTo(double.NegativeInfinity));
        using var model = new ChemGpt(new ChemGptConfig { Layers = 1, Width = 16, Heads = 4, Positions = 40, VocabularySize = 12, InitStd = 0.5 }, 2);
        foreach (GeneratedSequence s in SequenceGenerator.Generate(model, new SamplingOptions { Count = 10, NoRepeat = 2, TopK = 2 }, [], 2, 3, [0, 1, 2, 4]))
        {
            (int, int)[] pairs = [.. s.Ids.Zip(s.Ids.Skip(1))];
            Assert.That(pairs, Is.Unique);
        }
    }

    [Test]
    public void Where_nothing_can_be_drawn_nothing_is()
    {
        Assert.That(new TokenSampler(1, 1, 1, 0).Draw<float>([float.NegativeInfinity, float.NegativeInfinity]), Is.EqualTo(-1));
        Assert.That(new TokenSampler(1, 1, 1, 3).Draw<float>([float.NaN, float.NaN, float.NaN, float.NaN]), Is.EqualTo(-1));
        Assert.That(new TokenSampler(1, 1, 1, 0).Draw<float>([float.NegativeInfinity, -3]), Is.EqualTo(1));
    }

    /// <summary>A tokenizer of these texts, as they are.</summary>
    internal static Tokenizer Of(SelfiesGrammar grammar, string[] texts)
    {
        JsonNode root = JsonNode.Parse(TokenizerWriter.Symbols(["[C]"], grammar))!;
        JsonObject vocabulary = root["model"]!["vocab"]!.AsObject();
        foreach (string text in texts)
            if (!vocabulary.ContainsKey(text)) vocabulary[text] = vocabulary.Count;
        return Tokenizer.Parse(root.ToJsonString(), "a tokenizer");
    }
}
