using System.Globalization;
using System.Xml.Linq;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Experiments;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The page around the parts: title, what was found, terms, commands, host, references.</summary>
internal static class ReportPage
{
    public static string Render(StudySummary summary, IReadOnlyList<PartFigures> figures)
    {
        bool synthetic = summary.Parts.Any(p => p.Data.Synthetic);
        XElement[] parts = [.. summary.Parts.Zip(figures, Part)];
        return Page(summary.Title, Header(summary, synthetic), Found(summary, figures), ComparisonSection.Render(summary), Terms(), parts, Commands(summary), Host(summary),
            References());
    }

    /// <summary>Any page of this look.</summary>
    public static string Page(string title, params object?[] body) => Html.Write(Html.Element("html", Html.Attribute("lang", "en"),
        Html.Element("head", Html.Element("meta", Html.Attribute("charset", "utf-8")),
            Html.Element("meta", Html.Attribute("name", "viewport"), Html.Attribute("content", "width=device-width, initial-scale=1")),
            Html.Element("title", title), Html.Element("style", ReportStyle.Css)),
        Html.Element("body", body)));

    private static XElement Header(StudySummary summary, bool synthetic) => Html.Element("header",
        Html.Element("h1", summary.Title),
        Html.Paragraph(Html.Class("meta"),
            $"Started {Time(summary.Started)}, took {Numbers.Duration(summary.Seconds)}, on {summary.Host.Device}."),
        synthetic ? Html.Paragraph(Html.Class("banner"), Html.SyntheticLabel(true),
            " The data of the parts so marked were made by a program. ",
            "Their numbers show the method at work; they say nothing about real chemistry.") : null);

    private static XElement Found(StudySummary summary, IReadOnlyList<PartFigures> figures)
    {
        var parts = summary.Parts.Zip(figures, (part, f) => Html.Element("div", Html.Class("found"),
            Html.Element("h3", Html.Link("#" + f.Slug, part.Family), " ", Html.SyntheticLabel(part.Data.Synthetic)), Sentences(part)));
        return Html.Section("found", 2, "What was found", summary.Parts.Count > 0 ? parts : Html.Paragraph("The study has no parts."));
    }

    private static XElement Sentences(StudyPart part) => Html.Element("ul",
        Headline.Scaling(part).Select(s => Html.Element("li", Html.Powers(s))), Html.Element("li", Headline.Selection(part.Selection)));

    private static XElement Part(StudyPart part, PartFigures figures) => Html.Section(figures.Slug, 2, part.Family,
        Html.Paragraph(Html.Class("headline"), Html.SyntheticLabel(part.Data.Synthetic), " ", Html.Powers(Headline.Scaling(part).First())),
        DataSection.Render(part, figures.Slug),
        SelectionSection.Render(part, figures.Slug, [.. figures.Selection.Select(f => Figure(f))]),
        GridSection.Render(part, figures.Slug, [.. figures.Grid.Select(f => Figure(f))], figures.Allocation is { } allocation ? Figure(allocation) : null));

    public static XElement Figure(Figure figure) => Html.Element("figure", figure.Svg(),
        Html.Element("figcaption", Html.SyntheticLabel(figure.Chart.Synthetic), " ", figure.Caption, " Numbers: ",
            Html.Link(figure.CsvPath, figure.CsvPath), "."));

    public static XElement Terms() => Html.Section("terms", 2, "Terms", Html.Element("dl",
        Term("TPE", "Here Training Performance Estimation: predicting the final loss of a configuration from its first epochs. "
            + "Not the Tree-structured Parzen Estimator."),
        Term("TSE, TSE-E", "Training speed estimates: the sum of the mean training losses of the probe's epochs; the same of its last epoch alone. Less is better."),
        Term("annealed", "The training (or validation) loss at the end of a branch of the probe whose learning rate went down to nothing."),
        Term("N", "Parameters of the model, embeddings left out."),
        Term("D, S", "Unique training tokens or frames; tokens or frames seen, repeats included."),
        Term("C", "Training compute, 6 N S, in floating-point operations."),
        Term("β", "The exponent of a power law L = α R^−β in a resource R: the larger, the more the resource helps.")));

    private static XElement[] Term(string name, string meaning) => [Html.Element("dt", name), Html.Element("dd", Html.Powers(meaning))];

    private static XElement Commands(StudySummary summary) => Html.Section("commands", 2, "Commands",
        Html.Paragraph("The whole study again:"), Html.Code(summary.Command),
        summary.Parts.Where(p => p.Commands.Count > 0).Select(part => new object[]
        {
            Html.Element("h3", $"{part.Family}, step by step"),
            part.Commands.Select(c => new object[] { Html.Paragraph(c.Purpose), Html.Code(c.Command) }),
        }));

    private static XElement Host(StudySummary summary)
    {
        HostFacts host = summary.Host;
        var table = new HtmlTable("The machine and the program", false, Text("What"), Text("Value"));
        table.Add("System", host.System);
        table.Add("Runtime", host.Runtime);
        table.Add("Cores", Numbers.Count(host.Cores));
        table.Add("Device", host.Device);
        table.Add("Version", host.Version);
        table.Add("Started", Time(summary.Started));
        table.Add("Took", Numbers.Duration(summary.Seconds));
        return Html.Section("host", 2, "Host", table.Render());
    }

    public static XElement References() => Html.Section("references", 2, "References", Html.Element("ul",
        Html.Element("li", "N. C. Frey, R. Soklaski, S. Axelrod, S. Samsi, R. Gómez-Bombarelli, C. W. Coley, V. Gadepally: ",
            "Neural scaling of deep chemical models. Nature Machine Intelligence 5, 1297–1305 (2023). ",
            Html.Link("https://doi.org/10.1038/s42256-023-00740-3", "doi:10.1038/s42256-023-00740-3")),
        Html.Element("li", "B. Ru, C. Lyle, L. Schut, M. Fil, M. van der Wilk, Y. Gal: ",
            "Speedy performance estimation for neural architecture search. NeurIPS (2021). ",
            Html.Link("https://arxiv.org/abs/2006.04492", "arXiv:2006.04492"))));

    private static string Time(DateTimeOffset time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}

/// <summary>Where the data of a part come from and what became of them.</summary>
internal static class DataSection
{
    public static XElement Render(StudyPart part, string slug)
    {
        DataFacts data = part.Data;
        var table = new HtmlTable("What was read, and what became of it", data.Synthetic, Text("What"), Text("Value"));
        table.Add("Source", data.Source);
        table.Add("Kind", data.Synthetic ? "synthetic: made by a program, not measured or collected" : "real");
        table.Add("Read", Numbers.Count(data.Read));
        table.Add("Training", Numbers.Count(data.Train));
        table.Add("Validation", Numbers.Count(data.Validation));
        table.Add("Refused", Numbers.Count(data.Refused));
        var reasons = data.RefusedByReason.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal);
        foreach ((string reason, long count) in reasons) table.Add($"Refused: {reason}", Numbers.Count(count));
        foreach ((string name, string value) in data.Facts) table.Add(name, value);
        return Html.Section($"{slug}-data", 3, "Data", table.Render());
    }
}
