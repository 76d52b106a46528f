using System.Diagnostics;
using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Runs a molecular dynamics. Momenta of the start are used as they are. Where they are drawn, at constant energy, they have neither translation nor, where
/// nothing repeats, rotation; what does not move and cannot start to does not count in the temperature. A thermostat moves everything that is not fixed, so
/// all three degrees of freedom of every such atom count.
/// </summary>
public static class MolecularDynamics
{
    // A checkpoint waits for the medium.
    private static readonly TimeSpan CheckpointPeriod = TimeSpan.FromSeconds(30);

    /// <param name="potential">Evaluated once a step.</param>
    /// <param name="start">Its positions, cell and charge, momenta and fixed atoms.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Receives the files of <see cref="SimulationFolder"/>; of several replicas, in folders of their own. From its checkpoint, where it
    /// has one, the dynamics goes on, and what was written behind that is written again.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stop">Ends the run after a whole step; all files are complete then too.</param>
    /// <exception cref="InputException">Options, a frame or a folder that will not do; nothing is written.</exception>
    /// <exception cref="SimulationFailedException">It blew up; what was written until then stays.</exception>
    public static DynamicsSummary Run(IPotential potential, Frame start, DynamicsOptions options, SimulationFolder folder,
        IProgress<SimulationProgress>? progress = null, CancellationToken stop = default) =>
        Run(potential, start, options, folder, CheckpointPeriod, progress, stop);

    /// <inheritdoc cref="Run(IPotential, Frame, DynamicsOptions, SimulationFolder, IProgress{SimulationProgress}?, CancellationToken)"/>
    internal static DynamicsSummary Run(IPotential potential, Frame start, DynamicsOptions options, SimulationFolder folder, TimeSpan period,
        IProgress<SimulationProgress>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        options.Validate(start);
        folder.Kept?.RequireSame(folder.In(SimulationFolder.Checkpoint), start, options, potential.Identity);
        var run = new DynamicsRun(potential, start, options, folder.Kept);
        using IDisposable claim = folder.Claim();
        if (folder.Kept is null)
        {
            folder.Prepare();
            folder.WriteCheckpoint(run.Checkpoint([.. Enumerable.Repeat((0L, 0L), options.Replicas)]));
        }
        long written = Stopwatch.GetTimestamp();
        using var files = new ReplicaFiles(folder, run);
        files.WriteStart(run);
        while (run.Step < options.Steps && !run.IsUncertain && !stop.IsCancellationRequested)
        {
            run.Advance();
            if (run.Step % options.Every == 0) files.Write(run);
            progress?.Report(run.Progress);
            if (Stopwatch.GetElapsedTime(written) < period || run.Step == options.Steps) continue;
            folder.WriteCheckpoint(run.Checkpoint(files.Complete()));
            written = Stopwatch.GetTimestamp();
        }
        // A last frame between two periods is not part of what a longer run would write.
        folder.WriteCheckpoint(run.Checkpoint(files.Complete()));
        if ((run.Step == options.Steps || run.IsUncertain) && run.Step % options.Every != 0)
        {
            files.Write(run);
            files.Complete();
        }
        return files.Summarize(run);
    }

    /// <summary>The files of all replicas.</summary>
    private sealed class ReplicaFiles : IDisposable
    {
        private readonly SimulationFolder folder;
        private readonly SimulationFolder[] folders;
        private readonly List<DynamicsWriter> writers = [];

        public ReplicaFiles(SimulationFolder folder, DynamicsRun run)
        {
            this.folder = folder;
            int replicas = run.States.Count;
            folders = replicas == 1 ? [folder] : [.. Enumerable.Range(0, replicas).Select(r => folder.Inner($"replica-{r:D2}"))];
            try
            {
                for (int r = 0; r < replicas; r++)
                {
                    (long, long) kept = folder.Kept is { } known ? (known.Replicas[r].TrajectoryBytes, known.Replicas[r].ThermoBytes) : (0, 0);
                    if (replicas > 1 && kept.Item2 == 0) folders[r].Prepare();
                    writers.Add(new DynamicsWriter(folders[r], kept, run.States[r].HasStress));
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        /// <summary>The first frame, unless a run before has written it.</summary>
        public void WriteStart(DynamicsRun run)
        {
            if (run.Step == 0 && folder.Kept?.Replicas[0].ThermoBytes is not > 0) Write(run);
        }

        public void Write(DynamicsRun run)
        {
            for (int r = 0; r < writers.Count; r++) writers[r].Write(run.States[r], run.Records[r].Last);
        }

        public (long Trajectory, long Thermo)[] Complete() => [.. writers.Select(w => w.Complete())];

        public DynamicsSummary Summarize(DynamicsRun run)
        {
            DynamicsSummary[] all = [.. folders.Select((f, r) => run.Summary(r, f.Path))];
            DynamicsSummary summary = all.Length == 1 ? all[0] : run.Mean(all, folder.Path);
            if (all.Length > 1)
                for (int r = 0; r < all.Length; r++) folders[r].WriteSummary(all[r]);
            folder.WriteSummary(summary);
            return summary;
        }

        public void Dispose()
        {
            foreach (DynamicsWriter writer in writers) writer.Dispose();
        }
    }
}
