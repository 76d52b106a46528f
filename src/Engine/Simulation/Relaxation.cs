using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Relaxes positions to a force tolerance, and the cell to a tolerance of the stress where it may change. The last frame written is the relaxed one.
/// </summary>
public static class Relaxation
{
    /// <param name="potential">Evaluated once a step.</param>
    /// <param name="start">Its positions, cell, charge and fixed atoms.</param>
    /// <param name="options">How far.</param>
    /// <param name="folder">Receives the files of <see cref="SimulationFolder"/>.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stop">Ends the run after a whole step; all files are complete then too.</param>
    /// <exception cref="InputException">Options, a frame or a folder that will not do; nothing is written.</exception>
    /// <exception cref="SimulationFailedException">Energy or forces are no numbers any more.</exception>
    public static RelaxationSummary Run(IPotential potential, Frame start, RelaxationOptions options, SimulationFolder folder,
        IProgress<SimulationProgress>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        options.Validate(start);
        if (folder.Kept is not null) throw new InputException(folder.Path, "a dynamics to go on with", "none: a relaxation begins where it is told to");
        long started = Stopwatch.GetTimestamp();
        var state = new MolecularState(start, potential, stress: options.Cell != CellRelaxation.Fixed);
        RequireNumbers(state, 0);
        var coordinates = new RelaxationCoordinates(state, options.Cell, options.Pressure * MechanicalUnits.Gigapascal);
        IOptimizer optimizer = options.Optimizer == RelaxationOptimizer.Bfgs ? new Bfgs(coordinates) : new Fire(coordinates);
        double first = state.PotentialEnergy, firstVolume = state.Volume, mostStress = options.MaximumStress * MechanicalUnits.Gigapascal;
        long step = 0;
        bool IsRelaxed() => state.MaximumForce <= options.MaximumForce && coordinates.MaximumStress <= mostStress;
        using IDisposable claim = folder.Claim();
        folder.Prepare();
        using (SimulationFolder.GrowingText trajectory = folder.Open(SimulationFolder.Trajectory), log = folder.Open(SimulationFolder.Relaxation))
        {
            var frames = new ExtXyzWriter(trajectory);
            bool hasCell = options.Cell != CellRelaxation.Fixed;
            log.Write($"step,potential_eV,maximum_force_eV_per_A{(hasCell ? ",volume_A3,maximum_stress_GPa" : "")}\n");
            while (true)
            {
                bool last = step == options.Steps || IsRelaxed() || stop.IsCancellationRequested;
                if (last || step % options.Every == 0) Write(step, frames, log);
                trajectory.Flush();
                log.Flush();
                if (last) break;
                Step(optimizer, ++step);
                RequireNumbers(state, step);
                progress?.Report(new SimulationProgress(step, options.Steps, state.PotentialEnergy, null, state.MaximumForce));
            }
            trajectory.Complete();
            log.Complete();

            void Write(long step, ExtXyzWriter frames, StreamWriter log)
            {
                frames.Write(state.Frame(), new Dictionary<string, double> { ["step"] = step });
                string ofCell = hasCell ? string.Create(CultureInfo.InvariantCulture, $",{state.Volume:R},{coordinates.MaximumStress / MechanicalUnits.Gigapascal:R}") : "";
                log.Write(string.Create(CultureInfo.InvariantCulture, $"{step},{state.PotentialEnergy:R},{state.MaximumForce:R}{ofCell}\n"));
            }
        }
        var summary = new RelaxationSummary
        {
            Folder = folder.Path,
            End = IsRelaxed() ? SimulationEnd.Converged
                : step == options.Steps ? SimulationEnd.Steps : SimulationEnd.Stopped,
            Atoms = state.Atoms,
            Steps = step,
            ForceTolerance = options.MaximumForce,
            MaximumForce = state.MaximumForce,
            FirstEnergy = first,
            LastEnergy = state.PotentialEnergy,
            Optimizer = options.Optimizer,
            Cell = options.Cell,
            FirstVolume = options.Cell == CellRelaxation.Fixed ? null : firstVolume,
            LastVolume = options.Cell == CellRelaxation.Fixed ? null : state.Volume,
            MaximumStress = options.Cell == CellRelaxation.Fixed ? null : coordinates.MaximumStress / MechanicalUnits.Gigapascal,
            Warnings = potential.Doubts(start),
            Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
        folder.WriteSummary(summary);
        return summary;
    }

    private static void Step(IOptimizer optimizer, long step)
    {
        try
        {
            optimizer.Step();
        }
        catch (InputException e)
        {
            throw new SimulationFailedException(step, null, e.Found);
        }
    }

    private static void RequireNumbers(MolecularState state, long step)
    {
        if (!double.IsFinite(state.PotentialEnergy) || !double.IsFinite(state.MaximumForce))
            throw new SimulationFailedException(step, null, $"energy {state.PotentialEnergy} eV, greatest force {state.MaximumForce} eV/A");
    }
}

/// <summary>How to relax.</summary>
public sealed record RelaxationOptions
{
    /// <summary>eV/A: done where no atom feels more.</summary>
    public double MaximumForce { get; init; } = 0.01;

