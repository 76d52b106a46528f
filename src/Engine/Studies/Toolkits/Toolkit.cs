using System.Diagnostics;
using System.Text.Json;

namespace ChemScale.Engine.Studies.Toolkits;

/// <summary>RDKit, in the Python that the variable CHEMSCALE_PYTHON names: small scripts of ours, text in, one JSON object out.</summary>
internal static class Toolkit
{
    /// <summary>Molecules that it is asked about at most: some of what it measures takes a millisecond each.</summary>
    public const int Most = 10_000;

    private const string Variable = "CHEMSCALE_PYTHON";

    /// <param name="script">Python. Writes an object; one with the key <c>reason</c> where a module is missing.</param>
    /// <param name="input">Its standard input.</param>
    /// <param name="read">Takes the answer out of the object.</param>
    /// <param name="stop">Ends the process.</param>
    /// <returns>The answer, or why there is none: one line.</returns>
    /// <exception cref="OperationCanceledException">Stopped.</exception>
    public static (T? Answer, string? Reason) Ask<T>(string script, string input, Func<JsonElement, T> read, CancellationToken stop)
        where T : class
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } python) return (null, $"{Variable} names no Python");
        try
        {
            using JsonDocument answer = JsonDocument.Parse(Run(python, script, input, stop));
            return answer.RootElement.TryGetProperty("reason", out JsonElement reason) ? (null, reason.GetString()!) : (read(answer.RootElement), null);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or JsonException or KeyNotFoundException)
        {
            return (null, $"{python}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static string Run(string python, string script, string input, CancellationToken stop)
    {
        var start = new ProcessStartInfo(python) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(script);
        using Process process = Process.Start(start)!;
        using CancellationTokenRegistration ended = stop.Register(() => End(process));
        Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None), answer = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all: its errors say why.
        }
        process.WaitForExit();
        stop.ThrowIfCancellationRequested();
        if (process.ExitCode == 0) return answer.Result;
        string? last = errors.Result.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault();
        throw new IOException($"exit code {process.ExitCode}{(last is null ? "" : ": " + last)}");
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // Over already.
        }
    }
}

/// <summary>What RDKit says of molecules that this engine takes for such: a judge that is not ours.</summary>
/// <param name="Asked">Molecules of the sample, spread evenly over all.</param>
/// <param name="Read">Of them, those that RDKit reads and sanitizes; null where it was not asked.</param>
/// <param name="NotComputed">Why not, in one line.</param>
public sealed record ToolkitValidity(int Asked, int? Read, string? NotComputed)
{
    private const string Script = """
        import json, sys
        try:
            from rdkit import Chem, RDLogger
        except ImportError as e:
            print(json.dumps({'reason': 'no RDKit: ' + str(e)}))
            sys.exit()
        RDLogger.DisableLog('rdApp.*')
        print(json.dumps({'read': sum(Chem.MolFromSmiles(line) is not None for line in sys.stdin.read().split('\n')[:-1])}))
        """;

    internal static ToolkitValidity Of(IReadOnlyCollection<string> smiles, CancellationToken stop)
    {
        if (smiles.Count == 0) return new ToolkitValidity(0, null, "no molecules");
        (object? read, string? reason) = Toolkit.Ask<object>(Script, string.Concat(smiles.Select(s => s + "\n")), answer => answer.GetProperty("read").GetInt32(), stop);
        return new ToolkitValidity(smiles.Count, (int?)read, reason);
    }
}

/// <summary>So many texts of a stream of unknown length, evenly spread: every one, every second, every fourth.</summary>
internal sealed class SpreadSample(int most)
{
    private readonly List<string> kept = [];
    private long seen, step = 1;

    public IReadOnlyCollection<string> Kept => kept;

    public void Add(string text)
    {
        if (seen++ % step != 0) return;
        kept.Add(text);
        if (kept.Count <= most) return;
        step *= 2;
        int left = 0;
        for (int i = 0; i < kept.Count; i += 2) kept[left++] = kept[i];
        kept.RemoveRange(left, kept.Count - left);
    }
}
