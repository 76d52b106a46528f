using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Studies.Evaluation;
using CommandLine;

namespace ChemScale.Cli;

[Verb("predict", HelpText = "Energies, forces and, of periodic frames, stress from a trained force field, as extended xyz "
    + "in eV and Angstrom.")]
[Example("chemscale predict --run runs/painn --frames geometries.xyz --out predictions.extxyz", "Energies, forces and stress in eV and A.")]
[Example("chemscale predict --run runs/committee --frames pool.extxyz", "With the spread of a committee's members.")]
internal sealed class PredictVerb : FrameFilesVerb
{
    [Option("out", HelpText = "File to write (default runs/predictions.extxyz).")]
    public string Out { get; set; } = Path.Combine("runs", "predictions.extxyz");

    public override int Run(CancellationToken stop)
    {
        PredictionReport report;
        using (var display = new CountDisplay("frames"))
        {
            report = ForceFieldPrediction.Run(new PredictionOptions
            {
                Run = RunDirectory,
                Files = [.. Frames],
                Output = Out,
                Read = new FrameReadOptions { GeometryOnly = true, Length = Length },
                Precision = Precision,
                BatchAtoms = BatchAtoms,
                Threads = Threads,
                Limit = Limit,
            }, Warn, display.Report, stop);
        }
        string counts = $"{report.Frames:N0} frames ({report.PeriodicFrames:N0} with stress), {report.Atoms:N0} atoms";
        if (Json) Output.Json(report);
        else Console.WriteLine($"{report.Output}: {counts}");
        return 0;
    }
}
