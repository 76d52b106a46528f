using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("simulate",
    HelpText = "Molecular dynamics or relaxation with a trained force field; writes trajectory.extxyz, a CSV log and summary.json.")]
internal sealed class SimulateVerb : FrameVerb
{
    [Option("out", HelpText = "Folder to write to (default runs/simulate).")]
    public string Out { get; set; } = Path.Combine("runs", "simulate");

    [Option("overwrite", HelpText = "Replace a simulation that is there.")]
    public bool Overwrite { get; set; }

    [Option("ensemble", Default = SimulationMethod.Nve, HelpText = "nve, langevin (constant temperature) or relax (positions, to --fmax).")]
    public SimulationMethod Ensemble { get; set; }

    [Option("temperature", HelpText = "K: of the first velocities, and of the thermostat (default 300).")]
    public double? Temperature { get; set; }

    [Option("friction", HelpText = "1/ps, of the thermostat (default 10).")]
    public double? Friction { get; set; }

    [Option("timestep", HelpText = "fs (default 0.5).")]
    public double? Timestep { get; set; }

    [Option("steps", HelpText = "Default 1000.")]
    public long? Steps { get; set; }

    [Option("time", HelpText = "ps, instead of --steps.")]
    public double? Time { get; set; }

    [Option("every", HelpText = "Steps from one written frame to the next (default 10).")]
    public long? Every { get; set; }

    [Option("seed", HelpText = "Same seed, same trajectory.")]
    public long Seed { get; set; }

    [Option("max-temperature", HelpText = "K: a hotter system has blown up, and the simulation fails (default 20000).")]
    public double? MaximumTemperature { get; set; }

    [Option("fmax", HelpText = "eV/A: relaxed where no atom feels more (default 0.01).")]
    public double? MaximumForce { get; set; }

    public override int Run(CancellationToken stop)
    {
        bool relax = Ensemble == SimulationMethod.Relax;
        DynamicsOptions dynamics = Moving();
        RelaxationOptions relaxation = Relaxing();
        if (relax) relaxation.Validate();
        else dynamics.Validate();
        RequireMeaning(relax);
        var folder = new SimulationFolder(Out, Overwrite);
        using TrainedPotential trained = Open();
        var display = new SimulationDisplay();
        try
        {
            if (relax) Print(Relaxation.Run(trained.Potential, trained.Frame, relaxation, folder, display, stop), display);
            else Print(MolecularDynamics.Run(trained.Potential, trained.Frame, dynamics, folder, display, stop), display);
        }
        finally
        {
            display.Close();
        }
        return 0;
    }

    private DynamicsOptions Moving()
    {
        var options = new DynamicsOptions();
        options = options with
        {
            Ensemble = Ensemble == SimulationMethod.Langevin ? Engine.Simulation.Ensemble.Langevin : Engine.Simulation.Ensemble.Nve,
            Seed = Seed,
            Temperature = Temperature ?? options.Temperature,
            Friction = Friction ?? options.Friction,
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
            Steps = Steps ?? options.Steps,
            Every = Every ?? options.Every,
        };
    }

    /// <summary>An option that would do nothing is a mistake.</summary>
    private void RequireMeaning(bool relax)
    {
        if (Steps is not null && Time is not null) throw new InputException("--time", "given beside --steps", "one of them");
        (string Option, bool Given, bool Meant)[] options =
        [
            ("--fmax", MaximumForce is not null, relax), ("--time", Time is not null, !relax), ("--timestep", Timestep is not null, !relax),
            ("--temperature", Temperature is not null, !relax), ("--max-temperature", MaximumTemperature is not null, !relax),
            ("--friction", Friction is not null, Ensemble == SimulationMethod.Langevin),
        ];
        foreach ((string option, bool given, bool meant) in options)
        {
            if (given && !meant)
                throw new InputException(option, $"of no use to --ensemble {Ensemble.ToString().ToLowerInvariant()}");
        }
    }

    private void Print(DynamicsSummary s, SimulationDisplay display)
    {
        display.Close();
        if (Json)
        {
            Output.Json(s);
            return;
        }
        string ended = s.End == SimulationEnd.Stopped ? "stopped after" : "done,";
        Console.WriteLine($"{s.Folder}: {ended} {s.Steps} steps, {s.TimeFs / 1000:G6} ps of {s.Atoms} atoms, "
            + $"{s.MillisecondsPerStep:F2} ms a step");
        Console.WriteLine($"  temperature {s.MeanTemperature:F1} K (standard deviation {s.TemperatureDeviation:F1}), "
            + $"mean potential energy {s.MeanPotentialEnergy:F6} eV");
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
            + $"energy {s.FirstEnergy:F6} -> {s.LastEnergy:F6} eV");
    }
}

/// <summary>What simulate does with the atoms.</summary>
internal enum SimulationMethod
{
    Nve,
    Langevin,
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
        string what = value.Temperature is { } kelvin ? $"temperature {kelvin:F1} K" : $"greatest force {value.MaximumForce:G4} eV/A";
        string line = $"step {value.Step}/{value.TotalSteps} | energy {value.Energy:F6} eV | {what} | at most {left} left";
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
