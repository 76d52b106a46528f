using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text;
using ChemScale.Engine.Chemistry;
using ChemScale.Engine.Chemistry.Identity;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Chemistry.Smiles;

namespace ChemScale.Engine.Tokens.Conversion;

/// <summary>
/// A line-by-line filter between SMILES, SELFIES and token ids: one line out for each line in, in order, on all cores. A line that cannot
/// be converted becomes <c>!ERROR reason</c>. Whatever a read returns is converted at once, so lines of a slow pipe do not wait for others;
/// memory is bounded by the longest lines.
/// </summary>
public static class LineConversion
{
    /// <summary>UTF-8 in, with or without a byte order mark, and out. Bytes that are no UTF-8 become U+FFFD, and their line a refused one.</summary>
    /// <returns>How many lines were read, and how many of them refused.</returns>
    public static (long Lines, long Refused) Run(Stream input, Stream output, ConversionOptions options, CancellationToken stop)
    {
        var blocks = new LineBlocks<byte>(input.Read);
        return Run(options, stop,
            block => (block.ByteCount = blocks.Fill(ref block.Bytes)) > 0,
            (converter, block) => block.ConvertBytes(converter),
            block =>
            {
                output.Write(block.Converted, 0, block.ByteCount);
                output.Flush();
            });
    }

    /// <inheritdoc cref="Run(Stream, Stream, ConversionOptions, CancellationToken)"/>
    public static (long Lines, long Refused) Run(TextReader input, TextWriter output, ConversionOptions options, CancellationToken stop)
    {
        var blocks = new LineBlocks<char>(input.Read);
        (long, long) counts = Run(options, stop,
            block => (block.TextLength = blocks.Fill(ref block.Text)) > 0,
            (converter, block) => block.ConvertText(converter),
            block => output.Write(block.Output.Text));
        output.Flush();
        return counts;
    }

    private static (long Lines, long Refused) Run(ConversionOptions options, CancellationToken stop, Func<Block, bool> fill,
        Action<LineConverter, Block> convert, Action<Block> write)
    {
        options.Validate();
        var turns = new Turns(fill, write);
        turns.Run(options.Threads, () =>
        {
            var converter = new LineConverter(options);
            return block => convert(converter, block);
        }, stop);
        return (turns.Lines, turns.Refused);
    }

    /// <summary>Whole lines, then what became of them.</summary>
    private sealed class Block
    {
        public byte[] Bytes = [];
        public byte[] Converted = [];
        public char[] Text = [];

        public int ByteCount { get; set; }

        public int TextLength { get; set; }

        public bool IsFirst { get; set; }

        public TextBuffer Output { get; } = new();

        public int Lines { get; private set; }

        public int Refused { get; private set; }

        public void ConvertBytes(LineConverter converter)
        {
            ReadOnlySpan<byte> bytes = Bytes.AsSpan(0, ByteCount);
            if (IsFirst && bytes.StartsWith("\ufeff"u8)) bytes = bytes[3..];
            LineBlocks.Fit(ref Text, bytes.Length);
            TextLength = Encoding.UTF8.GetChars(bytes, Text);
            ConvertText(converter);
            LineBlocks.Fit(ref Converted, Encoding.UTF8.GetByteCount(Output.Text));
            ByteCount = Encoding.UTF8.GetBytes(Output.Text, Converted);
        }

        public void ConvertText(LineConverter converter)
        {
            Output.Clear();
            Lines = Refused = 0;
            for (ReadOnlySpan<char> rest = Text.AsSpan(0, TextLength); rest.Length > 0;)
            {
                int end = rest.IndexOfAny('\n', '\r');
                Lines++;
                if (!converter.Append(end < 0 ? rest : rest[..end], Output)) Refused++;
                if (end < 0) break;
                rest = rest[(rest[end] == '\r' && end + 1 < rest.Length && rest[end + 1] == '\n' ? end + 2 : end + 1)..];
            }
        }
    }

    /// <summary>
    /// Workers that read, convert and write a block each, and take turns at both ends: a block is never handed from thread to thread, which would
    /// cost as much as its chemistry, and the outcome does not depend on how many they are.
    /// </summary>
    private sealed class Turns(Func<Block, bool> fill, Action<Block> write)
    {
        // Encoders recurse.
        private const int StackBytes = 16 << 20;

        private readonly Lock input = new();
        private readonly object output = new();
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private ExceptionDispatchInfo? readerError;
        private ExceptionDispatchInfo? workerError;
        private long read;
        private long written;
        private int running;
        private bool ended;
        private bool stopped;

