using System.Text;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>One open file of molecules: its text, whether it was gzipped or not, and how far it was read.</summary>
internal sealed class MoleculeFile : IDisposable
{
    private static readonly string[] Extensions = [".smi", ".smiles", ".txt", ".csv"];

    private readonly FileStream _file;
    private readonly StreamReader _text;
    private readonly bool _compressed;

    /// <exception cref="InputException">No such file, an empty one, or one of another kind.</exception>
    public MoleculeFile(string path)
    {
        Path = path;
        IsCsv = KindOf(path) == ".csv";
        try
        {
            _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a file of molecules", e.Message);
        }
        if (_file.Length == 0)
        {
            _file.Dispose();
            throw new InputException(path, "is empty", "molecules, one a line");
        }
        // By content: names lie.
        _compressed = _file.ReadByte() == 0x1f && _file.ReadByte() == 0x8b;
        _file.Position = 0;
        _text = new StreamReader(_compressed ? new CompleteGzipStream(_file) : _file, Encoding.UTF8, true, 1 << 16);
    }

    public string Path { get; }

    public bool IsCsv { get; }

    public long BytesRead => _file.Position;

    /// <summary>The extension before .gz.</summary>
    /// <exception cref="InputException">Not one that is known.</exception>
    public static string KindOf(string path)
    {
        string name = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? path[..^3] : path;
        string extension = System.IO.Path.GetExtension(name).ToLowerInvariant();
        return Extensions.Contains(extension)
            ? extension
            : throw new InputException(path, $"extension '{extension}'", ".smi, .txt or .csv, or one of them with .gz");
    }

    /// <summary>Reads on until the span is full or the file ends.</summary>
    /// <param name="buffer">Where to.</param>
    /// <param name="lines">Whole lines read before, to say in an error.</param>
    /// <exception cref="InputException">The compressed data end early, or are damaged.</exception>
    public int Read(Span<char> buffer, long lines)
    {
        int filled = 0;
        try
        {
            while (filled < buffer.Length && _text.Read(buffer[filled..]) is > 0 and int read) filled += read;
            return filled;
        }
        catch (Exception e) when (_compressed && e is InvalidDataException or EndOfStreamException)
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

    public void Dispose() => _text.Dispose();
}
