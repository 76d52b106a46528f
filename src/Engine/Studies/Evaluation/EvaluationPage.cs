using System.Xml.Linq;
using ChemScale.Engine.Studies.Report;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>parity.html: self-contained, without scripts; what was compared, tables of errors, parity plots.</summary>
internal static class EvaluationPage
{
    private const string Title = "Force field against reference";

    public static string Render(EvaluationReport report, IReadOnlyList<Figure> figures) =>
        Html.Write(Html.Element("html", Html.Attribute("lang", "en"),
            Html.Element("head", Html.Element("meta", Html.Attribute("charset", "utf-8")),
                Html.Element("meta", Html.Attribute("name", "viewport"), Html.Attribute("content", "width=device-width, initial-scale=1")),
                Html.Element("title", Title), Html.Element("style", ReportStyle.Css)),
            Html.Element("body", Header(report),
                Html.Section("errors", 2, "Errors", Html.Paragraph("Each error is the prediction less the reference."),
                    ErrorTable(report).Render(), Types(report), Shift(report)),
                Html.Section("parity", 2, "Parity", Html.Element("div", Html.Class("figures"), figures.Select(Shown)),
                    Html.Paragraph("Numbers: ", File(ForceFieldEvaluation.PointsName), "; every frame with its predictions: ",
                        File(ForceFieldEvaluation.FramesName), ".")))));

    private static XElement Header(EvaluationReport report) => Html.Element("header", Html.Element("h1", Title),
        Html.Paragraph(Html.Class("meta"), $"Model of {report.Run}, {report.Precision}, on {string.Join(", ", report.Files)}; "
            + $"labels: {string.Join(" / ", report.Labels)}."),
        Html.List(Counts(report)));

    /// <summary>What was compared, and what was not.</summary>
    private static IEnumerable<string> Counts(EvaluationReport report)
    {
        yield return $"{Numbers.Count(report.Frames)} frames, {Numbers.Count(report.Atoms)} atoms";
        if (report.FramesWithoutEnergy > 0)
            yield return $"{Numbers.Count(report.FramesWithoutEnergy)} frames without energy, left out of its errors";
        if (report.FramesWithoutForces > 0)
            yield return $"{Numbers.Count(report.FramesWithoutForces)} frames without forces, left out of their errors";
        if (report.MissingForceComponents > 0)
            yield return $"{Numbers.Count(report.MissingForceComponents)} components of forces missing from other frames, left out";
        if (report.PeriodicFramesWithoutStress is > 0 and long without)
            yield return $"{Numbers.Count(without)} of {Numbers.Count(report.PeriodicFrames)} periodic frames without stress";
    }

    private static HtmlTable ErrorTable(EvaluationReport report)
    {
        var table = new HtmlTable("All frames", false, Text("Quantity"), Text("Unit"), Number("Count"), Number("MAE"), Number("RMSE"),
            Number("Bias"), Number("Largest"));
        if (report.Energy is { } energy)
        {
            Row("Energy", "eV", energy.ElectronVolt);
            Row("Energy", "meV/atom", energy.MilliElectronVoltPerAtom);
            Row("Energy", "kcal/mol", energy.KilocaloriePerMole);
        }
        if (report.Forces is { } forces)
        {
            Row("Forces", "eV/Å", forces.ElectronVoltPerAngstrom);
            Row("Forces", "kcal/mol/Å", forces.KilocaloriePerMolePerAngstrom);
        }
        foreach ((string symbol, ErrorFigures figures) in report.ForcesByElement) Row($"Forces on {symbol}", "eV/Å", figures);
        if (report.Stress is { } stress)
        {
            Row("Stress", "eV/Å³", stress.ElectronVoltPerCubicAngstrom);
            Row("Stress", "GPa", stress.Gigapascal);
        }
        return table;

        void Row(string quantity, string unit, ErrorFigures f) =>
            table.Add(quantity, unit, Numbers.Count(f.Count), Digits(f.Mae), Digits(f.Rmse), Digits(f.Bias), Digits(f.Largest));
    }

    private static XElement? Types(EvaluationReport report)
    {
        if (report.ByConfigType.Count == 0) return null;
        var table = new HtmlTable("By kind of frame", false, Text("Kind"), Number("Frames"), Number("Energy MAE (eV)"),
            Number("Energy MAE (meV/atom)"), Number("Energy RMSE (meV/atom)"), Number("Force MAE (eV/Å)"), Number("Force RMSE (eV/Å)"));
        foreach (ConfigTypeErrors type in report.ByConfigType)
        {
            ErrorFigures? perAtom = type.Energy?.MilliElectronVoltPerAtom, forces = type.Forces?.ElectronVoltPerAngstrom;
            table.Add(type.Name, Numbers.Count(type.Frames), Digits(type.Energy?.ElectronVolt.Mae), Digits(perAtom?.Mae),
                Digits(perAtom?.Rmse), Digits(forces?.Mae), Digits(forces?.Rmse));
        }
        return table.Render();
    }

    private static XElement? Shift(EvaluationReport report) => report.Shift is not { } shift ? null : Html.Paragraph(
        $"With the median offset of {Numbers.Significant(shift.Offset, 6)} eV taken from the predictions: energy MAE ",
        $"{Digits(shift.Energy.ElectronVolt.Mae)} eV, {Digits(shift.Energy.MilliElectronVoltPerAtom.Mae)} meV/atom, RMSE ",
        $"{Digits(shift.Energy.ElectronVolt.Rmse)} eV",
        shift.Exact ? "." : $" (from {Numbers.Count(shift.Frames)} frames, chosen by a hash of their number).");

    private static string Digits(double? value) => Numbers.Significant(value);

    private static XElement File(string name) => Html.Link(name, name);

    private static XElement Shown(Figure figure) => Html.Element("figure", figure.Svg(), Html.Element("figcaption", figure.Caption));
}
