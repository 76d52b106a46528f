using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// Writes what a study found: report.html (self-contained, without scripts or network), summary.json, and under figures/ each picture as
/// SVG with the numbers behind it as CSV.
/// </summary>
public static class StudyReport
{
    public const string PageName = "report.html";
    public const string SummaryName = "summary.json";

    /// <summary>Writes the report, each file under a temporary name that is then renamed, the page last.</summary>
    /// <param name="summary">What the study found; empty lists and values that are not numbers show as dashes.</param>
    /// <param name="directory">Made where it does not exist; files of an earlier report are replaced.</param>
    /// <returns>The path of the page.</returns>
    /// <exception cref="InputException">The directory cannot be written.</exception>
    public static string Write(StudySummary summary, string directory) => Write(summary, directory, DiskStorage.Shared);

    internal static string Write(StudySummary summary, string directory, IStorage storage)
    {
        IReadOnlyList<PartFigures> figures = PartFigures.Of(summary);
        ReportFiles.Write(directory, [(SummaryName, SummaryJson.Write(summary))], figures.SelectMany(f => f.All),
            (PageName, ReportPage.Render(summary, figures)), storage);
        return Path.Combine(directory, PageName);
    }
}
