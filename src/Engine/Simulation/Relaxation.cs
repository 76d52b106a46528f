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