        public long Lines { get; private set; }

        public long Refused { get; private set; }

        /// <summary>Until the input ends. What failed is thrown after all that was read before has been written.</summary>
        public void Run(int threads, Func<Action<Block>> converters, CancellationToken stop)
        {
            running = threads;
            for (int i = 0; i < threads; i++) new Thread(() => Work(converters), StackBytes) { IsBackground = true, Name = "line converter" }.Start();
            // Who waits for input then is left behind: it may never come. Nobody writes once Stop has the output.
            using (stop.Register(() => done.TrySetResult())) done.Task.Wait(CancellationToken.None);
            Stop();
            workerError?.Throw();
            stop.ThrowIfCancellationRequested();
            readerError?.Throw();
        }

        private void Work(Func<Action<Block>> converters)
        {
            try
            {
                Action<Block> convert = converters();
                var block = new Block();
                for (long turn; (turn = Read(block)) >= 0;)
                {
                    convert(block);
                    if (!Write(block, turn)) break;
                }
            }
#pragma warning disable CA1031 // Of a thread; Run rethrows it.
            catch (Exception e)
            {
                Interlocked.CompareExchange(ref workerError, ExceptionDispatchInfo.Capture(e), null);
                Stop();
                done.TrySetResult();
            }
#pragma warning restore CA1031
            if (Interlocked.Decrement(ref running) == 0) done.TrySetResult();
        }

        /// <returns>The block's number; -1 where there is none.</returns>
        private long Read(Block block)
        {
            lock (input)
            {
                if (ended) return -1;
                block.IsFirst = read == 0;
                try
                {
                    ended = !fill(block);
                }
#pragma warning disable CA1031 // Run rethrows it.
                catch (Exception e)
                {
                    readerError = ExceptionDispatchInfo.Capture(e);
                    ended = true;
                }
#pragma warning restore CA1031
                return ended ? -1 : read++;
            }
        }

        /// <returns>False: it is over.</returns>
        private bool Write(Block block, long turn)
        {
            lock (output)
            {
                while (written != turn && !stopped) Monitor.Wait(output);
                if (stopped) return false;
                write(block);
                Lines += block.Lines;
                Refused += block.Refused;
                written++;
                Monitor.PulseAll(output);
                return true;
            }
        }

        private void Stop()
        {
            lock (output)
            {
                stopped = true;
                Monitor.PulseAll(output);
            }
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

    /// <summary>SMILES that depend on the molecule alone, not on how it was written. A target only.</summary>
    Canonical,

    /// <summary>The molecule's <see cref="MoleculeKey"/>, 32 hexadecimal digits. A target only.</summary>
    Key,
}

/// <summary>What <see cref="LineConversion"/> makes of each line.</summary>
public sealed record ConversionOptions
{
    public LineForm From { get; init; } = LineForm.Smiles;

    public LineForm To { get; init; } = LineForm.Selfies;

    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>How many bonds atoms may make; null: the tokenizer's, else what the grammar has.</summary>
    public BondConstraints? Constraints { get; init; }

    /// <summary>Needed where tokens are involved.</summary>
    public Tokenizer? Tokenizer { get; init; }

    public int Threads { get; init; } = ProcessorBudget.Count;

    /// <exception cref="InputException">A conversion that means nothing, or tokens without a tokenizer.</exception>
    public void Validate()
    {
        if (From is LineForm.Canonical or LineForm.Key) throw new InputException("from", From.ToString().ToLowerInvariant(), "smiles, selfies or tokens");
        if (From == To) throw new InputException("to", To.ToString().ToLowerInvariant(), "another form than `from`");
        if ((From == LineForm.Tokens || To == LineForm.Tokens) && Tokenizer is null)
            throw new InputException("tokenizer", "none", "a tokenizer.json, which tokens need");
        if (Tokenizer is { Representation: Representation.Selfies } && Tokenizer.Grammar != Grammar)
            throw new InputException("grammar", Grammar.Name(), Tokenizer.Grammar.Name(), "the tokenizer's grammar and the one asked for differ");
        ProcessorBudget.Check(Threads);
    }
}

/// <summary>Converts single lines; one per thread.</summary>
internal sealed class LineConverter(ConversionOptions options)
{
    private readonly LineForm tokens = options.Tokenizer?.Representation == Representation.Smiles ? LineForm.Smiles : LineForm.Selfies;
    private readonly SelfiesCodec codec = SelfiesCodec.Create(options.Grammar, options.Constraints
        ?? (options.Tokenizer is { Representation: Representation.Selfies } tokenizer ? tokenizer.Constraints : null));
    private readonly SmilesReader reader = new();
    private readonly Molecule molecule = new();
    private readonly MoleculeIdentity identity = new();
    private ushort[] ids = new ushort[512];

