using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Simulation;

/// <summary>Where a simulation is written: trajectory.extxyz, a CSV log, and summary.json when it has ended.</summary>
public sealed class SimulationFolder
{
    public const string Trajectory = "trajectory.extxyz", Thermo = "thermo.csv", Relaxation = "relaxation.csv", Summary = "summary.json";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    private readonly bool overwrite;
    private readonly IStorage storage = DiskStorage.Shared;

    /// <param name="path">Made when the first file is opened.</param>
    /// <param name="overwrite">Whether a simulation that is there may be replaced.</param>
    /// <exception cref="InputException">One is there and may not be.</exception>
    public SimulationFolder(string path, bool overwrite = false)
    {
        Path = path;
        this.overwrite = overwrite;
        RequireFree();
    }

    public string Path { get; }

    internal string In(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Makes the folder, and takes away what a simulation before left there.</summary>
    /// <exception cref="InputException">It cannot be written to.</exception>
    internal void Prepare() => Guard(() =>
    {
        RequireFree();
        storage.EnsureDirectory(Path);
        foreach (string name in (string[])[Trajectory, Thermo, Relaxation, Summary]) storage.DeleteFile(In(name));
    });

    /// <exception cref="InputException">It cannot be written to.</exception>
    internal GrowingText Open(string name)
    {
        GrowingText? text = null;
        Guard(() => text = new GrowingText(storage.Create(In(name)), storage));
        return text!;
    }

    internal void WriteSummary<T>(T summary) => storage.WriteAtomically(In(Summary), JsonSerializer.Serialize(summary, Json) + "\n");

    private void RequireFree()
    {
        if (!overwrite && File.Exists(In(Trajectory)))
            throw new InputException(Path, "holds a simulation", "a new folder", "choose another, or replace it with `overwrite`");
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
        public void Complete()
        {
            Flush();
            storage.Sync(BaseStream);
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
