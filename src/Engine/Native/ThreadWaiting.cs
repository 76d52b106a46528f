using System.Runtime.InteropServices;

namespace ChemScale.Engine.Native;

/// <summary>
/// How long libtorch's OpenMP threads spin between two parallel regions before they sleep. GNU OpenMP's own 300,000 turns (milliseconds) are
/// for machines with nobody else on them: beside one busy process the threads that spin use up what the scheduler grants them, and a
/// training step takes twenty times as long. It reads its environment once, when it is loaded.
/// </summary>
internal static unsafe partial class ThreadWaiting
{
    private const string Variable = "GOMP_SPINCOUNT";

    // Measured: docs/LOG.md, "Waiting threads".
    private const string Turns = "1000";

    private static readonly string[] Variables = ["OMP_WAIT_POLICY", Variable, "KMP_BLOCKTIME"];

    /// <summary>Before libtorch is loaded. What whoever started us has chosen stands, and our choice is not handed on to other programs.</summary>
    public static void Shorten()
    {
        if (!OperatingSystem.IsLinux() || Variables.Any(v => Environment.GetEnvironmentVariable(v) is { Length: > 0 })) return;
        // From here on .NET works on a copy of its own, and so do processes that it starts; what follows is seen by native code alone.
        _ = Environment.GetEnvironmentVariables();
        SetVariable(Variable, Turns, 0);
    }

    /// <summary>What native code has been told.</summary>
    public static string Describe()
    {
        if (!OperatingSystem.IsLinux()) return "waiting is the library's own";
        string? chosen = Variables.FirstOrDefault(v => Environment.GetEnvironmentVariable(v) is { Length: > 0 });
        if (chosen is not null) return $"waiting by {chosen}={Environment.GetEnvironmentVariable(chosen)} of the environment";
        return Marshal.PtrToStringUTF8((nint)GetVariable(Variable)) is { } turns ? $"waiting by {Variable}={turns}" : "waiting is the library's own";
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial byte* GetVariable(string name);
}