    /// <summary>Appends the converted line, or <c>!ERROR reason</c>, and a line feed.</summary>
    /// <returns>False where the line was refused.</returns>
    public bool Append(ReadOnlySpan<char> line, TextBuffer output)
    {
        // The first field, as in .smi files: a name may follow.
        ReadOnlySpan<char> field = options.From switch
        {
            LineForm.Tokens => line,
            LineForm.Selfies => SelfiesSymbols.Field(line),
            _ => FirstField(line),
        };
        string? reason = field.IsEmpty ? "empty line" : null;
        if (reason is null)
        {
            ReadOnlySpan<char> text = field;
            if (options.From == LineForm.Tokens) reason = Decode(field, out text);
            reason ??= Rewrite(ref text) ?? AppendTarget(text, output);
        }
        if (reason is not null)
        {
            output.Append("!ERROR ");
            output.Append(reason.Length > 0 ? reason : "refused");
        }
        output.Append('\n');
        return reason is null;
    }

    /// <summary>SELFIES or SMILES, whichever lies behind a form.</summary>
    private LineForm Behind(LineForm form) => form switch
    {
        LineForm.Tokens => tokens,
        LineForm.Canonical or LineForm.Key => LineForm.Smiles,
        _ => form,
    };

    /// <summary>From the text behind the source to that behind the target.</summary>
    private string? Rewrite(ref ReadOnlySpan<char> text)
    {
        LineForm from = Behind(options.From), to = Behind(options.To);
        if (from == LineForm.Smiles && to == LineForm.Selfies) return codec.TryEncode(text, out text) ? null : codec.Reason;
        if (from == LineForm.Selfies && to == LineForm.Smiles) return codec.TryDecode(text, out text) ? null : codec.Reason;
        // Any text has tokens of SMILES, and any tokens have a text; canonical SMILES and keys are read anyway.
        bool unread = from == LineForm.Smiles && options.To is not (LineForm.Canonical or LineForm.Key);
        return unread && !reader.TryRead(text, molecule) ? reader.Reason : null;
    }

    private string? AppendTarget(ReadOnlySpan<char> text, TextBuffer output)
    {
        if (options.To is LineForm.Canonical or LineForm.Key) return AppendIdentity(text, output);
        if (options.To == LineForm.Tokens) return AppendIds(text, output);
        output.Append(text);
        return null;
    }

    private string? AppendIdentity(ReadOnlySpan<char> smiles, TextBuffer output)
    {
        if (options.To == LineForm.Key)
        {
            if (!identity.TryKey(smiles, out MoleculeKey key)) return identity.Reason;
            output.Append(key.ToString());
            return null;
        }
        if (!identity.TryCanonicalSmiles(smiles, out ReadOnlySpan<char> canonical)) return identity.Reason;
        output.Append(canonical);
        return null;
    }

    private string? AppendIds(ReadOnlySpan<char> molecule, TextBuffer output)
    {
        Tokenizer tokenizer = options.Tokenizer!;
        int most = tokenizer.MaximumIds(molecule.Length);
        if (ids.Length < most) ids = new ushort[2 * most];
        int count;
        try
        {
            count = tokenizer.Encode(molecule, ids);
        }
        catch (InputException e)
        {
            return e.Message;
        }
        for (int i = 0; i < count; i++)
        {
            if (i > 0) output.Append(' ');
            output.Append(ids[i]);
        }
        return null;
    }

    /// <returns>What is wrong with the ids; null where nothing is.</returns>
    private string? Decode(ReadOnlySpan<char> line, out ReadOnlySpan<char> text)
    {
        text = default;
        var list = new List<ushort>();
        int size = options.Tokenizer!.Vocabulary.Size;
        foreach (Range range in line.Split(' '))
        {
            ReadOnlySpan<char> word = line[range].Trim();
            if (word.IsEmpty) continue;
            if (!ushort.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out ushort id) || id >= size) return $"'{word}' is no id below {size}";
            list.Add(id);
        }
        text = options.Tokenizer.Decode([.. list]);
        return null;
    }

    private static ReadOnlySpan<char> FirstField(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        int end = line.IndexOfAny(' ', '\t');
        return end < 0 ? line : line[..end];
    }
}
