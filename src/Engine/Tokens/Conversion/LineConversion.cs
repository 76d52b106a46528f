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
