using ChemScale.Engine;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("neb", HelpText = "The path of least energy and its barrier between two minima, by a climbing-image nudged elastic band; writes path.extxyz, path.csv and summary.json.")]
[Example("chemscale neb --run runs/painn --frame reactant.xyz --end product.xyz", "The minimum-energy path between two minima, its highest image at the saddle.")]
[Example("chemscale neb --run runs/painn --frame a.xyz --end b.xyz --images 11 --fmax 0.02", "A finer one.")]
internal sealed class NebVerb : FrameVerb
{
    [Option("end", HelpText = "The other minimum, as --frame is the first: FILE or FILE@INDEX, the same atoms in the same order.")]
    public string? End { get; set; }

    [Option("out", HelpText = "Folder to write to (default runs/neb).")]
    public string Out { get; set; } = Path.Combine("runs", "neb");

    [Option("overwrite", HelpText = "Replace a path that is there.")]
    public bool Overwrite { get; set; }

    [Option("images", Default = 7, HelpText = "Between the ends.")]
    public int Images { get; set; }

    [Option("spring", Default = 0.1, HelpText = "eV/A^2, of the springs between images.")]
    public double Spring { get; set; }

    [Option("no-climb", HelpText = "Leave the highest image where the springs hold it: its energy is then below the saddle point's.")]
    public bool NoClimb { get; set; }

    [Option("fmax", Default = 0.05, HelpText = "eV/A: done where no atom feels more across the path.")]
    public double MaximumForce { get; set; }

    [Option("steps", Default = 1000L, HelpText = "Given up after as many.")]
    public long Steps { get; set; }

    [Option("fix", HelpText = "Atoms that stay where they are: numbers from 0, ranges, symbols, as in 0-3,7,Pt.")]
    public string? Fix { get; set; }

    public override int Run(CancellationToken stop)
    {
        var options = new PathOptions { Images = Images, Spring = Spring, Climb = !NoClimb, MaximumForce = MaximumForce, Steps = Steps };
        options.Validate();
        var folder = new SimulationFolder(Out, Overwrite);
        using TrainedPotential trained = Open(fix: Fix);
        Engine.Atoms.Frame end = trained.ReadFrame(End ?? throw new InputException("--end", "not given", "a file of frames"));
        var display = new SimulationDisplay();
        PathSummary s;
        try
        {
            s = NudgedElasticBand.Run(trained.Potential, trained.Frame, end, options, folder, display, stop);
        }
        finally
        {
            display.Close();
        }
        foreach (string warning in s.Warnings.Except(trained.Potential.Doubts(trained.Frame))) Console.Error.WriteLine("chemscale: warning: " + warning);
        if (Json)
        {
            Output.Json(s);
            return 0;
        }
        string ended = s.End switch
        {
            SimulationEnd.Converged => "converged in",
            SimulationEnd.Steps => "NOT converged after",
            _ => "stopped after",
        };
        Console.WriteLine($"{s.Folder}: {ended} {s.Steps} steps, greatest force across the path {s.MaximumForce:G4} eV/A");
        Console.WriteLine($"  barrier {OneLine.Number(s.Barrier, 6)} eV at image {s.Highest} of {s.Energies.Length - 1}, back {OneLine.Number(s.ReverseBarrier, 6)} eV{(s.Climbed ? "" : " (no image climbed)")}");
        return 0;
    }
}

[Verb("vibrations", HelpText = "Harmonic wavenumbers of a relaxed frame and, of a molecule, its free energy as an ideal gas; writes vibrations.json and modes.extxyz.")]
[Example("chemscale vibrations --run runs/painn --frame ethanol.xyz", "Harmonic frequencies at the frame, which should be a minimum.")]
[Example("chemscale vibrations --run runs/painn --frame ethanol.xyz --temperature 400 --symmetry-number 1", "And the free energy of the gas at 400 K.")]
internal sealed class VibrationsVerb : FrameVerb
{
    [Option("out", HelpText = "Folder to write to; files of an earlier run are replaced (default runs/vibrations).")]
    public string Out { get; set; } = Path.Combine("runs", "vibrations");

    [Option("step", Default = Vibrations.DefaultStep, HelpText = "A: each coordinate is moved by so much both ways.")]
    public double Step { get; set; }

    [Option("fix", HelpText = "Atoms that stay where they are: numbers from 0, ranges, symbols, as in 0-3,7,Pt.")]
    public string? Fix { get; set; }

    [Option("temperature", HelpText = "K, of the gas (default 298.15).")]
    public double? Temperature { get; set; }

    [Option("pressure", HelpText = "Pa, of the gas (default 101325).")]
    public double? Pressure { get; set; }

    [Option("symmetry-number", HelpText = "Rotations that leave the molecule as it is: 2 for water, 12 for methane (default 1).")]
    public int? SymmetryNumber { get; set; }

    [Option("unpaired-electrons", HelpText = "Default 0.")]
    public int? UnpairedElectrons { get; set; }

    public override int Run(CancellationToken stop)
    {
        using TrainedPotential trained = Open(fix: Fix);
        bool isMolecule = !trained.Frame.IsPeriodic && trained.Frame.Fixed?.Contains(true) != true;
        if (!isMolecule && (Temperature ?? Pressure ?? SymmetryNumber ?? UnpairedElectrons) is not null)
            throw new InputException(trained.Frame.Place, "no free molecule", "one, for --temperature, --pressure, --symmetry-number and --unpaired-electrons");
        VibrationReport report = VibrationReport.Write(trained, Out, new VibrationReport.Request
        {
            Step = Step,
            Gas = isMolecule,
            Temperature = Temperature ?? 298.15,
            Pressure = Pressure ?? 101325,
            SymmetryNumber = SymmetryNumber ?? 1,
            UnpairedElectrons = UnpairedElectrons ?? 0,
        }, stop);
        foreach (string warning in report.Warnings.Except(trained.Potential.Doubts(trained.Frame))) Console.Error.WriteLine("chemscale: warning: " + warning);
        if (Json)
        {
            Output.Json(report);
            return 0;
        }
        Console.WriteLine($"{report.Folder}: {report.Wavenumbers.Count} modes, 1/cm (negative: imaginary):");
        Console.WriteLine("  " + string.Join(' ', report.Wavenumbers.Select(w => OneLine.Number(w, 1))));
        if (report.Gas is { } gas)
        {
            Console.WriteLine($"  zero-point energy {OneLine.Number(gas.ZeroPointEnergy, 4)} eV; at {gas.Temperature:G6} K and {gas.Pressure:G6} Pa: H = {OneLine.Number(gas.Enthalpy, 4)} eV, "
                + $"S = {OneLine.Number(1000 * gas.Entropy, 4)} meV/K, G = {OneLine.Number(gas.FreeEnergy, 4)} eV");
        }
        return 0;
    }
}
