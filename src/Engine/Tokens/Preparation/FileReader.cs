namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Blocks of whole lines from files, one file after another.</summary>
internal sealed class FileReader : IBlockReader
{
    private readonly PreparationOptions _options;
    private readonly Queue<string> _waiting;
    private readonly long _totalBytes;
    private readonly char[] _kept = new char[MoleculeBlock.MaximumCharacters];
    private int _keptCount;
    private long _doneBytes;
    private long _readBytes;
    private long _line;
    private LineFormat _format = LineFormat.FirstField;
    private MoleculeFile? _file;

    /// <exception cref="InputException">A file that is missing or of another kind.</exception>
    public FileReader(PreparationOptions options)
    {
        _options = options;
        _waiting = new Queue<string>(options.Files);
        foreach (string path in options.Files)
        {
            // Every file is opened once now: a wrong name must not show after hours.
            using MoleculeFile file = new(path);
            _totalBytes += new FileInfo(path).Length;
        }
    }

    public double Fraction => (double)Interlocked.Read(ref _readBytes) / _totalBytes;

    public bool Fill(MoleculeBlock block)
    {
        while (true)
        {
            if (_file is null)
            {
                if (!_waiting.TryDequeue(out string? path)) return false;
                _file = new MoleculeFile(path);
                _line = 1;
            }
            if (FillFromFile(block)) return true;
            _doneBytes += _file.BytesRead;
            _file.Dispose();
            _file = null;
        }
    }

    public void ForEach(MoleculeBlock block, MoleculeAction encode)
    {
        ReadOnlySpan<char> text = block.Text.AsSpan(block.Start, block.End - block.Start);
        for (long line = block.First + block.HeaderLines; text.Length > 0; line++)
        {
            int end = text.IndexOf('\n');
            ReadOnlySpan<char> content = (end < 0 ? text : text[..end]).Trim();
            text = end < 0 ? default : text[(end + 1)..];
            if (content.Length == 0) continue;
            if (block.Format.TryField(content, out ReadOnlySpan<char> molecule, out string reason)) encode(block, line, molecule);
            else block.Refuse(line, reason, content);
        }
    }

    public void Dispose() => _file?.Dispose();

    private bool FillFromFile(MoleculeBlock block)
    {
        Span<char> text = block.Text;
        _kept.AsSpan(0, _keptCount).CopyTo(text);
        int read = _file!.Read(text[_keptCount..], _line - 1);
        Interlocked.Exchange(ref _readBytes, _doneBytes + _file.BytesRead);
        int filled = _keptCount + read;
        _keptCount = 0;
        if (filled == 0) return false;
        RefuseBinary(text[..filled]);

        block.Place = _file.Path;
        block.First = _line;
        bool atEnd = filled < text.Length;
        int whole = atEnd ? filled : text.LastIndexOf('\n') + 1;
        if (whole == 0)
        {
            RefuseOverlong(block, text);
            return true;
        }
        Keep(text[whole..filled]);
        block.End = whole;
        block.Count = text[..whole].Count('\n') + (text[whole - 1] == '\n' ? 0 : 1);
        _line += block.Count;
        if (block.First == 1) ReadHeader(block);
        block.Format = _format;
        return true;
    }

    private void ReadHeader(MoleculeBlock block)
    {
        ReadOnlySpan<char> text = block.Text.AsSpan(0, block.End);
        int end = text.IndexOf('\n');
        ReadOnlySpan<char> header = end < 0 ? text : text[..end];
        _format = _file!.IsCsv ? LineFormat.Csv(header.Trim(), _options.Column, _options.Kind, _file.Path) : LineFormat.FirstField;
        if (!_file.IsCsv && !LineFormat.IsHeader(header)) return;
        block.Start = end < 0 ? block.End : end + 1;
        block.HeaderLines = 1;
    }

    // A line that does not fit a block is read past and never held.
    private void RefuseOverlong(MoleculeBlock block, Span<char> text)
    {
        if (_line == 1)
        {
            _format = LineFormat.FirstField;
            if (_file!.IsCsv)
            {
                throw new InputException($"{_file.Path}:1", $"a line of {text.Length} characters or more", "the names of the columns");
            }
        }
        block.Refuse(_line, $"a line of {MoleculeBlock.MaximumCharacters} characters or more", text[..200]);
        block.Count = 1;
        while (true)
        {
            int read = _file!.Read(text, _line);
            RefuseBinary(text[..read]);
            int end = text[..read].IndexOf('\n');
            if (end >= 0) Keep(text[(end + 1)..read]);
            if (end >= 0 || read < text.Length) break;
        }
        _line++;
    }

    private void Keep(ReadOnlySpan<char> rest)
    {
        rest.CopyTo(_kept);
        _keptCount = rest.Length;
    }

    private void RefuseBinary(ReadOnlySpan<char> text)
    {
        int at = text.IndexOf('\0');
        if (at < 0) return;
        long line = _line + text[..at].Count('\n');
        throw new InputException($"{_file!.Path}:{line}", "a NUL byte: this is a binary file", "text, one molecule a line");
    }
}

/// <summary>What is done with one molecule.</summary>
internal delegate void MoleculeAction(MoleculeBlock block, long line, ReadOnlySpan<char> molecule);

/// <summary>Blocks of indices; the molecules are made by the workers.</summary>
internal sealed class SourceReader(IMoleculeSource source) : IBlockReader
{
    private const int BlockMolecules = 1024;

    private readonly ThreadLocal<char[]> _buffers = new(() => new char[source.MaximumCharacters]);
    private long _next;

    public double Fraction => (double)Interlocked.Read(ref _next) / source.Count;

    public bool Fill(MoleculeBlock block)
    {
        long count = Math.Min(BlockMolecules, source.Count - _next);
        block.Place = source.Name;
        block.First = _next;
        block.Count = count;
        Interlocked.Add(ref _next, count);
        return count > 0;
    }

    public void ForEach(MoleculeBlock block, MoleculeAction encode)
    {
        char[] buffer = _buffers.Value!;
        for (long index = block.First; index < block.First + block.Count; index++)
            encode(block, index, buffer.AsSpan(0, source.Write(index, buffer)));
    }

    public void Dispose() => _buffers.Dispose();
}
