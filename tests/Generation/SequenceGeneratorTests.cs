using ChemScale.Engine;
using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Tests.Models;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Generation;

public class SequenceGeneratorTests
{
    private static readonly ChemGptConfig Config = new()
    {
        Layers = 3,
        Width = 16,
        Heads = 4,
        Window = 5,
        Positions = 40,
        VocabularySize = 12,
        InitStd = 0.5,
    };

    [Test]
    public void Step_by_step_scores_equal_those_of_the_whole_sequence([Values] Parametrization parametrization)
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(Config with { Parametrization = parametrization, BaseWidth = 24 }, 3, ScalarType.Float64);
        int[][] sequences = [[2, 5, 7, 8, 9, 11, 4, 4, 5, 6, 7], [2, 7, 7, 6, 10, 3, 8, 9, 5, 5, 1]];
        (Tensor ids, Tensor positions, var rows, _) = GptNeoFixture.Pack(sequences);
        Tensor whole = model.Logits(ids, positions, rows).view(2, 11, 12);
        using ChemGptDecoder decoder = ChemGptDecoder.Of(model);
        decoder.Begin(2);
        for (int t = 0; t < 11; t++)
        {
            Tensor step = decoder.Step([sequences[0][t], sequences[1][t]]);
            Expect.Close(step, whole.select(1, t), absolute: 1e-12, message: $"position {t}");
        }
    }

    [Test]
    public void The_batch_size_does_not_change_what_is_drawn()
    {
        using var model = new ChemGpt(Config, 1, ScalarType.Float64);
        string[] Draw(int batch) => [.. SequenceGenerator
            .Generate(model, new SamplingOptions { Count = 9, BatchSize = batch, MaximumTokens = 30, Seed = 4 }, [6], 2, 3, [0, 1, 2, 4])
            .Select(s => string.Join(' ', s.Ids) + s.Finished)];
        string[] one = Draw(1);
        Assert.That(Draw(4), Is.EqualTo(one));
        Assert.That(Draw(9), Is.EqualTo(one));
        Expect.Above(one.Distinct().Count(), 1);
        Assert.That(one, Has.All.StartsWith("6"));
    }

    [Test]
    public void Where_a_sampling_is_gone_on_with_does_not_change_what_is_drawn()
    {
        using var model = new ChemGpt(Config, 1, ScalarType.Float64);
        string[] Draw(long first, int batch) => [.. SequenceGenerator
            .Generate(model, new SamplingOptions { Count = 23, BatchSize = batch, MaximumTokens = 30, Seed = 4 }, [6], 2, 3, [0, 1, 2, 4], first: first)
            .Select(s => string.Join(' ', s.Ids) + s.Finished)];
        string[] all = Draw(0, 5);
        Assert.That(all, Has.Length.EqualTo(23));
        foreach (int first in (int[])[1, 7, 22, 23]) Assert.That(Draw(first, 4), Is.EqualTo(all.Skip(first)), $"from {first}");
    }

    [Test]
    public void Sequences_are_given_while_others_are_drawn()
    {
        // A million would take long.
        using var model = new ChemGpt(Config, 1);
        Assert.That(SequenceGenerator.Generate(model, new SamplingOptions { Count = 1_000_000, BatchSize = 8 }, [], 2, 3, [0, 1, 2, 4]).Take(40).Count(), Is.EqualTo(40));
    }

    [Test]
    public void More_tokens_than_the_model_has_positions_are_refused()
    {
        using var model = new ChemGpt(Config, 1);
        Assert.That(() => SequenceGenerator.Generate(model, new SamplingOptions { MaximumTokens = 41 }, [], 2, 3, []), Refused.With("maximumTokens", "41", "40"));
        Assert.That(SequenceGenerator.Generate(model, new SamplingOptions { Count = 3 }, [], 2, 3, [0, 1, 2, 3, 4]).Select(s => s.Ids.Length), Is.All.EqualTo(39));
    }

    [Test]
    public void Forbidden_tokens_are_never_drawn_and_the_length_is_bounded()
    {
        using var model = new ChemGpt(Config, 2);
        foreach (GeneratedSequence s in SequenceGenerator.Generate(model, new SamplingOptions { Count = 20, MaximumTokens = 15 }, [], 2, 3, [0, 1, 2, 4]))
        {
            Assert.That(s.Ids, Has.None.AnyOf(0, 1, 2, 3, 4));
            Expect.AtMost(s.Ids.Length, 14);
            Assert.That(s.Finished || s.Ids.Length == 14, Is.True);
        }
    }

    [Test]
    public void Temperature_zero_and_top_one_take_the_likeliest_token()
    {
        using var model = new ChemGpt(Config, 6, ScalarType.Float64);
        int[] Greedy(SamplingOptions options) => SequenceGenerator.Generate(model, options, [], 2, 3, [0, 1, 2, 4]).First().Ids;
        int[] zero = Greedy(new SamplingOptions { Count = 1, Temperature = 0, MaximumTokens = 20 });
        int[] top = Greedy(new SamplingOptions { Count = 1, TopK = 1, MaximumTokens = 20, Seed = 9 });
        Assert.That(top, Is.EqualTo(zero));
    }

    [Test]
    public void Frequencies_follow_the_softmax_of_the_scores()
    {
        double[] scores = [0, 1, 2, double.NegativeInfinity];
        var counts = new int[4];
        const int draws = 20_000;
        for (int s = 0; s < draws; s++) counts[new TokenSampler(1, s, 2, 0).Draw<double>(scores)]++;
        double total = 1 + Math.Exp(0.5) + Math.Exp(1);
        for (int i = 0; i < 3; i++)
        {
            double p = Math.Exp(scores[i] / 2) / total;
            Expect.Close(counts[i], p * draws, absolute: 5 * Math.Sqrt(draws * p * (1 - p)));
        }
        Assert.That(counts[3], Is.Zero);
    }

    [Test]
    public void The_likeliest_tokens_are_those_that_sorting_finds([Values(3, 12, 684, 5000)] int vocabulary, [Values] bool ties)
    {
        var random = new Random(vocabulary);
        foreach (double spread in (double[])[1e-3, 1, 30, 1e20])
        {
            float[] scores = [.. Enumerable.Range(0, vocabulary).Select(_ => (float)(spread * (random.NextDouble() - 0.7)))];
            if (ties) for (int i = 0; i < vocabulary; i++) scores[i] = (float)(spread * Math.Round(4 * scores[i] / spread));
            for (int i = 0; i < vocabulary; i += 3) scores[i] = float.NegativeInfinity;
            foreach (int k in (int[])[1, 2, 50, vocabulary / 2, vocabulary - 1])
            {
                if (k >= vocabulary || k < 1) continue;
                float least = scores.Order().ElementAt(vocabulary - k), found = TokenSampler.Threshold<float>(scores, k, scores.Max());
                double[] wide = [.. scores.Select(s => (double)s)];
                double foundWide = TokenSampler.Threshold<double>(wide, k, wide.Max());
                bool[] expected = [.. scores.Select(s => s >= least)];
                Assert.That(scores.Select(s => s >= found), Is.EqualTo(expected), $"{k} of {spread}");
                Assert.That(wide.Select(s => s >= foundWide), Is.EqualTo(expected), $"{k} of {spread}, float64");
            }
        }
    }

    [Test]
    public void What_is_drawn_is_what_the_stream_of_numbers_says()
    {
        // Version 0.3's: candidates in the order of their ids, from one number a token.
        const int k = 7;
        var random = new Random(2);
        var sampler = new TokenSampler(5, 3, 0.8, k);
        var again = new TokenSampler(5, 3, 0.8, 0);
        for (int draw = 0; draw < 200; draw++)
        {
            double[] scores = [.. Enumerable.Range(0, 40).Select(_ => 4 * random.NextDouble())];
            scores[draw % 40] = double.NegativeInfinity;
            double least = scores.Order().ElementAt(40 - k);
            double[] masked = [.. scores.Select(s => s >= least ? s : double.NegativeInfinity)];
            Assert.That(sampler.Draw<double>(scores), Is.EqualTo(again.Draw<double>(masked)), $"draw {draw}");
        }
    }

    [Test]
    public void A_negative_temperature_is_refused()
    {
        using var model = new ChemGpt(Config, 6);
        Assert.That(() => SequenceGenerator.Generate(model, new SamplingOptions { Temperature = -1 }, [], 2, 3, []).ToArray(),
            Throws.TypeOf<InputException>());
    }
}
