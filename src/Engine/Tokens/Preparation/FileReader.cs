namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Blocks of whole lines from files, one file after another.</summary>
internal sealed class FileReader : IBlockReader
{
    private readonly PreparationOptions options;
    private readonly CancellationToken stop;
    private readonly Queue<string> waiting;
    private readonly long totalBytes;
    private readonly char[] kept = new char[MoleculeBlock.MaximumCharacters];
    private int keptCount;
    private long doneBytes;
    private long readBytes;
    private long line;
    private LineFormat format = LineFormat.FirstField(MoleculeKind.Smiles);
    private MoleculeFile? file;

    /// <param name="options">Name the files.</param>
    /// <param name="stop">Heard within a line that never ends, too.</param>
    /// <exception cref="InputException">A file that is missing or of another kind.</exception>
    public FileReader(PreparationOptions options, CancellationToken stop = default)
    {
        this.options = options;
        this.stop = stop;
        waiting = new Queue<string>(options.Files);
        foreach (string path in options.Files)
        {
            // Every file is opened once now: a wrong name must not show after hours.
            using MoleculeFile file = new(path);
            totalBytes += new FileInfo(path).Length;
        }
    }

    public double Fraction => (double)Interlocked.Read(ref readBytes) / totalBytes;

    public bool Fill(MoleculeBlock block)
    {
        while (true)
        {
            if (file is null)
            {
                if (!waiting.TryDequeue(out string? path)) return false;
                file = new MoleculeFile(path);
                line = 1;
            }
            if (FillFromFile(block)) return true;
            doneBytes += file.BytesRead;
            file.Dispose();
            file = null;
        }
    }

    public void ForEach(MoleculeBlock block, MoleculeAction encode)
    {
        ReadOnlySpan<char> text = block.Text.AsSpan(block.Start, block.End - block.Start);
        LineFormat format = block.Format;
        for (long line = block.First + block.HeaderLines; text.Length > 0;)
        {
            long start = line;
            ReadOnlySpan<char> record = text[..format.RecordLength(text)], content = record.Trim();
            text = text[record.Length..];
            line += record.Count('\n');
            if (content.Length == 0 || format.IsComment(content)) continue;
            if (block.Format.TryField(content, out ReadOnlySpan<char> molecule, out string reason)) encode(block, start, molecule);
            else block.Refuse(start, reason, content);
        }
    }

    public void Dispose() => file?.Dispose();

    private bool FillFromFile(MoleculeBlock block)
    {
        Span<char> text = block.Text;
        kept.AsSpan(0, keptCount).CopyTo(text);
        int read = file!.Read(text[keptCount..], line - 1);
        Interlocked.Exchange(ref readBytes, doneBytes + file.BytesRead);
        int filled = keptCount + read;
        keptCount = 0;
        if (filled == 0) return false;
        RefuseBinary(text[..filled]);

        block.Place = file.Path;
        block.First = line;
        bool atEnd = filled < text.Length;
        if (line == 1 && (atEnd || text.Contains('\n'))) ReadHeader(block, text[..filled]);
        int whole = block.Start + format.WholeRecords(text[block.Start..filled], atEnd);
        if (whole == 0)
        {
            RefuseOverlong(block, text);
            return true;
        }
        Keep(text[whole..filled]);
        block.End = whole;
        block.Count = text[..whole].Count('\n') + (text[whole - 1] == '\n' ? 0 : 1);
        line += block.Count;
        block.Format = format;
        return true;
    }

    private LineFormat FirstField => LineFormat.FirstField(options.Kind);

    private void ReadHeader(MoleculeBlock block, ReadOnlySpan<char> text)
    {
        int end = text.IndexOf('\n');
        ReadOnlySpan<char> header = end < 0 ? text : text[..end];
        format = file!.IsCsv ? LineFormat.Csv(header.Trim(), options.Column, options.Kind, file.Path) : FirstField;
        if (!file.IsCsv && !LineFormat.IsHeader(header)) return;
        block.Start = end < 0 ? text.Length : end + 1;
        block.HeaderLines = 1;
    }

    // A line that does not fit a block is read past and never held.
    private void RefuseOverlong(MoleculeBlock block, Span<char> text)
    {
        if (this.line == 1)
        {
            format = FirstField;
            if (file!.IsCsv)
            {
                throw new InputException($"{file.Path}:1", $"a line of {text.Length} characters or more", "the names of the columns");
            }
        }
        block.Refuse(this.line, $"a line of {MoleculeBlock.MaximumCharacters} characters or more", text[..200]);
        block.Count = 1;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            int read = file!.Read(text, this.line);
            RefuseBinary(text[..read]);
            int end = text[..read].IndexOf('\n');
            if (end >= 0) Keep(text[(end + 1)..read]);
            if (end >= 0 || read < text.Length) break;
        }
        this.line++;
    }

    private void Keep(ReadOnlySpan<char> rest)
    {
        rest.CopyTo(kept);
        keptCount = rest.Length;
    }

    private void RefuseBinary(ReadOnlySpan<char> text)
    {
        int at = text.IndexOf('\0');
        if (at < 0) return;
        long line = this.line + text[..at].Count('\n');
        throw new InputException($"{this.file!.Path}:{line}", "a NUL byte: this is a binary file", "text, one molecule a line");
    }
}

/// <summary>What is done with one molecule.</summary>
internal delegate void MoleculeAction(MoleculeBlock block, long line, ReadOnlySpan<char> molecule);

/// <summary>Blocks of indices; the molecules are made by the workers.</summary>
internal sealed class SourceReader(IMoleculeSource source) : IBlockReader
{
    private const int BlockMolecules = 1024;

    private readonly ThreadLocal<char[]> buffers = new(() => new char[source.MaximumCharacters]);
    private long next;

    public double Fraction => (double)Interlocked.Read(ref next) / source.Count;

    public bool Fill(MoleculeBlock block)
    {
        long count = Math.Min(BlockMolecules, source.Count - next);
        block.Place = source.Name;
        block.First = next;
        block.Count = count;
        Interlocked.Add(ref next, count);
        return count > 0;
    }

    public void ForEach(MoleculeBlock block, MoleculeAction encode)
    {
        char[] buffer = buffers.Value!;
        for (long index = block.First; index < block.First + block.Count; index++)
            encode(block, index, buffer.AsSpan(0, source.Write(index, buffer)));
    }

    public void Dispose() => buffers.Dispose();
}
