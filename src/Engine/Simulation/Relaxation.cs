using System.Diagnostics;
using System.Globalization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.ExtXyz;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Relaxes positions to a force tolerance by <see cref="Fire"/>; the cell is held fixed. The last frame written is the relaxed one.
/// </summary>
public static class Relaxation
{
    /// <param name="potential">Evaluated once a step.</param>
    /// <param name="start">Its positions, cell and charge.</param>
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
        long started = Stopwatch.GetTimestamp();
        var state = new MolecularState(start, potential);
        RequireNumbers(state, 0);
        var fire = new Fire(state);
        double first = state.PotentialEnergy;
        long step = 0;
        folder.Prepare();
        using (SimulationFolder.GrowingText trajectory = folder.Open(SimulationFolder.Trajectory), log = folder.Open(SimulationFolder.Relaxation))
        {
            var frames = new ExtXyzWriter(trajectory);
            log.Write("step,potential_eV,maximum_force_eV_per_A\n");
            while (true)
            {
                bool last = step == options.Steps || state.MaximumForce <= options.MaximumForce || stop.IsCancellationRequested;
                if (last || step % options.Every == 0) Write(state, step, frames, log);
                trajectory.Flush();
                log.Flush();
                if (last) break;
                Step(fire, ++step);
                RequireNumbers(state, step);
                progress?.Report(new SimulationProgress(step, options.Steps, state.PotentialEnergy, null, state.MaximumForce));
            }
            trajectory.Complete();
            log.Complete();
        }
        var summary = new RelaxationSummary
        {
            Folder = folder.Path,
            End = state.MaximumForce <= options.MaximumForce ? SimulationEnd.Converged
                : step == options.Steps ? SimulationEnd.Steps : SimulationEnd.Stopped,
            Atoms = state.Atoms,
            Steps = step,
            ForceTolerance = options.MaximumForce,
            MaximumForce = state.MaximumForce,
            FirstEnergy = first,
            LastEnergy = state.PotentialEnergy,
            Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
        folder.WriteSummary(summary);
        return summary;
    }

    private static void Step(Fire fire, long step)
    {
        try
        {
            fire.Step();
        }
        catch (InputException e)
        {
            throw new SimulationFailedException(step, null, e.Found);
        }
    }

    private static void Write(MolecularState state, long step, ExtXyzWriter frames, StreamWriter log)
    {
        frames.Write(state.Frame(), new Dictionary<string, double> { ["step"] = step });
        log.Write(string.Create(CultureInfo.InvariantCulture, $"{step},{state.PotentialEnergy:R},{state.MaximumForce:R}\n"));
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

    public required double Seconds { get; init; }
}

/// <summary>
/// Relaxes positions, the cell held fixed, by the fast inertial relaxation engine (Bitzek, Koskinen, Gaehler, Moseler, Gumbsch, Phys. Rev.
/// Lett. 97, 170201 (2006)) with the paper's parameters: atoms of 1 amu roll downhill, are steered towards the force, and stop where they
/// would climb. No atom moves further than <see cref="LongestMove"/> in a step.
/// </summary>
/// <param name="state">Its momenta are not used.</param>
internal sealed class Fire(MolecularState state)
{
    /// <summary>A.</summary>
    public const double LongestMove = 0.1;

    private const int StepsBeforeFaster = 5;
    private const double Faster = 1.1, Slower = 0.5, FirstSteering = 0.1, LessSteering = 0.99;

    private readonly double[] velocities = new double[state.Positions.Length];
    private readonly double longestTimestep = 10 * MechanicalUnits.Femtosecond;
    private double timestep = MechanicalUnits.Femtosecond;
    private double steering = FirstSteering;
    private int downhill;

    public void Step()
    {
        Steer();
        double longest = 0;
        for (int i = 0; i < velocities.Length; i++) velocities[i] += timestep * state.Forces[i];
        for (int i = 0; i < velocities.Length; i += 3) longest = Math.Max(longest, timestep * Length(velocities.AsSpan(i, 3)));
        double scale = longest > LongestMove ? LongestMove / longest : 1;
        for (int i = 0; i < velocities.Length; i++) state.Positions[i] += scale * timestep * velocities[i];
        state.Evaluate();
    }

    private void Steer()
    {
        double power = 0;
        for (int i = 0; i < velocities.Length; i++) power += state.Forces[i] * velocities[i];
        if (power > 0)
        {
            double turn = steering * Length(velocities) / Length(state.Forces);
            for (int i = 0; i < velocities.Length; i++) velocities[i] = (1 - steering) * velocities[i] + turn * state.Forces[i];
            if (++downhill <= StepsBeforeFaster) return;
            timestep = Math.Min(timestep * Faster, longestTimestep);
            steering *= LessSteering;
        }
        else
        {
            // At rest, as before the first step, there is nothing to stop.
            if (downhill > 0 || Length(velocities) > 0) timestep *= Slower;
            Array.Clear(velocities);
            steering = FirstSteering;
            downhill = 0;
        }
    }

    private static double Length(ReadOnlySpan<double> vector)
    {
        double sum = 0;
        foreach (double x in vector) sum += x * x;
        return Math.Sqrt(sum);
    }
}
