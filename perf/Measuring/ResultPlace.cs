using ChemScale.Engine;

namespace ChemScale.Perf.Measuring;

/// <summary>Where a run writes, so that the tasks of a job do not meet.</summary>
internal static class ResultPlace
{
    /// <param name="place">A .json file, or a folder, made where there is none.</param>
    /// <returns>The file to write.</returns>
    /// <exception cref="InputException">Neither can be made.</exception>
    public static string Of(string place)
    {
        try
        {
            if (place.EndsWith(".json", StringComparison.Ordinal))
            {
                if (Path.GetDirectoryName(Path.GetFullPath(place)) is { } parent) Directory.CreateDirectory(parent);
                return place;
            }
            Directory.CreateDirectory(place);
            return Path.Combine(place, Name());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException("option 'json'", e.Message);
        }
    }

    /// <summary>Slurm's job and step, which all tasks of one srun share; else local.</summary>
    public static string Group(HostFacts host) => host.SlurmJob is { } job ? $"{job}.{host.SlurmStep ?? "0"}" : "local";

    private static string Name()
    {
        string? job = Environment.GetEnvironmentVariable("SLURM_JOB_ID"), task = Environment.GetEnvironmentVariable("SLURM_PROCID");
        string step = Environment.GetEnvironmentVariable("SLURM_STEP_ID") ?? "0";
        return task is null ? $"perf-{Environment.MachineName}-{Environment.ProcessId}.json" : $"perf-{job ?? "job"}.{step}-{task}.json";
    }
}