    public RelaxationOptimizer Optimizer { get; init; } = RelaxationOptimizer.Fire;

    /// <summary>What of the cell may change.</summary>
    public CellRelaxation Cell { get; init; } = CellRelaxation.Fixed;

    /// <summary>GPa on a cell that may change; positive pushes inwards.</summary>
    public double Pressure { get; init; }

    /// <summary>GPa: a cell that may change is done where no component of the stress is further from the pressure.</summary>
    public double MaximumStress { get; init; } = 0.05;

    /// <summary>Given up after as many.</summary>
    public long Steps { get; init; } = 1000;

    /// <summary>Steps from one written frame to the next.</summary>
    public long Every { get; init; } = 10;

    /// <exception cref="InputException">A value out of range.</exception>
    public void Validate()
    {
        if (!(MaximumForce > 0) || !double.IsFinite(MaximumForce))
            throw new InputException("maximumForce", $"{MaximumForce}", "a positive number of eV/A");
        if (Steps < 1) throw new InputException("steps", $"{Steps}", "1 or more");
        if (Every < 1) throw new InputException("every", $"{Every}", "1 or more");
        if (!double.IsFinite(Pressure)) throw new InputException("pressure", $"{Pressure}", "a number of GPa");
        if (!(MaximumStress > 0) || !double.IsFinite(MaximumStress)) throw new InputException("maximumStress", $"{MaximumStress}", "a positive number of GPa");
    }

    /// <exception cref="InputException">The start allows no such relaxation.</exception>
    internal void Validate(Frame start)
    {
        StartFrame.RequireKnownMask(start);
        if (start.Fixed?.All(held => held) == true) throw new InputException(start.Place, "every atom is fixed", "one that may move");
        if (Optimizer == RelaxationOptimizer.Bfgs && start.Atoms > Bfgs.MostAtoms)
            throw new InputException("optimizer", $"bfgs for {start.Atoms} atoms", $"at most {Bfgs.MostAtoms}: it holds (3 atoms)^2 numbers", "fire takes any number");
        if (Cell == CellRelaxation.Fixed) return;
        if (!start.Periodic.All(repeats => repeats))
            throw new InputException(start.Place, start.Cell is null ? "no cell" : "a cell that does not repeat in all directions", "one that does, to be relaxed");
        if (start.Fixed?.Contains(true) == true) throw new InputException(start.Place, "fixed atoms", "none where the cell is relaxed: positions go with it");
    }
}

/// <summary>What a relaxation did.</summary>
public sealed record RelaxationSummary
{
    public required string Folder { get; init; }

    public required SimulationEnd End { get; init; }

    public required int Atoms { get; init; }

    /// <summary>Done.</summary>
    public required long Steps { get; init; }

    /// <summary>eV/A, as asked for.</summary>
    public required double ForceTolerance { get; init; }

    /// <summary>eV/A: the longest force on an atom at the end.</summary>
    public required double MaximumForce { get; init; }

    /// <summary>eV.</summary>
    public required double FirstEnergy { get; init; }

    /// <summary>eV.</summary>
    public required double LastEnergy { get; init; }

    public RelaxationOptimizer Optimizer { get; init; }

    /// <summary>What of the cell could change.</summary>
    public CellRelaxation Cell { get; init; }

    /// <summary>A^3; null where the cell stayed.</summary>
    public double? FirstVolume { get; init; }

    /// <summary>A^3; null where the cell stayed.</summary>
    public double? LastVolume { get; init; }

    /// <summary>GPa: the greatest component of the stress beside the pressure at the end; null where the cell stayed.</summary>
    public double? MaximumStress { get; init; }

    /// <summary>Why it may mean nothing; empty where nothing speaks against it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public required double Seconds { get; init; }
}
