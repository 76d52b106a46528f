using System.Collections.Concurrent;
using System.Text;
using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Conversion;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Conversion;

public class LineConversionTests
{
    [Test]
    public void Lines_keep_their_order_on_many_threads([Values(1, 3)] int threads)
    {
        string[] smiles = [.. Enumerable.Range(0, 20_000).Select(i => i % 7 == 3 ? "C1CC" : new string('C', 1 + i % 40))];
        (string[] lines, long refused) = Convert(smiles, new ConversionOptions { Threads = threads });
        Assert.That(lines, Has.Length.EqualTo(smiles.Length));
        for (int i = 0; i < lines.Length; i++)
        {
            if (i % 7 == 3) Assert.That(lines[i], Does.StartWith("!ERROR "));
            else Assert.That(lines[i], Is.EqualTo(string.Concat(Enumerable.Repeat("[C]", 1 + i % 40))));
        }
        Assert.That(refused, Is.EqualTo(smiles.Where((_, i) => i % 7 == 3).Count()));
    }

    [Test]
    public void There_and_back_through_tokens()
    {
        var counts = new SymbolCounts();
        counts.Add("[C][O][=N]");
        Tokenizer tokenizer = counts.ToTokenizer(SelfiesGrammar.V1, 1);
        (string[] ids, _) = Convert(["COC", "C=N"], new ConversionOptions { To = LineForm.Tokens, Tokenizer = tokenizer });
        Assert.That(ids[0].Split(' '), Has.Length.EqualTo(5), "[CLS], three symbols, [SEP]");
        (string[] smiles, _) = Convert(ids, new ConversionOptions { From = LineForm.Tokens, To = LineForm.Smiles, Tokenizer = tokenizer });
        Assert.That(smiles, Is.EqualTo(new[] { "COC", "C=N" }));
    }

    [TestCase("", "!ERROR empty line")]
    [TestCase("CCO ethanol", "[C][C][O]")]
    [TestCase("CCO\tethanol", "[C][C][O]")]
    [TestCase("  CCO  ", "[C][C][O]")]
    public void The_first_field_counts(string line, string expected) =>
        Assert.That(Convert([line], new ConversionOptions()).Lines, Is.EqualTo(new[] { expected }));

    [TestCase("[C][C][O] ethanol", "CCO")]
    [TestCase("[C] [C] [O]", "CCO")]
    [TestCase("[C] [C]\t[O] ethanol", "CCO")]
    public void Symbols_of_a_molecule_may_stand_apart(string line, string smiles)
    {
        foreach (SelfiesGrammar grammar in Enum.GetValues<SelfiesGrammar>())
        {
            var options = new ConversionOptions { From = LineForm.Selfies, To = LineForm.Smiles, Grammar = grammar };
            Assert.That(Convert([line], options).Lines, Is.EqualTo((string[])[smiles]), grammar.ToString());
        }
    }

    [Test]
    public void A_word_that_is_no_id_is_refused_in_its_line()
    {
        Tokenizer tokenizer = new SymbolCounts().ToTokenizer(SelfiesGrammar.V2, 1);
        var options = new ConversionOptions { From = LineForm.Tokens, To = LineForm.Selfies, Grammar = SelfiesGrammar.V2, Tokenizer = tokenizer };
        Assert.That(Convert(["2 x 3", "2 99999 3"], options).Lines, Has.All.StartsWith("!ERROR"));
    }

    [Test]
    public void Conversions_that_mean_nothing_are_refused()
    {
        Assert.That(() => Convert([], new ConversionOptions { To = LineForm.Smiles }), Throws.TypeOf<InputException>());
        Assert.That(() => Convert([], new ConversionOptions { To = LineForm.Tokens }), Throws.TypeOf<InputException>().With.Message.Contains("tokenizer"));
    }

    [Test]
    public void Bytes_are_read_as_a_stream_reader_reads_them_however_they_arrive([Values(1, 2)] int threads)
    {
        byte[][] pieces = [.. new[] { "C", "CCO", "c1ccccc1", "C1CC", " ", "\t", "\n", "\n", "\r", "\r\n", "\ufeff", "\0", "\u00e9", "\u00a0", "\U0001f600" }
            .Select(Encoding.UTF8.GetBytes), [0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f]];
        Random random = new(5);
        for (int round = 0; round < 200; round++)
        {
            byte[] input = [.. Enumerable.Range(0, random.Next(40)).SelectMany(_ => pieces[random.Next(pieces.Length)])];
            var options = new ConversionOptions { Threads = threads };
            using var output = new MemoryStream();
            (long lines, long refused) = LineConversion.Run(new Trickle(input, random), output, options, default);
            (string expected, long expectedLines, long expectedRefused) = LineByLine(input, options);
            Assert.That(Encoding.UTF8.GetString(output.ToArray()), Is.EqualTo(expected), System.Convert.ToHexString(input));
            Assert.That((lines, refused), Is.EqualTo((expectedLines, expectedRefused)));
        }
    }

