using System.Xml.Linq;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Native;
using ChemScale.Engine.Studies.Report;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Summary;
using ChemScale.Engine.Training.Runs;
using static ChemScale.Engine.Studies.Report.HtmlTable;

namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>
/// Compares a trained force field with the labels of frames. Memory holds a batch and two samples for the plots, however many frames
/// there are.
/// </summary>
public static class ForceFieldEvaluation
{
    public const string PageName = "parity.html";
    public const string PointsName = "parity.csv";
    public const string ErrorsName = "errors.json";
    public const string FramesName = "frames.extxyz";

    /// <summary>Writes errors.json, parity.html with tables and plots, parity.csv with the points drawn, and frames.extxyz.</summary>
    /// <param name="options">Output: a folder, made where it does not exist; files of an earlier evaluation are replaced.</param>
    /// <param name="warn">Gets lines about a damaged checkpoint and about elements the model was not trained on.</param>
    /// <param name="progress">Gets the number of frames done, now and then.</param>
    /// <param name="stop">Nothing is written then.</param>
    /// <exception cref="InputException">
    /// No run of a force field, or what is wrong with the frames or the folder, or not one label; nothing is written.
    /// </exception>
    public static EvaluationReport Run(
        EvaluationOptions options, Action<string> warn, Action<long>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        using ThreadGrant threads = ThreadScope.Take(options.Threads, options.BatchAtoms);
        using var models = new TrainedModels(options.Run, warn, options.Precision);
        using var file = PendingFile.ForUser(Path.Combine(options.Output, FramesName));
        var writer = new ReferenceFrameWriter(file.Writer);
        var errors = new FrameErrors();
        var labels = new List<string>();
        LabelKeys? last = null;
        foreach ((Frame frame, FramePrediction prediction) in FramePass.Of(models.All, options, warn, progress, stop))
        {
            if (frame.Keys != last)
            {
                last = frame.Keys;
                if (last is not null && !labels.Contains(last.ToString())) labels.Add(last.ToString());
            }
            errors.Add(frame, prediction);
            writer.Write(frame, prediction);
        }
        if (errors.Energy is null && errors.Force is null && errors.Stress is null)
        {
            throw new InputException(string.Join(", ", options.Files), "frames without labels", "energies or forces to compare with",
                "`energyKey` and `forcesKey` name them; predict needs none");
        }
        EvaluationReport report = Report(options, errors, labels);
        IReadOnlyList<Figure> figures = ParityFigures.Of(errors);
        string csv = ParityFigures.Numbers(errors).ToString(), page = EvaluationPage.Render(report, figures);
        file.Complete();
        Write(options.Output, PointsName, csv);
        // The page lies beside it: the folder can be moved, and two evaluations of one run are equal to the byte.
        Write(options.Output, ErrorsName, EvaluationJson.Write(report with { Page = PageName }));
        Write(options.Output, PageName, page);
        return report;
    }

    private static EvaluationReport Report(EvaluationOptions options, FrameErrors errors, IReadOnlyList<string> labels) => new()
    {
        Run = options.Run,
        Files = options.Files,
        Precision = (options.Precision ?? new RunDirectory(TrainedForceField.Members(options.Run)[0]).ReadExperiment().Training.Dtype).ToString().ToLowerInvariant(),
        Labels = labels,
        Frames = errors.Frames,
        Atoms = errors.Atoms,
        FramesWithoutEnergy = errors.WithoutEnergy,
        FramesWithoutForces = errors.WithoutForces,
        MissingForceComponents = errors.MissingForceComponents,
        PeriodicFrames = errors.PeriodicFrames,
        PeriodicFramesWithoutStress = errors.PeriodicWithoutStress,
        Energy = errors.Energy,
        Forces = errors.Force,
        Stress = errors.Stress,
        ForcesByElement = errors.ForcesByElement,
        ByConfigType = errors.ByConfigType,
        Shift = options.ShiftEnergies ? errors.Shift : null,
        Page = Path.Combine(options.Output, PageName),
    };

    private static void Write(string folder, string name, string content)
    {
        using var file = PendingFile.ForUser(Path.Combine(folder, name));
        file.Writer.Write(content);
        file.Complete();
    }
}

/// <summary>What to compare with which labels.</summary>
public sealed record EvaluationOptions : PredictionOptions
{
    /// <summary>Say too what is left of the errors of energy when the best constant is taken away.</summary>
    public bool ShiftEnergies { get; init; }
}

/// <summary>
/// Writes frames with predictions as energy, forces and stress, references as REF_energy, REF_forces and REF_stress, and each frame's
/// errors: energy_error (eV), energy_error_per_atom (eV), force_mae (eV/A).
/// </summary>
internal sealed class ReferenceFrameWriter(TextWriter writer)
{
    private readonly ExtXyzWriter frames = new(writer);

    public void Write(Frame frame, FramePrediction prediction)
    {
        // Absent references are written as NaN: readers that prefer REF_ names must not take a prediction for one.
        double energy = frame.Energy ?? double.NaN, error = prediction.Energy - energy;
        double[] forces = frame.Forces ?? [.. Enumerable.Repeat(double.NaN, 3 * frame.Atoms)];
        double[] differences = [.. forces.Select((force, i) => Math.Abs(prediction.Forces[i] - force)).Where(d => !double.IsNaN(d))];
        Dictionary<string, double> info = new() { ["REF_energy"] = energy };
        if (frame.HasEnergy) (info["energy_error"], info["energy_error_per_atom"]) = (error, error / frame.Atoms);
        if (differences.Length > 0) info["force_mae"] = differences.Average();
        Dictionary<string, double[]> columns = new() { ["REF_forces"] = forces }, tensors = [];
        if (prediction.Stress is not null) tensors["REF_stress"] = frame.Stress ?? [.. Enumerable.Repeat(double.NaN, 9)];
        Frame predicted = frame with { Energy = prediction.Energy, Forces = prediction.Forces, Stress = prediction.Stress };
        frames.Write(predicted, info, columns, tensors);
    }
}

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
