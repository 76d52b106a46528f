using System.Xml.Linq;
using ChemScale.Engine.Files;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;

namespace ChemScale.Engine.Studies.Report;

/// <summary>A page on one selection alone, of a search or of recorded curves: the figures of the paper's second, and what belongs to them.</summary>
internal static class SelectionPage
{
    /// <param name="path">Of the page; figures and their numbers go under figures/ beside it.</param>
    /// <param name="title">Of the page.</param>
    /// <param name="command">The command line that made it.</param>
    /// <param name="part">Its grid may be empty.</param>
    /// <param name="data">Show what is known of the data.</param>
    /// <param name="more">Further figures, with the selection's.</param>
    /// <param name="sections">Further sections, after the selection's.</param>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Write(string path, string title, string command, StudyPart part, bool data, IReadOnlyList<Figure> more, IEnumerable<XElement> sections)
    {
        string full = Path.GetFullPath(path), directory = Path.GetDirectoryName(full)!, slug = Slug(path);
        IReadOnlyList<Figure> figures = [.. PartFigures.OfSelection(part, slug), .. more];
        string page = ReportPage.Page(title,
            Html.Element("header", Html.Element("h1", title), Html.Paragraph(Html.Class("meta"), Html.SyntheticLabel(part.Data.Synthetic), " ", part.Data.Source)),
            data ? DataSection.Render(part, slug) : null,
            SelectionSection.Render(part, slug, [.. figures.Select(ReportPage.Figure)]),
            sections, ReportPage.Terms(),
            Html.Section("commands", 2, "Commands", Html.Paragraph("This page again:"), Html.Code(command),
                part.Commands.Select(c => new object[] { Html.Paragraph(c.Purpose), Html.Code(c.Command) })),
            ReportPage.References());
        ReportFiles.Write(directory, [], figures, (Path.GetFileName(full), page), DiskStorage.Shared);
    }

    /// <summary>What the names of a page's figures begin with.</summary>
    public static string Slug(string path)
    {
        string slug = string.Concat(Path.GetFileNameWithoutExtension(path).ToLowerInvariant().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        return slug.Length == 0 || char.IsAsciiDigit(slug[0]) ? "page-" + slug : slug;
    }

    /// <summary>A part of a selection alone.</summary>
    public static StudyPart Part(string family, string lossUnit, string itemName, DataFacts data, SelectionSummary selection, IReadOnlyList<CommandNote>? commands = null)
    {
        ConfigurationOutcome? chosen = selection.Configurations.ElementAtOrDefault(selection.Selected);
        return new StudyPart
        {
            Family = family,
            LossUnit = lossUnit,
            ItemName = itemName,
            Data = data,
            Selection = selection,
            Grid = new GridSummary { Points = [], Fits = [], LearningRate = chosen?.LearningRate ?? 0, BatchSize = chosen?.BatchSize ?? 0 },
            Commands = commands ?? [],
        };
    }
}
