using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
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
    /// <returns>The path of the page.</returns>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static string Write(SelectionSummary selection, Experiment basis, string directory, string command)
    {
        bool forceField = basis.Model.Config is ForceFieldConfig;
        DataFacts data = forceField ? FrameFacts.Of(basis.Data.Store, null) : StoreFacts.Of(basis.Data.Store, null);
        string family = forceField ? ((ForceFieldConfig)basis.Model.Config).Title : "ChemGPT", path = Path.Combine(directory, PageName);
        StudyPart part = SelectionPage.Part(family, forceField ? "weighted squared errors, eV and A" : "nats per token", forceField ? "frames" : "tokens", data,
            selection, [new("The same curves fed to every pruner", $"chemscale estimate {directory} --html {Path.Combine(directory, "replay", "replay.html")}")]);
        SelectionPage.Write(path, $"Training performance estimation of {family}", command, part, true, [], []);
        return path;
    }
}
