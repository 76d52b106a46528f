using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Search;

/// <summary>A search as a self-contained page beside its runs: what the paper's second figure shows, and the numbers.</summary>
public static class SearchPage
{
    public const string PageName = "report.html";

    /// <param name="selection">What came out.</param>
    /// <param name="basis">The experiment that the configurations vary.</param>
    /// <param name="directory">Of the runs; receives report.html and figures/.</param>
    /// <param name="command">The command line, for the page.</param>
    /// <param name="notes">Commands that go on from here, for the page; null: none.</param>
    /// <returns>The path of the page.</returns>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static string Write(SelectionSummary selection, Experiment basis, string directory, string command, IReadOnlyList<CommandNote>? notes = null)
    {
        ModelFamily family = basis.Model.Family;
        string path = Path.Combine(directory, PageName);
        StudyPart part = SelectionPage.Part(family.Title, family.LossUnit(basis.Training), family.ItemName, family.Data.Facts(basis.Data.Store), selection, notes);
        SelectionPage.Write(path, $"Training performance estimation of {family.Title}", command, part, true, [], []);
        return path;
    }
}
