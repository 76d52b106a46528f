using ChemScale.Engine.Generation;
using ChemScale.Engine.Models;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Tests.Models;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Generation;

public class ChemGptDecoderTests
{
    // A lane per head, with and without idle ones; heads of whole vectors, with and without padding; a head of one number.
    private static readonly ChemGptConfig[] Shapes =
    [
        Shape(32, 16, "gl", 7), Shape(64, 16, "gl", 40), Shape(128, 16, "lg", 33), Shape(16, 16, "l", 3), Shape(32, 8, "g", 5), Shape(64, 32, "gl", 64),
        Shape(96, 12, "gl", 9), Shape(64, 2, "gl", 5), Shape(48, 1, "l", 31), Shape(48, 3, "gll", 32), Shape(80, 5, "gl", 256), Shape(256, 16, "gl", 1),
    ];

    [TearDown]
    public void Reset() => TestScope.Reset();

    [TestCaseSource(nameof(Shapes))]
    public void Host_scores_equal_composed_ones_while_sequences_end(ChemGptConfig config)
    {
        foreach (ScalarType type in (ScalarType[])[ScalarType.Float32, ScalarType.Float64])
        {
            using var scope = NewDisposeScope();
            using var model = new ChemGpt(config, 3, type);
            using ChemGptDecoder host = Decoder(model, OperatorMode.Host), composed = Decoder(model, OperatorMode.Composed);
            Assert.That(host, Is.TypeOf<ChemGptDecoderHost>());
            Assert.That(composed, Is.TypeOf<ChemGptDecoderComposed>());
            foreach (int count in (int[])[37, 2])
            {
                var random = new Random(count);
                host.Begin(count);
                composed.Begin(count);
                for (int t = 0; t < (count == 2 ? 3 : 68); t++)
                {
                    using var step = NewDisposeScope();
                    if (t is 20 or 34 or 66)
                    {
                        long[] kept = [.. Enumerable.Range(0, host.Sequences).Where(s => s % 4 != t % 3).Select(s => (long)s).Reverse()];
                        host.Keep(kept);
                        composed.Keep(kept);
                    }
                    long[] ids = [.. Enumerable.Range(0, host.Sequences).Select(_ => (long)random.Next(config.VocabularySize))];
                    Tensor actual = host.Step(ids), expected = composed.Step(ids);
                    Expect.Close(actual, expected, ofLargest: type == ScalarType.Float32 ? 1e-5 : 1e-12, message: $"{type}, {count} sequences, position {t}");
                }
                Assert.That(host.Length, Is.EqualTo(composed.Length));
            }
        }
    }

