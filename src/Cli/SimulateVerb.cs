using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("simulate",
    HelpText = "Molecular dynamics or relaxation with a trained force field; writes trajectory.extxyz, a CSV log and summary.json.")]
[Example("chemscale simulate --run runs/painn --frame ethanol.xyz --ensemble nve --time 10", "Ten picoseconds at constant energy.")]
[Example("chemscale simulate --run runs/painn --frame box.xyz --ensemble npt --temperature 300 --pressure 0.0001 --time 100", "At constant temperature and pressure.")]
[Example("chemscale simulate --run runs/painn --frame ethanol.xyz --ensemble relax --optimizer bfgs --fmax 0.01", "To the next minimum.")]
internal sealed class SimulateVerb : FrameVerb
{
    [OptionGroup("Simulation")]
    [Option("out", HelpText = "Folder to write to (default runs/simulate).")]
    public string Out { get; set; } = Path.Combine("runs", "simulate");

    [Option("overwrite", HelpText = "Replace a simulation that is there.")]
    public bool Overwrite { get; set; }

    [Option("resume", HelpText = "Go on with the dynamics in --out from its last checkpoint, as if it had never stopped; begin it where there is none. More --steps or --time are fine.")]
    public bool Resume { get; set; }

    [Option("ensemble",
        HelpText = "nve (default), langevin (constant temperature), npt (constant temperature and pressure) or relax (positions, to --fmax; --cell too).")]
    public SimulationMethod? Ensemble { get; set; }

    [OptionGroup("Thermostat and barostat")]
    [Option("temperature", HelpText = "K: of the thermostat, and of the first momenta where they are drawn (default 300).")]
    public double? Temperature { get; set; }

    [Option("draw-momenta", HelpText = "Draw the first momenta although the frame has some (its column momenta, sqrt(amu eV) as ASE has them).")]
    public bool DrawMomenta { get; set; }

    [Option("friction", HelpText = "1/ps, of the thermostat (default 10).")]
    public double? Friction { get; set; }

    [Option("pressure", HelpText = "GPa, of --ensemble npt (default 0.0001) or on a cell that is relaxed (default 0); positive pushes inwards.")]
    public double? Pressure { get; set; }

    [Option("barostat", HelpText = "npt: isotropic (the volume, default) or anisotropic (lengths and angles of the cell).")]
    public Barostat? Barostat { get; set; }

    [Option("pressure-time", HelpText = "npt: ps in which the pressure settles (default 1).")]
    public double? PressureTime { get; set; }

    [Option("compressibility", HelpText = "npt: 1/GPa, about that of the system (default 0.45, water's; a stiff solid 0.01). Sets how fast the pressure settles, no more.")]
    public double? Compressibility { get; set; }

    [OptionGroup("Length")]
    [Option("timestep", HelpText = "fs (default 0.5).")]
    public double? Timestep { get; set; }

    [Option("steps", HelpText = "Default 1000.")]
    public long? Steps { get; set; }

    [Option("time", HelpText = "ps, instead of --steps.")]
    public double? Time { get; set; }

    [Option("every", HelpText = "Steps from one written frame to the next (default 10).")]
    public long? Every { get; set; }

    [OptionGroup("System")]
    [Option("seed", HelpText = "Of drawn momenta and of the thermostat: same seed, same trajectory (default 0).")]
    public long? Seed { get; set; }

    [Option("replicas", HelpText = "Runs side by side that differ in their seeds (--seed and the numbers after it), computed together; folders replica-00 and so on (default 1).")]
    public int? Replicas { get; set; }

    [Option("fix", HelpText = "Atoms that stay where they are: numbers from 0, ranges, symbols, as in 0-3,7,Pt (default: those of the frame's move_mask).")]
    public string? Fix { get; set; }

    [OptionGroup("Safety")]
    [Option("max-temperature", HelpText = "K: a hotter system has blown up, and the simulation fails (default 20000).")]
    public double? MaximumTemperature { get; set; }

    [Option("stop-above", HelpText = "eV/A: stop where the forces of a committee's members on an atom are further apart; --run is a committee (train --committee).")]
    public double? StopAbove { get; set; }

    [OptionGroup("Relaxation")]
    [Option("fmax", HelpText = "relax: eV/A, done where no atom feels more (default 0.01).")]
    public double? MaximumForce { get; set; }

    [Option("optimizer", HelpText = "relax: fire (default) or bfgs (fewer steps near a minimum; at most 2000 atoms).")]
    public RelaxationOptimizer? Optimizer { get; set; }

    [Option("cell", HelpText = "relax: fixed (default), volume or full (lengths and angles too).")]
    public CellRelaxation? Cell { get; set; }

    [Option("smax", HelpText = "relax --cell: GPa, done where no stress component is further from --pressure (default 0.05).")]
    public double? MaximumStress { get; set; }

