using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Simulations;
using CommandLine;

namespace ChemScale.Cli;

[Verb("analyze", HelpText = "What a simulation shows, on one page: temperature, energies and pressure in time, radial distribution, mean squared displacement, velocity autocorrelation.")]
[Example("chemscale analyze --simulation runs/nve", "Radial distribution, mean squared displacement and velocity correlation of a simulation.")]
[Example("chemscale analyze --simulation runs/npt --skip 200 --reach 12", "Without the first 200 frames, distances up to 12 A.")]
internal sealed class AnalyzeVerb : Verb
{
    [Option("simulation", HelpText = "Folder of a simulation or replica, or a file of frames evenly spaced in time (default runs/simulate).")]
    public string Simulation { get; set; } = Path.Combine("runs", "simulate");

    [Option("out", HelpText = "Folder for analysis.html, analysis.json and figures/ (default: that of the simulation).")]
    public string? Out { get; set; }

    [Option("reach", Default = 8.0, HelpText = "A: distances are counted up to here.")]
    public double Reach { get; set; }

    [Option("bins", Default = 160, HelpText = "Of the distances.")]
    public int Bins { get; set; }

    [Option("longest-lag", Default = 0.5, HelpText = "Longest time between frames that is looked at, as a share of the whole.")]
    public double LongestLag { get; set; }

    [Option("skip", HelpText = "Frames left out at the beginning, before equilibrium (default 0).")]
    public int Skip { get; set; }

    internal override bool NeedsTensors => false;

    public override int Run(CancellationToken stop)
    {
        var options = new AnalysisOptions { File = Simulation, Reach = Reach, Bins = Bins, LongestLag = LongestLag, Skip = Skip };
        TrajectoryAnalysis analysis = SimulationAnalysis.Run(Simulation, options, Out, stop);
        if (Json)
        {
            Output.Json(analysis);
            return 0;
        }
        string folder = Out ?? (Directory.Exists(Simulation) ? Simulation : Path.GetDirectoryName(Path.GetFullPath(Simulation))!);
        Console.WriteLine($"{Path.Combine(folder, SimulationAnalysis.PageName)}: {analysis.Frames} frames of {analysis.Atoms} atoms");
        foreach (TimeCorrelation d in analysis.Displacements.Where(d => d.Diffusion is not null))
            Console.WriteLine($"  {d.Name}: diffusion {d.Diffusion:G3} cm^2/s, from the second half of the times");
        return 0;
    }
}
