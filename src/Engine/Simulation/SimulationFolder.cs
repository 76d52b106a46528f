using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Where a simulation is written: trajectory.extxyz, a CSV log, checkpoint.json from which a dynamics is gone on with, and summary.json when it has ended.
/// One process at a time writes there.
/// </summary>
public sealed class SimulationFolder
{
    public const string Trajectory = "trajectory.extxyz", Thermo = "thermo.csv", Relaxation = "relaxation.csv", Summary = "summary.json";

    public const string Checkpoint = "checkpoint.json", PathFrames = "path.extxyz", PathTable = "path.csv";

    private const string Lock = "simulation.lock";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly bool overwrite;
    private readonly IStorage storage;

    /// <param name="path">Made when the first file is opened.</param>
    /// <param name="overwrite">Whether a simulation that is there may be replaced.</param>
    /// <exception cref="InputException">One is there and may not be.</exception>
    public SimulationFolder(string path, bool overwrite = false)
        : this(path, overwrite, resumes: false, DiskStorage.Shared)
    {
    }

    internal SimulationFolder(string path, bool overwrite, bool resumes, IStorage storage)
    {
        Path = path;
        this.overwrite = overwrite;
        this.storage = storage;
        Kept = resumes && File.Exists(In(Checkpoint)) ? DynamicsCheckpoint.Read(In(Checkpoint)) : null;
        if (Kept is null) RequireFree();
    }

    /// <summary>A folder whose dynamics is gone on with from its last checkpoint; one without begins.</summary>
    /// <param name="path">Of the folder.</param>
    /// <exception cref="InputException">A simulation without a checkpoint, or a damaged one.</exception>
    public static SimulationFolder Resumed(string path) => new(path, overwrite: false, resumes: true, DiskStorage.Shared);

    /// <summary>How the dynamics was run that is gone on with; null where one begins.</summary>
    public DynamicsOptions? KeptOptions => Kept?.Options;

    /// <summary>The start of the dynamics that is gone on with, as far as it does not move; null where one begins.</summary>
    public Frame? KeptStart => Kept?.Start;

    internal DynamicsCheckpoint? Kept { get; }

    public string Path { get; }

    internal string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Of a replica.</summary>
    internal SimulationFolder Inner(string name) => new(In(name), overwrite: true, resumes: false, storage);

    /// <summary>Makes the folder, and takes away what a simulation before left there; the checkpoint first, so that a crash leaves none of another's files.</summary>
    /// <exception cref="InputException">It cannot be written to.</exception>
    internal void Prepare() => Guard(() =>
    {
        RequireFree();
        storage.EnsureDirectory(Path);
        foreach (string name in (string[])[Checkpoint, Trajectory, Thermo, Relaxation, PathFrames, PathTable, Summary]) storage.DeleteFile(In(name));
    });

    /// <summary>Keeps others from writing here until it is disposed of.</summary>
    /// <exception cref="InputException">Another process writes here, or nobody can.</exception>
    internal IDisposable Claim()
    {
        Stream? claim = null;
        Guard(() =>
        {
            storage.EnsureDirectory(Path);
            claim = storage.TryLock(In(Lock));
        });
        return claim is null ? throw new InputException(Path, "another process simulates there", "a folder of its own")
            : new Claimed(claim, () => storage.DeleteFile(In(Lock)));
    }

    /// <param name="name">In the folder.</param>
    /// <param name="kept">Bytes of it that stay; what follows is cut off.</param>
    /// <exception cref="InputException">It cannot be written to, or is shorter.</exception>
    internal GrowingText Open(string name, long kept = 0)
    {
        GrowingText? text = null;
        long there = File.Exists(In(name)) ? new FileInfo(In(name)).Length : 0;
        if (there < kept) throw new InputException(In(name), $"{there} bytes", $"the {kept} that the checkpoint knows of");
        Guard(() => text = new GrowingText(kept > 0 ? storage.Append(In(name), kept) : storage.Create(In(name)), storage));
        return text!;
    }

    internal void WriteCheckpoint(DynamicsCheckpoint checkpoint) => storage.WriteAtomically(In(Checkpoint), checkpoint.Bytes());

    internal void WriteSummary<T>(T summary) => storage.WriteAtomically(In(Summary), JsonSerializer.Serialize(summary, Json) + "\n");

    private void RequireFree()
    {
        if (!overwrite && ((string[])[Trajectory, Checkpoint, PathFrames]).Any(name => File.Exists(In(name))))
            throw new InputException(Path, "holds a simulation", "a new folder", "choose another, go on with it (`resume`), or replace it with `overwrite`");
    }

    private void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (FileErrors.IsRefusal(e))
        {
            throw new InputException(Path, e.Message, "a folder that can be written to");
        }
    }

    /// <summary>A text that is read while it grows.</summary>
    internal sealed class GrowingText(Stream file, IStorage storage) : StreamWriter(file, new UTF8Encoding(false), 1 << 16)
    {
        /// <summary>Everything is on the medium.</summary>
        /// <returns>Bytes of it.</returns>
        public long Complete()
        {
            Flush();
            storage.Sync(BaseStream);
            return BaseStream.Position;
        }
    }

    private sealed class Claimed(Stream file, Action remove) : IDisposable
    {
        public void Dispose()
        {
            try
            {
                // While it is held: nobody else has it open.
                remove();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The name alone keeps nobody away.
                return;
            }
            finally
            {
                file.Dispose();
            }
        }
    }
}

/// <summary>Why a simulation ended.</summary>
public enum SimulationEnd
{
    /// <summary>All steps are done.</summary>
    Steps,

    /// <summary>A relaxation has reached its force tolerance.</summary>
    Converged,

    /// <summary>It was told to stop; what was done until then is written.</summary>
    Stopped,

    /// <summary>The members of a committee were further apart than was allowed.</summary>
    Uncertain,
}

/// <summary>A simulation left what the model can describe. What was written until then stays.</summary>
/// <param name="step">The one that failed.</param>
/// <param name="timeFs">Its time, fs; null where there is none, in a relaxation.</param>
/// <param name="what">What was found, with its value.</param>
internal sealed class SimulationFailedException(long step, double? timeFs, string what)
    : Exception($"the simulation failed at step {step}{(timeFs is null ? "" : $", {timeFs:G6} fs")}: {what}"
        + ". HINT: a shorter time step, a relaxed start, or a model trained on such frames")
{
    public long Step { get; } = step;
}

/// <summary>Where a simulation is.</summary>
/// <param name="Step">Done.</param>
/// <param name="TotalSteps">At most.</param>
/// <param name="Energy">eV: total of a dynamics, potential of a relaxation.</param>
/// <param name="Temperature">K; null in a relaxation.</param>
/// <param name="MaximumForce">eV/A.</param>
public sealed record SimulationProgress(long Step, long TotalSteps, double Energy, double? Temperature, double MaximumForce);
