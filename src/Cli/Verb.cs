using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using CommandLine;

namespace ChemScale.Cli;

/// <summary>One command of the command line: options as properties, and a call into the engine.</summary>
internal abstract class Verb
{
    [OptionGroup("Output")]
    [Option("json", HelpText = "Print the answer as JSON on standard output, for a program to read.")]
    public bool Json { get; set; }

    /// <summary>Whether it computes with tensors, and libtorch is to be loaded before it runs: half a second of processor time.</summary>
    internal virtual bool NeedsTensors => true;

    /// <summary>Does the work.</summary>
    /// <param name="stop">Cancelled by SIGINT and SIGTERM.</param>
    /// <returns>Exit code: 0 done, 1 failed.</returns>
    public abstract int Run(CancellationToken stop);

    /// <summary>False: nothing of the work is half done before its answer, and a signal ends the process as it would any other.</summary>
    public virtual bool HearsSignals => true;
}

/// <summary>What goes to standard output.</summary>
internal static class Output
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public static void Json<T>(T value) => Console.WriteLine(JsonSerializer.Serialize(value, Options));
}

/// <summary>Greatest resident memory of this process so far.</summary>
internal static class PeakMemory
{
    public static string Text()
    {
        using Process process = Process.GetCurrentProcess();
        return $"{process.PeakWorkingSet64 / (1 << 20):N0} MiB";
    }
}