    [Test]
    public void Greedy_text_is_what_the_whole_model_says([Values] Parametrization parametrization, [Values("g", "gl")] string pattern)
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(Shape(32, 16, pattern, 6) with { Parametrization = parametrization, BaseWidth = 16 }, 8, ScalarType.Float64);
        int[] ids = SequenceGenerator.Generate(model, new SamplingOptions { Count = 1, Temperature = 0, MaximumTokens = 40 }, [5, 6], 2, 3, []).First().Ids;
        List<int> sequence = [2, 5, 6];
        while (sequence.Count < 40)
        {
            (Tensor input, Tensor positions, var rows, _) = GptNeoFixture.Pack([[.. sequence]]);
            int next = (int)model.Logits(input, positions, rows).select(0, -1).argmax().item<long>();
            if (next == 3) break;
            sequence.Add(next);
        }
        Assert.That(ids, Is.EqualTo(sequence.Skip(1)));
        Expect.Above(ids.Length, 2);
    }

    [Test, NonParallelizable]
    public void Scores_do_not_depend_on_the_number_of_threads()
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(Shape(64, 16, "gl", 9), 3);
        float[][] Scores(int threads)
        {
            using ThreadGrant granted = ThreadGrant.Take(threads);
            using ChemGptDecoder decoder = Decoder(model, OperatorMode.Host);
            var random = new Random(1);
            decoder.Begin(101);
            return [.. Enumerable.Range(0, 12).Select(_ => decoder.Step([.. Enumerable.Range(0, 101).Select(_ => (long)random.Next(20))]).data<float>().ToArray())];
        }
        float[][] one = Scores(1);
        foreach (int threads in (int[])[2, 3, 4]) Assert.That(Scores(threads), Is.EqualTo(one), $"{threads} threads");
    }

    [Test]
    public void Caches_are_as_long_as_their_sequences_and_as_far_as_windows_reach()
    {
        using var model = new ChemGpt(Shape(32, 16, "gl", 20) with { Positions = 300 }, 3);
        using var decoder = (ChemGptDecoderHost)Decoder(model, OperatorMode.Host);
        decoder.Begin(4);
        Assert.That(decoder.CacheBytes, Is.Zero);
        // Three layers of 32 keys and values of 32 numbers.
        const long page = 3 * 32 * 2 * 32 * sizeof(float);
        var bytes = new List<long>();
        for (int t = 0; t < 290; t++)
        {
            decoder.Step([4, 5, 6, 7], null);
            bytes.Add(decoder.CacheBytes);
        }
        Assert.That(bytes[0], Is.EqualTo(4 * page));
        Assert.That(bytes[31], Is.EqualTo(4 * page));
        Assert.That(bytes[32], Is.EqualTo(8 * page));
        // Ten pages of the two layers that see all, two of the one that sees twenty: its reach begins on the ninth.
        Assert.That(bytes[289], Is.EqualTo(4 * (10 * 2 + 2) * page / 3));
        decoder.Keep([2]);
        Assert.That(decoder.CacheBytes, Is.EqualTo(bytes[289] / 4));
        decoder.Begin(0);
        Assert.That(decoder.CacheBytes, Is.Zero);
    }

    [Test]
    public void What_no_decoder_can_do_is_refused()
    {
        using var model = new ChemGpt(Shape(32, 16, "gl", 5) with { Positions = 3 }, 3);
        using ChemGptDecoder decoder = Decoder(model, OperatorMode.Host);
        decoder.Begin(2);
        Assert.That(() => decoder.Step([1], null), Throws.ArgumentException);
        Assert.That(() => decoder.Step([1, 20], null), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => decoder.Step([1, -1], null), Throws.TypeOf<ArgumentOutOfRangeException>());
        for (int t = 0; t < 3; t++) decoder.Step([1, 2], null);
        Assert.That(() => decoder.Step([1, 2], null), Throws.InvalidOperationException);
    }

    [TestCaseSource(nameof(Shapes))]
    public void Sequences_that_begin_at_other_times_and_with_a_prompt_score_as_whole_ones(ChemGptConfig config)
    {
        using var scope = NewDisposeScope();
        using var model = new ChemGpt(config, 3, ScalarType.Float64);
        foreach (int prompted in (int[])[1, 40])
        {
            var random = new Random(prompted);
            int[] prompt = [.. Enumerable.Range(0, prompted).Select(_ => random.Next(config.VocabularySize))];
            foreach (OperatorMode mode in (OperatorMode[])[OperatorMode.Host, OperatorMode.Composed])
            {
                using ChemGptDecoder decoder = Decoder(model, mode);
                var first = new FirstRow();
                decoder.Prompt([.. prompt.Select(id => (long)id)], first);
                Expect.Close(first.Scores, Whole(model, prompt), ofLargest: 1e-11, message: $"{mode}, behind {prompted} tokens");
                decoder.Begin(3);
                List<int>[] sequences = [.. Enumerable.Range(0, 3).Select(_ => new List<int>(prompt))];
                for (int t = 0; t < 36; t++)
                {
                    using var step = NewDisposeScope();
                    // Others begin anew while the rest goes on.
                    if (t is 3 or 20)
                    {
                        int row = t % 3;
                        decoder.Restart(row);
                        sequences[row] = [.. prompt];
                    }
                    foreach (List<int> sequence in sequences) sequence.Add(random.Next(config.VocabularySize));
                    Tensor scores = decoder.Step([.. sequences.Select(s => (long)s[^1])]);
                    if (t is not (0 or 4 or 21 or 35)) continue;
                    for (int row = 0; row < 3; row++)
                        Expect.Close(scores.select(0, row).data<double>(), Whole(model, [.. sequences[row]]), ofLargest: 1e-11,
                            message: $"{mode}, {prompted} tokens, step {t}, row {row}");
                }
                Assert.That(decoder.Length, Is.EqualTo(prompted + 36));
            }
        }
    }

    private static double[] Whole(ChemGpt model, int[] ids)
    {
        using var scope = NewDisposeScope();
        (Tensor input, Tensor positions, var rows, _) = GptNeoFixture.Pack([ids]);
        return [.. model.Logits(input, positions, rows).select(0, -1).contiguous().data<double>()];
    }

    private sealed class FirstRow : ChemScale.Engine.Operators.Transformer.IScoreReader
    {
        public double[] Scores { get; private set; } = [];

        public void Read<T>(int row, Span<T> scores)
            where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
        {
            Assert.That(row, Is.Zero);
            Scores = [.. scores.ToArray().Select(double.CreateChecked)];
        }
    }

    [Test]
    public void A_sequence_is_not_kept_twice()
    {
        using var model = new ChemGpt(Shape(32, 16, "gl", 5), 3);
        using ChemGptDecoder decoder = Decoder(model, OperatorMode.Host);
        decoder.Begin(3);
        decoder.Step([1, 2, 3], null);
        Assert.That(() => decoder.Keep([1, 1]), Throws.ArgumentException);
        Assert.That(() => decoder.Keep([3]), Throws.TypeOf<ArgumentOutOfRangeException>());
        decoder.Keep([2, 0]);
        Assert.That(decoder.Sequences, Is.EqualTo(2));
    }

    [Test]
    public void Widths_that_are_no_whole_vectors_and_the_composed_mode_go_by_library_operations()
    {
        using var odd = new ChemGpt(Shape(20, 4, "gl", 5), 3);
        using (ChemGptDecoder decoder = Decoder(odd, OperatorMode.Auto)) Assert.That(decoder, Is.TypeOf<ChemGptDecoderComposed>());
        using var even = new ChemGpt(Shape(32, 4, "gl", 5), 3);
        using (ChemGptDecoder decoder = Decoder(even, OperatorMode.Kernels)) Assert.That(decoder, Is.TypeOf<ChemGptDecoderComposed>());
        using (ChemGptDecoder decoder = Decoder(even, OperatorMode.Auto)) Assert.That(decoder, Is.TypeOf<ChemGptDecoderHost>());
    }

    private static ChemGptDecoder Decoder(ChemGpt model, OperatorMode mode)
    {
        using RunScope.Entry run = new RunScope(mode).Enter();
        return ChemGptDecoder.Of(model);
    }

    private static ChemGptConfig Shape(int width, int heads, string pattern, int window) => new()
    {
        Layers = 3,
        Width = width,
        Heads = heads,
        AttentionPattern = pattern,
        Window = window,
        Positions = 80,
        VocabularySize = 20,
        InitStd = 0.8 / Math.Sqrt(width),
    };
}
