using ChemScale.Engine.Studies.Summary;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The figures of one part, and the name its anchors and files begin with.</summary>
internal sealed record PartFigures(string Slug, IReadOnlyList<Figure> Selection, IReadOnlyList<Figure> Grid, Figure? Allocation)
{
    public IEnumerable<Figure> All => [.. Selection, .. Grid, .. Allocation is null ? (Figure[])[] : [Allocation]];

    public static IReadOnlyList<PartFigures> Of(StudySummary summary)
    {
        var taken = new HashSet<string>();
        return [.. summary.Parts.Select(part => Of(part, Slugged(part.Family, taken)))];
    }

    private static PartFigures Of(StudyPart part, string slug) => new(slug,
        OfSelection(part, slug),
        [
            GridFigures.Parameters(part, slug), GridFigures.Items(part, slug), GridFigures.Compute(part, slug),
            GridFigures.Curves(part, slug), ResidualFigures.PowerLaws(part, slug),
        ],
        AllocationSection.Figure(part, slug));

    /// <summary>Those of the selection; what errors and times allow.</summary>
    public static IReadOnlyList<Figure> OfSelection(StudyPart part, string slug) =>
        [SelectionFigures.Predictions(part, slug), SelectionFigures.Curves(part, slug), ResidualFigures.Predictions(part, slug), ParetoFigure.Of(part, slug)];

    private static string Slugged(string family, HashSet<string> taken)
    {
        string name = string.Concat(family.ToLowerInvariant().Where(c => char.IsAsciiLetterOrDigit(c)).Take(40));
        if (name.Length == 0 || char.IsAsciiDigit(name[0])) name = "part" + name;
        string slug = name;
        for (int i = 2; !taken.Add(slug); i++) slug = $"{name}-{i}";
        return slug;
    }
}
