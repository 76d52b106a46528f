using System.Text.Json;
using ChemScale.Engine;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Merging;

/// <summary>Results that runs wrote, and JSON lines of peers that ran by themselves.</summary>
internal static class ResultFiles
{
    /// <summary>What a merge writes beside them; not a result itself.</summary>
    public const string Joined = "joined.json";

    /// <param name="place">A file, or a folder of them.</param>
    /// <exception cref="InputException">None there, or one that is none.</exception>
    public static IReadOnlyList<(string File, RunResult Result)> Read(string place)
    {
        if (!File.Exists(place) && !Directory.Exists(place)) throw new InputException(place, "no such file or folder");
        string[] files = File.Exists(place)
            ? [place]
            : [.. Directory.EnumerateFiles(place).Where(IsResult).Order(StringComparer.Ordinal)];
        return files.Length > 0
            ? [.. files.Select(file => (file, One(file)))]
            : throw new InputException(place, "no results", "files that `perf run --json FOLDER` wrote");
    }

    private static bool IsResult(string file) => Path.GetExtension(file) is ".json" or ".jsonl" && Path.GetFileName(file) != Joined;

    private static RunResult One(string file)
    {
        try
        {
            RunResult? result = file.EndsWith(".jsonl", StringComparison.Ordinal) ? Lines(file) : JsonSerializer.Deserialize<RunResult>(File.ReadAllText(file), RunResult.Json);
            return result is { Format: RunResult.CurrentFormat } && (result.Version.Length > 0 || file.EndsWith(".jsonl", StringComparison.Ordinal))
                ? result
                : throw new InputException(file, "not a result of this program", $"format {RunResult.CurrentFormat} of `perf run --json`");
        }
        catch (JsonException e)
        {
            throw new InputException(file, e.Message, "results of `perf run --json`");
        }
    }

    private static RunResult Lines(string file)
    {
        Measurement[] records = [.. File.ReadLines(file).Where(line => line.Contains("\"seconds\"", StringComparison.Ordinal))
            .Select(line => JsonSerializer.Deserialize<Measurement>(line, RunResult.Json)!)];
        return new RunResult { Group = "peer", Records = records, Host = new HostFacts { HostName = Path.GetFileNameWithoutExtension(file) } };
    }
}
