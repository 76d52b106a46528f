using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using ChemScale.Tests.Stress;

/// <summary>
/// DOTNET_STARTUP_HOOKS=ChemScale.Stress.dll PROGRAM: collects garbage without pause and lets finalizers run while the program works.
/// STRESS_LOG: a file for how often it collected, and for every exception by place. STRESS_COLLECT=0 only records. STRESS_PAUSE=MILLISECONDS
/// between collections lets the program have its turn on a machine where it has one processor. STRESS_RACE=SECONDS runs
/// <see cref="HandleRace"/> in the program's place.
/// </summary>
/// <remarks>The runtime asks for this name, in no namespace.</remarks>
internal static class StartupHook
{
    private static readonly ConcurrentDictionary<string, int> Seen = new();
    private static long collections;

    public static void Initialize()
    {
        if (Environment.GetEnvironmentVariable("STRESS_RACE") is { Length: > 0 } seconds)
        {
            HandleRace.LoadNatives();
            RaceResult result = HandleRace.Run(long.MaxValue, TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture)), 2);
            Console.WriteLine(result);
            Environment.Exit(result.Thrown + result.Wrong > 0 ? 3 : 0);
        }
        string? log = Environment.GetEnvironmentVariable("STRESS_LOG");
        if (log is not null)
        {
            AppDomain.CurrentDomain.FirstChanceException += (_, e) => Record(log, e.Exception);
            AppDomain.CurrentDomain.ProcessExit += (_, _) => Write(log);
        }
        if (Environment.GetEnvironmentVariable("STRESS_COLLECT") != "0") new Thread(Collect) { IsBackground = true, Name = "stress" }.Start();
    }

    private static void Collect()
    {
        int pause = int.Parse(Environment.GetEnvironmentVariable("STRESS_PAUSE") ?? "0", CultureInfo.InvariantCulture);
        while (true)
        {
            GC.Collect(0);
            GC.WaitForPendingFinalizers();
            collections++;
            if (pause > 0) Thread.Sleep(pause);
        }
    }

    private static void Record(string log, Exception exception)
    {
        string message = exception.Message.Split('\n')[0];
        IEnumerable<string> places = new StackTrace(2, false).GetFrames().Select(f => f.GetMethod()).Where(m => m is not null)
            .Select(m => $"{m!.DeclaringType?.FullName}.{m.Name}").Where(s => !s.StartsWith("System.", StringComparison.Ordinal));
        Seen.AddOrUpdate($"{exception.GetType().Name}: {message} @ {string.Join(" < ", places.Take(9))}", 1, (_, count) => count + 1);
        Write(log);
    }

    /// <summary>First line: collections; then an exception a line.</summary>
    private static void Write(string log)
    {
        lock (Seen)
        {
            File.WriteAllLines(log, Seen.OrderByDescending(s => s.Value).Select(s => $"{s.Value} x {s.Key}")
                .Prepend(collections.ToString(CultureInfo.InvariantCulture)));
        }
    }
}
