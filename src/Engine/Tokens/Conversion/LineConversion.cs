using System.Globalization;
using System.Text;
using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens.Conversion;

/// <summary>
/// A line-by-line filter between SMILES, SELFIES and token ids: one line out for each line in, in order, on all cores. A line that cannot
/// be converted becomes <c>!ERROR reason</c>. Memory is bounded by the longest lines.
/// </summary>
public static class LineConversion
{
    private const int LinesPerBlock = 2048;

    // A block ends early at this many characters, so that a file of giant lines does not pile up.
    private const int CharactersPerBlock = 1 << 20;

    /// <returns>How many lines were read, and how many of them refused.</returns>
    public static (long Lines, long Refused) Run(TextReader input, TextWriter output, ConversionOptions options, CancellationToken stop = default)
    {
        options.Validate();
        var converters = new LineConverter[options.Threads];
        for (int t = 0; t < options.Threads; t++) converters[t] = new LineConverter(options);
        long lines = 0, refused = 0;
        // Two turns of blocks: one is converted while the next is read and the last written.
        Task<Block[]>? converting = null;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            Block[] next = Read(input, options.Threads);
            if (converting is not null)
            {
                foreach (Block block in converting.GetAwaiter().GetResult())
                {
                    output.Write(block.Output);
                    lines += block.Lines.Count;
                    refused += block.Refused;
                }
            }
            if (next.Length == 0) break;
            converting = Task.Run(
                () =>
                {
                    Parallel.For(0, next.Length, new ParallelOptions { MaxDegreeOfParallelism = options.Threads }, t => next[t].Convert(converters[t]));
                    return next;
                }, stop);
        }
        output.Flush();
        return (lines, refused);
    }

    private static Block[] Read(TextReader input, int count)
    {
        var blocks = new List<Block>();
        while (blocks.Count < count)
        {
            var block = new Block();
            long characters = 0;
            while (block.Lines.Count < LinesPerBlock && characters < CharactersPerBlock && input.ReadLine() is { } line)
            {
                block.Lines.Add(line);
                characters += line.Length;
            }
            if (block.Lines.Count == 0) break;
            blocks.Add(block);
        }
        return [.. blocks];
    }

    private sealed class Block
    {
        public List<string> Lines { get; } = [];

        public System.Text.StringBuilder Output { get; } = new();

        public long Refused { get; private set; }

        public void Convert(LineConverter converter)
        {
            foreach (string line in Lines)
                if (!converter.Append(line, Output)) Refused++;
        }
    }
}

/// <summary>What a line holds.</summary>
public enum LineForm
{
    Smiles,
    Selfies,

    /// <summary>Token ids, [CLS] and [SEP] included, separated by spaces.</summary>
    Tokens,
}

/// <summary>What <see cref="LineConversion"/> makes of each line.</summary>
public sealed record ConversionOptions
{
    public LineForm From { get; init; } = LineForm.Smiles;

    public LineForm To { get; init; } = LineForm.Selfies;

    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>Needed where tokens are involved.</summary>
    public Tokenizer? Tokenizer { get; init; }

    public int Threads { get; init; } = ProcessorBudget.Count;

    /// <exception cref="InputException">A conversion that means nothing, or tokens without a tokenizer.</exception>
    public void Validate()
    {
        if (From == To) throw new InputException("to", To.ToString().ToLowerInvariant(), "another form than `from`");
        if ((From == LineForm.Tokens || To == LineForm.Tokens) && Tokenizer is null)
            throw new InputException("tokenizer", "none", "a tokenizer.json, which tokens need");
        if (Tokenizer is not null && Tokenizer.Grammar != Grammar)
            throw new InputException("grammar", Grammar.Name(), Tokenizer.Grammar.Name(), "the tokenizer's grammar and the one asked for differ");
        if (Threads < 1) throw new InputException("threads", $"{Threads}", "1 or more");
    }
}

/// <summary>Converts single lines; one per thread.</summary>
internal sealed class LineConverter(ConversionOptions options)
{
    private readonly SelfiesCodec codec = SelfiesCodec.Create(options.Grammar);
    private ushort[] ids = new ushort[512];

    /// <summary>Appends the converted line, or <c>!ERROR reason</c>, and a line feed.</summary>
    /// <returns>False where the line was refused.</returns>
    public bool Append(string line, StringBuilder output)
    {
        // The first field, as in .smi files: a name may follow.
        ReadOnlySpan<char> field = options.From == LineForm.Tokens ? line : FirstField(line);
        string? reason = field.IsEmpty ? "empty line" : null;
        if (reason is null)
        {
            ReadOnlySpan<char> selfies = field;
            if (options.From == LineForm.Smiles && !codec.TryEncode(field, out selfies)) reason = codec.Reason;
            else if (options.From == LineForm.Tokens) reason = Decode(field, out selfies);
            reason ??= AppendTarget(selfies, output);
        }
        if (reason is not null) output.Append("!ERROR ").Append(reason.Length > 0 ? reason : "refused");
        output.Append('\n');
        return reason is null;
    }

    private string? AppendTarget(ReadOnlySpan<char> selfies, StringBuilder output)
    {
        switch (options.To)
        {
            case LineForm.Selfies:
                output.Append(selfies);
                return null;
            case LineForm.Smiles:
                if (!codec.TryDecode(selfies, out ReadOnlySpan<char> smiles)) return codec.Reason;
                output.Append(smiles);
                return null;
            default:
                return AppendIds(selfies, output);
        }
    }

    private string? AppendIds(ReadOnlySpan<char> selfies, StringBuilder output)
    {
        Tokenizer tokenizer = options.Tokenizer!;
        int most = tokenizer.MaximumIds(selfies.Length);
        if (ids.Length < most) ids = new ushort[2 * most];
        int count;
        try
        {
            count = tokenizer.Encode(selfies, ids);
        }
        catch (InputException e)
        {
            return e.Message;
        }
        for (int i = 0; i < count; i++)
        {
            if (i > 0) output.Append(' ');
            output.Append(CultureInfo.InvariantCulture, $"{ids[i]}");
        }
        return null;
    }

    /// <returns>What is wrong with the ids; null where nothing is.</returns>
    private string? Decode(ReadOnlySpan<char> line, out ReadOnlySpan<char> selfies)
    {
        selfies = default;
        var list = new List<ushort>();
        int size = options.Tokenizer!.Vocabulary.Size;
        foreach (Range range in line.Split(' '))
        {
            ReadOnlySpan<char> word = line[range].Trim();
            if (word.IsEmpty) continue;
            if (!ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ushort id) || id >= size) return $"'{word}' is no id below {size}";
            list.Add(id);
        }
        selfies = options.Tokenizer.Decode([.. list]);
        return null;
    }

    private static ReadOnlySpan<char> FirstField(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        int end = line.IndexOfAny(' ', '\t');
        return end < 0 ? line : line[..end];
    }
}