    public override int Run(CancellationToken stop)
    {
        SimulationFolder folder = Resume ? SimulationFolder.Resumed(Out) : new SimulationFolder(Out, Overwrite);
        DynamicsOptions dynamics = Moving(folder.KeptOptions);
        SimulationMethod method = Ensemble ?? Enum.Parse<SimulationMethod>(dynamics.Ensemble.ToString());
        bool relax = method == SimulationMethod.Relax;
        RequireMeaning(method);
        RelaxationOptions relaxation = Relaxing();
        if (relax) relaxation.Validate();
        else dynamics.Validate();
        using TrainedPotential trained = Open(folder.KeptStart, Fix);
        if (!relax) RequireUse(trained.Frame, dynamics);
        if (StopAbove is not null && !trained.IsCommittee)
            throw new InputException("--stop-above", "one model, which cannot disagree with itself", "a committee as --run", "train --committee 4 makes one");
        var display = new SimulationDisplay();
        try
        {
            if (relax) Print(Relaxation.Run(trained.Potential, trained.Frame, relaxation, folder, display, stop), display);
            else Print(MolecularDynamics.Run(trained.Potential, trained.Frame, dynamics, folder, display, stop), trained, display);
        }
        finally
        {
            display.Close();
        }
        return 0;
    }

    /// <param name="kept">Of the dynamics that is gone on with: what is not given is as it was.</param>
    private DynamicsOptions Moving(DynamicsOptions? kept)
    {
        DynamicsOptions options = kept ?? new DynamicsOptions();
        options = options with
        {
            Ensemble = Ensemble switch
            {
                SimulationMethod.Langevin => Engine.Simulation.Ensemble.Langevin,
                SimulationMethod.Npt => Engine.Simulation.Ensemble.Npt,
                SimulationMethod.Nve => Engine.Simulation.Ensemble.Nve,
                _ => options.Ensemble,
            },
            Seed = Seed ?? options.Seed,
            DrawMomenta = DrawMomenta || options.DrawMomenta,
            Temperature = Temperature ?? options.Temperature,
            Friction = Friction ?? options.Friction,
            Pressure = Pressure ?? options.Pressure,
            Barostat = Barostat ?? options.Barostat,
            PressureTime = PressureTime ?? options.PressureTime,
            Compressibility = Compressibility ?? options.Compressibility,
            Replicas = Replicas ?? options.Replicas,
            StopAbove = StopAbove ?? options.StopAbove,
            Timestep = Timestep ?? options.Timestep,
            Steps = Steps ?? options.Steps,
            Every = Every ?? options.Every,
            MaximumTemperature = MaximumTemperature ?? options.MaximumTemperature,
        };
        return Time is { } time ? options.For(time) : options;
    }

    private RelaxationOptions Relaxing()
    {
        var options = new RelaxationOptions();
        return options with
        {
            MaximumForce = MaximumForce ?? options.MaximumForce,
            Optimizer = Optimizer ?? options.Optimizer,
            Cell = Cell ?? options.Cell,
            Pressure = Pressure ?? options.Pressure,
            MaximumStress = MaximumStress ?? options.MaximumStress,
            Steps = Steps ?? options.Steps,
            Every = Every ?? options.Every,
        };
    }

    /// <summary>An option that would do nothing is a mistake.</summary>
    private void RequireMeaning(SimulationMethod ensemble)
    {
        if (Steps is not null && Time is not null) throw new InputException("--time", "given beside --steps", "one of them");
        if (Resume && Overwrite) throw new InputException("--overwrite", "given beside --resume", "one of them");
        bool relax = ensemble == SimulationMethod.Relax, npt = ensemble == SimulationMethod.Npt, cell = relax && Cell is not (null or CellRelaxation.Fixed);
        (string Option, bool Given, bool Meant)[] options =
        [
            ("--fmax", MaximumForce is not null, relax), ("--time", Time is not null, !relax), ("--timestep", Timestep is not null, !relax),
            ("--temperature", Temperature is not null, !relax), ("--max-temperature", MaximumTemperature is not null, !relax),
            ("--friction", Friction is not null, npt || ensemble == SimulationMethod.Langevin), ("--resume", Resume, !relax),
            ("--draw-momenta", DrawMomenta, !relax), ("--seed", Seed is not null, !relax), ("--replicas", Replicas is not null, !relax),
            ("--stop-above", StopAbove is not null, !relax),
            ("--optimizer", Optimizer is not null, relax), ("--cell", Cell is not null, relax), ("--smax", MaximumStress is not null, cell),
            ("--pressure", Pressure is not null, npt || cell), ("--barostat", Barostat is not null, npt), ("--pressure-time", PressureTime is not null, npt),
            ("--compressibility", Compressibility is not null, npt),
        ];
        foreach ((string option, bool given, bool meant) in options)
        {
            string method = ensemble.ToString().ToLowerInvariant() + (relax && option is "--smax" or "--pressure" ? " without --cell" : "");
            if (given && !meant) throw new InputException(option, $"of no use to --ensemble {method}");
        }
    }