    [TestCase("\n"), TestCase("\r"), TestCase("\r\n")]
    public void A_line_longer_than_a_block_is_one_line(string end)
    {
        byte[] input = Encoding.UTF8.GetBytes(string.Join(end, new string('C', 300_000), "CO", new string('N', 65_536), "O"));
        using var output = new MemoryStream();
        LineConversion.Run(new MemoryStream(input), output, new ConversionOptions { Threads = 2 }, default);
        string[] lines = Encoding.UTF8.GetString(output.ToArray()).Split('\n');
        Assert.That(lines.Select(l => l.Length), Is.EqualTo(new[] { 900_000, 6, 3 * 65_536, 3, 0 }));
    }

    [Test]
    public void Blocks_stay_as_large_as_they_are_where_what_becomes_of_them_is_larger()
    {
        using var input = new Asked(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("CCCCCCCCCCCCCCCC\n", 60_000))));
        (long lines, long refused) = LineConversion.Run(input, Stream.Null, new ConversionOptions { Threads = 1 }, CancellationToken.None);
        Assert.That((lines, refused), Is.EqualTo((60_000, 0)));
        Assert.That(input.Most, Is.EqualTo(LineBlocks.Size), "a read that grows with the output leaves the caches");
    }

    /// <summary>Remembers the largest read that was asked for.</summary>
    private sealed class Asked(byte[] content) : MemoryStream(content)
    {
        public int Most { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            Most = Math.Max(Most, buffer.Length);
            return base.Read(buffer);
        }
    }

    [Test]
    public void A_line_comes_out_while_the_next_is_waited_for()
    {
        using var typed = new Pipe();
        using var shown = new Pipe();
        Task<(long Lines, long Refused)> running = Task.Run(() => LineConversion.Run(typed, shown, new ConversionOptions { Threads = 2 }, default));
        foreach (string smiles in new[] { "CO", "CN", "CCO" })
        {
            typed.Write(Encoding.UTF8.GetBytes(smiles + "\n"));
            string expected = string.Concat(smiles.Select(atom => $"[{atom}]")) + "\n";
            Assert.That(shown.Pieces.TryTake(out byte[]? answer, TimeSpan.FromSeconds(20)), smiles);
            Assert.That(Encoding.UTF8.GetString(answer!), Is.EqualTo(expected));
        }
        typed.Pieces.CompleteAdding();
        Assert.That(running.Wait(TimeSpan.FromSeconds(20)) && running.Result.Lines == 3);
    }

    [Test]
    public void It_can_be_stopped_while_it_waits_for_input()
    {
        var typed = new Pipe();
        using var stop = new CancellationTokenSource(50);
        Task running = Task.Run(() => LineConversion.Run(typed, Stream.Null, new ConversionOptions { Threads = 1 }, stop.Token));
        Assert.That(() => running.Wait(TimeSpan.FromSeconds(20)), Throws.InnerException.InstanceOf<OperationCanceledException>());
        typed.Pieces.CompleteAdding();
    }

    private static (string Output, long Lines, long Refused) LineByLine(byte[] input, ConversionOptions options)
    {
        using var reader = new StreamReader(new MemoryStream(input), Encoding.UTF8, false);
        var output = new StringBuilder();
        var converter = SelfiesCodec.Create(options.Grammar);
        long lines = 0, refused = 0;
        for (; reader.ReadLine() is { } line; lines++)
        {
            string field = line.Trim().Split(' ', '\t')[0];
            bool taken = converter.TryEncode(field, out ReadOnlySpan<char> selfies) && field.Length > 0;
            if (!taken) refused++;
            output.Append(taken ? selfies : field.Length == 0 ? "!ERROR empty line" : "!ERROR " + converter.Reason).Append('\n');
        }
        return (output.ToString(), lines, refused);
    }

    /// <summary>What is written can be read, piece by piece; a read waits for it.</summary>
    private sealed class Pipe : MemoryStream
    {
        public BlockingCollection<byte[]> Pieces { get; } = [];

        public override void Write(byte[] buffer, int offset, int count) => Pieces.Add(buffer[offset..(offset + count)]);

        public override void Write(ReadOnlySpan<byte> buffer) => Pieces.Add(buffer.ToArray());

        public override int Read(Span<byte> buffer)
        {
            if (!Pieces.TryTake(out byte[]? piece, Timeout.Infinite)) return 0;
            piece.CopyTo(buffer);
            return piece.Length;
        }
    }

    /// <summary>A few bytes a read.</summary>
    private sealed class Trickle(byte[] bytes, Random random) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, random.Next(1, 5))]);
    }

    private static (string[] Lines, long Refused) Convert(IEnumerable<string> lines, ConversionOptions options)
    {
        using var input = new StringReader(string.Concat(lines.Select(l => l + "\n")));
        using var output = new StringWriter();
        (_, long refused) = LineConversion.Run(input, output, options, default);
        string text = output.ToString();
        return (text.Length == 0 ? [] : text[..^1].Split('\n'), refused);
    }
}
