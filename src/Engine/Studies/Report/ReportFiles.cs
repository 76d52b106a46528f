using System.Xml.Linq;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Studies.Report;

/// <summary>A page and its figures as files: each under a temporary name that is then renamed, the page last.</summary>
internal static class ReportFiles
{
    /// <exception cref="InputException">The directory cannot be written.</exception>
    public static void Write(string directory, IEnumerable<(string Name, string Content)> first, IEnumerable<Figure> figures, (string Name, string Content) page,
        IStorage storage)
    {
        var files = new List<(string Name, string Content)>(first);
        foreach (Figure figure in figures)
        {
            files.Add((figure.CsvPath, figure.Numbers.ToString()));
            files.Add((figure.SvgPath, figure.Svg().ToString(SaveOptions.DisableFormatting) + "\n"));
        }
        files.Add(page);
        try
        {
            storage.EnsureDirectory(Path.Combine(directory, "figures"));
            foreach ((string name, string content) in files) storage.WriteAtomically(Path.Combine(directory, name), content);
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(directory, e.Message, "a directory that can be written");
        }
    }
}
