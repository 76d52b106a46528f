using System.IO.Compression;

namespace ChemScale.Tests.Chemistry;

/// <summary>Lines of a text file, gzipped or not.</summary>
public static class DataLines
{
    public static IEnumerable<string> Of(string path)
    {
        using Stream file = File.OpenRead(path);
        using Stream data = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var reader = new StreamReader(data);
        while (reader.ReadLine() is { } line) yield return line;
    }
}
