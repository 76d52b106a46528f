namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>
/// Extended xyz in the dialect that ASE reads and writes; plain xyz too. Units are eV and Angstrom, as ASE has it, unless stated
/// otherwise. Of labels present under several names the reference calculation's is taken (<c>REF_energy</c> before <c>energy</c>); a
/// virial is turned into a stress.
/// </summary>
public static class ExtXyzReader
{
    /// <summary>The frames of a file, one at a time.</summary>
    /// <exception cref="InputException">While reading: file and line, and what is wrong.</exception>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        using StreamReader reader = OpenText(path);
        foreach (Frame frame in Read(reader, path, options ?? new())) yield return frame;
    }

    internal static IEnumerable<Frame> Read(TextReader reader, string path, FrameReadOptions options)
    {
        FrameBlock block = new(reader, path, options);
        while (block.Next() is { } frame) yield return frame;
    }

    private static StreamReader OpenText(string path)
    {
        try
        {
            return new StreamReader(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a text file", e.Message);
        }
    }
}
