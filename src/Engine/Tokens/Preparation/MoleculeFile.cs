using System.IO.Compression;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>One open file of molecules: its text, whether it was gzipped or not, and how far it was read.</summary>
internal sealed class MoleculeFile : IDisposable
{
    private static readonly string[] Extensions = [".smi", ".smiles", ".txt", ".csv", ".tsv"];

    private readonly FileStream file;
    private readonly StreamReader text;
    private readonly bool compressed;
    private readonly ReadBudget? budget;
    private bool afterReturn;

    /// <exception cref="InputException">No such file, an empty one, or one of another kind.</exception>
    public MoleculeFile(string path)
    {
        Path = path;
        IsCsv = IsTable(path);
        try
        {
            this.file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a file of molecules", e.Message);
        }
        if (this.file.Length == 0)
        {
            this.file.Dispose();
            throw new InputException(path, "is empty", "molecules, one a line");
        }
        // By content: names lie.
        compressed = this.file.ReadByte() == 0x1f && this.file.ReadByte() == 0x8b;
        this.file.Position = 0;
        budget = compressed ? new ReadBudget(path) : null;
        text = new StreamReader(compressed ? new CompleteGzipStream(this.file) : this.file, Encoding.UTF8, true, 1 << 16);
    }

    public string Path { get; }

    public bool IsCsv { get; }

    public long BytesRead => file.Position;

    /// <summary>Has a header and columns.</summary>
    /// <inheritdoc cref="KindOf"/>
    public static bool IsTable(string path) => KindOf(path) is ".csv" or ".tsv";

    /// <summary>The extension before .gz.</summary>
    /// <exception cref="InputException">Not one that is known.</exception>
    public static string KindOf(string path)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        string extension = System.IO.Path.GetExtension(name).ToLowerInvariant();
        return Extensions.Contains(extension)
            ? extension
            : throw new InputException(path, $"extension '{extension}'", ".smi, .txt, .csv or .tsv, or one of them with .gz");
    }

    /// <summary>Reads on until the span is full or the file ends; what ends a line is LF, whatever it is in the file.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="lines">Whole lines read before, to say in an error.</param>
    /// <exception cref="InputException">The compressed data end early, or are damaged.</exception>
    public int Read(Span<char> buffer, long lines)
    {
        int filled = 0;
        try
        {
            while (filled < buffer.Length && text.Read(buffer[filled..]) is > 0 and int read)
            {
                budget?.Unpack(Path, read);
                filled += LineFeeds(buffer.Slice(filled, read));
            }
            return filled;
        }
        catch (Exception e) when (this.compressed && e is InvalidDataException or EndOfStreamException)
        {
            throw new InputException(
                Path,
                $"compressed data end early or are damaged after {lines + buffer[..filled].Count('\n')} whole lines",
                "a complete .gz file",
                "nothing was written and what the output held is unchanged; gzip -dc unpacks those lines, to be prepared alone");
        }
        catch (IOException e)
        {
            throw new InputException(Path, $"cannot be read after {lines} whole lines", "a file of molecules", e.Message);
        }
    }

    public void Dispose() => text.Dispose();

    /// <summary>CR and CR LF to LF, in place.</summary>
    /// <returns>Characters left.</returns>
    private int LineFeeds(Span<char> text)
    {
        bool returned = afterReturn;
        afterReturn = text[^1] == '\r';
        int kept = returned && text[0] == '\n' ? 0 : text.IndexOf('\r');
        if (kept < 0) return text.Length;
        returned &= kept == 0;
        for (int i = kept; i < text.Length; i++)
        {
            char c = text[i];
            if (c != '\n' || !returned) text[kept++] = c == '\r' ? '\n' : c;
            returned = c == '\r';
        }
        return kept;
    }
}

/// <summary>
/// Decompresses gzip data and refuses data that end early, which <see cref="GZipStream"/> takes for the end. To tell, a last member of
/// our own is appended: only behind a complete one does its content come out.
/// </summary>
internal sealed class CompleteGzipStream : Stream
{
    private static readonly byte[] Seal = "\u0003chemscale-seal\u0004"u8.ToArray();
    private static readonly byte[] SealMember = Compress(Seal);

    private readonly GZipStream inner;
    private readonly byte[] held = new byte[1 << 16];
    private int start;
    private int end;
    private bool ended;

    public CompleteGzipStream(Stream compressed) => inner = new GZipStream(new SealedStream(compressed), CompressionMode.Decompress);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    /// <exception cref="InvalidDataException">The data are damaged or end early.</exception>
    public override int Read(Span<byte> buffer)
    {
        // The seal's length stays behind until the end shows whether it is the seal.
        while (!ended && end - start <= Seal.Length) Refill();
        int count = Math.Min(buffer.Length, end - start - Seal.Length);
        held.AsSpan(start, count).CopyTo(buffer);
        start += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        inner.Dispose();
        base.Dispose(disposing);
    }

    private void Refill()
    {
        held.AsSpan(start, this.end - start).CopyTo(held);
        (start, this.end) = (0, this.end - start);
        int read = inner.Read(held, this.end, held.Length - this.end);
        this.end += read;
        ended = read == 0;
        if (ended && !held.AsSpan(0, this.end).EndsWith(Seal)) throw new InvalidDataException("The compressed data end early.");
    }

    private static byte[] Compress(byte[] bytes)
    {
        using MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(bytes);
        return stream.ToArray();
    }

    /// <summary>The compressed data, then the seal's member.</summary>
    private sealed class SealedStream(Stream data) : Stream
    {
        private int closed;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            int read = data.Read(buffer);
            if (read > 0 || buffer.Length == 0) return read;
            int count = Math.Min(buffer.Length, SealMember.Length - closed);
            SealMember.AsSpan(closed, count).CopyTo(buffer);
            closed += count;
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            data.Dispose();
            base.Dispose(disposing);
        }
    }
}
