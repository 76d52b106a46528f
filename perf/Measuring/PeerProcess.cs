using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using ChemScale.Engine;
using static TorchSharp.torch;

namespace ChemScale.Perf.Measuring;

/// <summary>
/// A script of peers/ that waits for one line of JSON after another: a case to set up, steps of it to run and time. So both sides take
/// turns step by step, each in its own process.
/// </summary>
internal sealed class PeerProcess : IDisposable
{
    private readonly Process process;
    private readonly RunSettings settings;
    private bool begun;

    private PeerProcess(Process process, RunSettings settings) => (this.process, this.settings) = (process, settings);

    /// <summary>And its version.</summary>
    public string Library { get; private set; } = "";

    public static PeerProcess Start(RunSettings settings, string script)
    {
        var start = new ProcessStartInfo(settings.Peer!, [PathOf(script), "--serve"]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        LimitThreads(start, get_num_threads());
        try
        {
            return new PeerProcess(Process.Start(start)!, settings);
        }
        catch (Win32Exception e)
        {
            throw new InputException("option 'peer'", e.Message, "a Python that has torch");
        }
    }

    public static string PathOf(string script) => Path.Combine(AppContext.BaseDirectory, "peers", script);

    /// <summary>Else the peer's matrix library would take every core whatever torch is told.</summary>
    public static void LimitThreads(ProcessStartInfo start, int threads)
    {
        start.Environment["OPENBLAS_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        start.Environment["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>Sets a case up.</summary>
    /// <param name="benchmark">Name.</param>
    /// <param name="of">The case.</param>
    /// <param name="allowed">Bytes it may take.</param>
    /// <param name="skip">Called with sides that the peer has not got, and why.</param>
    /// <returns>Names of its sides.</returns>
    public string[] Begin(string benchmark, Case of, double allowed, Action<string, string> skip)
    {
        JsonObject answer = Ask(new JsonObject
        {
            ["do"] = "case",
            ["benchmark"] = benchmark,
            ["parameters"] = of.Parameters.DeepClone(),
            ["more"] = of.ForPeer?.DeepClone(),
            ["device"] = settings.DeviceName,
            ["threads"] = get_num_threads(),
            ["compile"] = settings.Compile,
            ["memory"] = allowed,
        });
        begun = true;
        Library = (string)answer["library"]!;
        foreach ((string side, JsonNode? reason) in answer["skipped"]!.AsObject()) skip(side, (string)reason!);
        return [.. answer["sides"]!.AsArray().Select(side => (string)side!)];
    }

    /// <summary>One step of a side.</summary>
    public void Step(string side, PassClock clock)
    {
        JsonObject answer = Ask(new JsonObject { ["do"] = "step", ["side"] = side });
        foreach ((string pass, JsonNode? seconds) in answer["seconds"]!.AsObject()) clock.Add(pass, (double)seconds!);
        foreach ((string pass, JsonNode? reason) in answer["missing"]!.AsObject()) clock.Missing[pass] = (string)reason!;
    }

    /// <summary>Frees the case's memory.</summary>
    public void Forget()
    {
        if (!begun || process.HasExited) return;
        begun = false;
        _ = Ask(new JsonObject { ["do"] = "forget" });
    }

    public void Dispose()
    {
        if (!process.HasExited)
        {
            process.StandardInput.Close();
            if (!process.WaitForExit(TimeSpan.FromSeconds(5))) process.Kill();
        }
        process.Dispose();
    }

    private JsonObject Ask(JsonObject question)
    {
        if (process.HasExited) throw new InvalidOperationException($"the peer has ended with {process.ExitCode}");
        process.StandardInput.WriteLine(question.ToJsonString());
        process.StandardInput.Flush();
        string line = process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("the peer ended; its reason is on standard error");
        JsonObject answer = JsonNode.Parse(line)!.AsObject();
        return answer["error"] is { } error ? throw new InvalidOperationException("the peer: " + (string)error!) : answer;
    }
}
