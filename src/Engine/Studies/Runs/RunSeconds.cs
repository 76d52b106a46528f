using System.Text.Json;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Time a run has taken, from what it wrote.</summary>
public static class RunSeconds
{
    /// <returns>Seconds at the last logged step, all sessions together; 0 where nothing was logged.</returns>
    public static double Of(string directory)
    {
        string path = new RunDirectory(directory).MetricsJsonPath;
        if (!File.Exists(path)) return 0;
        double seconds = 0;
        foreach (string line in File.ReadLines(path))
        {
            // A line that a crash cut short says nothing.
            if (!line.EndsWith('}')) continue;
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("seconds", out JsonElement value) && value.ValueKind == JsonValueKind.Number)
                seconds = Math.Max(seconds, value.GetDouble());
        }
        return seconds;
    }
}
