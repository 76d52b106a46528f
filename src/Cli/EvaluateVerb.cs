using System.Globalization;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Studies.Evaluation;
using CommandLine;

namespace ChemScale.Cli;

[Verb("evaluate", HelpText = "Compare a trained force field with labelled frames: tables of errors, parity plots, and "
    + "every frame with its predictions.")]
[Example("chemscale evaluate --run runs/painn --frames test.extxyz", "Errors by element and kind of frame, parity plots.")]
[Example("chemscale evaluate --run runs/painn --frames ethanol.npz --units kcal/mol --out runs/evaluate", "Labels in another unit.")]
internal sealed class EvaluateVerb : FrameFilesVerb
{
    [Option("out", HelpText = "Folder to write parity.html, parity.csv, errors.json and frames.extxyz to (default runs/evaluate).")]
    public string Out { get; set; } = Path.Combine("runs", "evaluate");

    [Option("units", HelpText = "Unit of energies: eV, kcal/mol, kJ/mol, Hartree; forces are in that per length. "
        + "Needed where the file does not say.")]
    public string? Units { get; set; }

    [Option("forces-are-gradients", HelpText = "The files' forces have the opposite sign, as in COMP6.")]
    public bool ForcesAreGradients { get; set; }

    [Option("energy-key", HelpText = "Name of the energies in the files (default: the first of the usual ones).")]
    public string? EnergyKey { get; set; }

    [Option("forces-key", HelpText = "Name of the forces in the files.")]
    public string? ForcesKey { get; set; }

    [Option("stress-key", HelpText = "Name of the stresses in the files.")]
    public string? StressKey { get; set; }

    [Option("shift-energies", HelpText = "Say too what is left when the best constant is taken from the energies.")]
    public bool ShiftEnergies { get; set; }

    public override int Run(CancellationToken stop)
    {
        EvaluationReport report;
        using (var display = new CountDisplay("frames"))
        {
            report = ForceFieldEvaluation.Run(new EvaluationOptions
            {
                Run = RunDirectory,
                Files = [.. Frames],
                Output = Out,
                Read = new FrameReadOptions
                {
                    Energy = Units is null ? null : EnergyUnit.Parse(Units, "--units"),
                    Length = Length,
                    ForcesAreGradients = ForcesAreGradients,
                    EnergyKey = EnergyKey,
                    ForcesKey = ForcesKey,
                    StressKey = StressKey,
                },
                Precision = Precision,
                BatchAtoms = BatchAtoms,
                Threads = Threads,
                Limit = Limit,
                ShiftEnergies = ShiftEnergies,
            }, Warn, display.Report, stop);
        }
        if (Json) Output.Json(report);
        else ErrorTable.Print(report);
        return 0;
    }
}

/// <summary>The errors of a force field as a table for a terminal.</summary>
internal static class ErrorTable
{
    public static void Print(EvaluationReport report)
    {
        string labels = string.Join(" / ", report.Labels);
        Console.WriteLine($"{report.Page}: {report.Frames:N0} frames, {report.Atoms:N0} atoms; labels: {labels}");
        foreach ((long count, string what) in Absent(report))
            if (count > 0) Console.WriteLine($"  left out: {count:N0} {what}");
        Console.WriteLine($"  {"",-12}{"unit",-12}{"MAE",12}{"RMSE",12}{"bias",12}{"largest",12}{"count",12}");
        Row("energy", "eV", report.Energy?.ElectronVolt);
        Row("", "meV/atom", report.Energy?.MilliElectronVoltPerAtom);
        Row("", "kcal/mol", report.Energy?.KilocaloriePerMole);
        Row("forces", "eV/A", report.Forces?.ElectronVoltPerAngstrom);
        Row("", "kcal/mol/A", report.Forces?.KilocaloriePerMolePerAngstrom);
        foreach ((string symbol, ErrorFigures figures) in report.ForcesByElement) Row($"  on {symbol}", "eV/A", figures);
        Row("stress", "eV/A^3", report.Stress?.ElectronVoltPerCubicAngstrom);
        Row("", "GPa", report.Stress?.Gigapascal);
        foreach (ConfigTypeErrors type in report.ByConfigType)
        {
            Console.WriteLine($"  {type.Name} ({type.Frames:N0} frames)");
            Row("  energy", "meV/atom", type.Energy?.MilliElectronVoltPerAtom);
            Row("  forces", "eV/A", type.Forces?.ElectronVoltPerAngstrom);
        }
        if (report.Shift is not { } shift) return;
        string frames = $"{(shift.Exact ? "all" : "a sample of")} {shift.Frames:N0} frames";
        Console.WriteLine($"  less the median offset of {Text(shift.Offset)} eV ({frames})");
        Row("  energy", "eV", shift.Energy.ElectronVolt);
        Row("", "meV/atom", shift.Energy.MilliElectronVoltPerAtom);
    }

    private static IEnumerable<(long Count, string What)> Absent(EvaluationReport report) =>
    [
        (report.FramesWithoutEnergy, "frames without energy"),
        (report.FramesWithoutForces, "frames without forces"),
        (report.MissingForceComponents, "components of forces that are missing from other frames"),
        (report.PeriodicFramesWithoutStress, "periodic frames without stress"),
    ];

    private static void Row(string quantity, string unit, ErrorFigures? figures)
    {
        if (figures is not { } f) return;
        string errors = $"{Text(f.Mae),12}{Text(f.Rmse),12}{Text(f.Bias),12}{Text(f.Largest),12}";
        Console.WriteLine($"  {quantity,-12}{unit,-12}{errors}{f.Count,12:N0}");
    }

    private static string Text(double value) => value.ToString("G5", CultureInfo.InvariantCulture);
}