    /// <summary>At constant energy everything follows from the momenta, where the frame has them.</summary>
    private void RequireUse(Frame start, DynamicsOptions options)
    {
        if (start.Momenta is null || options.DrawMomenta || options.Ensemble != Engine.Simulation.Ensemble.Nve) return;
        foreach ((string option, bool given) in ((string, bool)[])[("--temperature", Temperature is not null), ("--seed", Seed is not null), ("--replicas", Replicas > 1)])
        {
            if (given) throw new InputException(option, "given where the frame has momenta, from which all else follows", "--draw-momenta beside it, or neither");
        }
    }

    private void Print(DynamicsSummary s, TrainedPotential trained, SimulationDisplay display)
    {
        display.Close();
        // Those of the model were told of when it was opened.
        foreach (string warning in s.Warnings.Except(trained.Potential.Doubts(trained.Frame))) Console.Error.WriteLine("chemscale: warning: " + warning);
        if (Json)
        {
            Output.Json(s);
            return;
        }
        string ended = s.End == SimulationEnd.Stopped ? "stopped after"
            : s.End == SimulationEnd.Uncertain ? FormattableString.Invariant($"UNCERTAIN (forces {s.LastForceSpread:G3} eV/A apart) after")
            : s.Warnings.Count > 0 ? "DOUBTFUL (see the warnings);" : "done,";
        string atoms = s.Replicas is { } all ? $"{all.Count} x {s.Atoms} atoms" : $"{s.Atoms} atoms";
        Console.WriteLine($"{s.Folder}: {ended} {s.Steps} steps, {s.TimeFs / 1000:G6} ps of {atoms}{(s.StartMomenta ? ", from the frame's momenta" : "")}, "
            + $"{OneLine.Number(s.MillisecondsPerStep, 2)} ms a step");
        Console.WriteLine($"  temperature {OneLine.Number(s.MeanTemperature, 1)} K (standard deviation {OneLine.Number(s.TemperatureDeviation, 1)}), "
            + $"mean potential energy {OneLine.Number(s.MeanPotentialEnergy, 6)} eV");
        if (s.MeanPressure is { } pressure)
            Console.WriteLine($"  pressure {pressure:G4} GPa of {s.Pressure:G4}, volume {OneLine.Number(s.MeanVolume, 2)} A^3 (standard deviation {OneLine.Number(s.VolumeDeviation, 2)})");
        if (s.DriftMeVPerAtomPerPs is { } drift)
            Console.WriteLine($"  total energy: drift {drift:G4} meV/atom/ps, fluctuation {s.FluctuationMeVPerAtom:G4} meV/atom (rms)");
    }

    private void Print(RelaxationSummary s, SimulationDisplay display)
    {
        display.Close();
        if (Json)
        {
            Output.Json(s);
            return;
        }
        string ended = s.End switch
        {
            SimulationEnd.Converged => "relaxed in",
            SimulationEnd.Steps => "NOT relaxed after",
            _ => "stopped after",
        };
        Console.WriteLine($"{s.Folder}: {ended} {s.Steps} steps, greatest force {s.MaximumForce:G4} eV/A, "
            + $"energy {OneLine.Number(s.FirstEnergy, 6)} -> {OneLine.Number(s.LastEnergy, 6)} eV");
        if (s.LastVolume is { } volume)
            Console.WriteLine($"  volume {OneLine.Number(s.FirstVolume, 3)} -> {OneLine.Number(volume, 3)} A^3, greatest stress beside the pressure {s.MaximumStress:G3} GPa");
    }
}

/// <summary>What simulate does with the atoms.</summary>
internal enum SimulationMethod
{
    Nve,
    Langevin,
    Npt,
    Relax,
}

/// <summary>
/// The line of a simulation in progress: rewritten in place on a terminal, a plain line now and then elsewhere. On standard error.
/// </summary>
internal sealed class SimulationDisplay : IProgress<SimulationProgress>
{
    private static readonly TimeSpan LivePeriod = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan PlainPeriod = TimeSpan.FromSeconds(5);

    private readonly bool live = !Console.IsErrorRedirected;
    private readonly long started = Stopwatch.GetTimestamp();
    private TimeSpan shown;
    private bool open;

    public void Report(SimulationProgress value)
    {
        TimeSpan now = Stopwatch.GetElapsedTime(started);
        if (now - shown < (live ? LivePeriod : PlainPeriod)) return;
        shown = now;
        string left = (now / value.Step * (value.TotalSteps - value.Step)).ToString(@"h\:mm\:ss", CultureInfo.InvariantCulture);
        string what = value.Temperature is { } kelvin ? $"temperature {OneLine.Number(kelvin, 1)} K" : $"greatest force {value.MaximumForce:G4} eV/A";
        string line = $"step {value.Step}/{value.TotalSteps} | energy {OneLine.Number(value.Energy, 6)} eV | {what} | at most {left} left";
        if (live) Console.Error.Write("\r\x1b[2K" + line);
        else Console.Error.WriteLine(line);
        open = live;
    }

    /// <summary>Leaves the cursor on a new line.</summary>
    public void Close()
    {
        if (open) Console.Error.WriteLine();
        open = false;
    }
}
