using System.Text.Json;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>Why a run will not be tried again by itself: kept in its directory as <c>FAILED</c>.</summary>
/// <param name="Reason">One line.</param>
/// <param name="Diverged">A loss was not a number: the experiment's own doing, and a result of a kind.</param>
public sealed record RunFailure(string Reason, bool Diverged)
{
    internal const string FileName = "FAILED";

    /// <summary>Null where the run has not failed.</summary>
    public static RunFailure? Of(string directory)
    {
        string path = Path.Combine(directory, FileName);
        try
        {
            if (!File.Exists(path)) return null;
            return Seal.ReadJson<RunFailure>(path, JsonSerializerOptions.Default, "why a run failed");
        }
        catch (InputException)
        {
            return new RunFailure($"{path} cannot be read", Diverged: false);
        }
    }

    public void Keep(string directory, IStorage? storage = null)
    {
        storage ??= DiskStorage.Shared;
        storage.EnsureDirectory(directory);
        storage.WriteAtomically(Path.Combine(directory, FileName), Seal.Json(JsonSerializer.SerializeToUtf8Bytes(this)));
    }

    /// <summary>Lets the run be tried again.</summary>
    public static void Forget(string directory)
    {
        if (Directory.Exists(directory)) DiskStorage.Shared.DeleteFile(Path.Combine(directory, FileName));
    }
}
