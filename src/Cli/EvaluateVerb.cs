using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Studies.Evaluation;
using CommandLine;

namespace ChemScale.Cli;

[Verb("evaluate", HelpText = "Compare a trained force field with labelled frames: tables of errors, parity plots, and "
    + "every frame with its predictions.")]
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
        using (var display = new FrameDisplay())
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
