using System.Globalization;

namespace ChemScale.Engine;

/// <summary>
/// How many threads are ours: the least of the cores that this process may run on, the CPU quotas of its control groups (rounded down, at
/// least 1), SLURM_CPUS_PER_TASK and OMP_NUM_THREADS. Whoever counts cores alone gives a container of half a machine twice the threads that
/// can run, and each waits for one that does not. What a caller asks for by name may be more.
/// </summary>
public static class ProcessorBudget
{
    private static readonly Lazy<Limit> Found = new(() => Find("/", Environment.GetEnvironmentVariable, Runtime()));

    /// <summary>Threads, 1 or more; looked up once.</summary>
    public static int Count => Found.Value.Count;

    /// <summary>What decided it, such as <c>cgroup quota 1.5 of 4 cores</c>.</summary>
    public static string Reason => Found.Value.Reason;

    /// <summary>More than any machine has cores: a number beyond it is a slip, and each thread costs memory.</summary>
    internal const int MostThreads = 1024;

    /// <summary>What a caller asks for by name.</summary>
    /// <param name="threads">How many.</param>
    /// <param name="least">1, or 0 where that leaves the number to the engine.</param>
    /// <param name="place">Key or option.</param>
    /// <exception cref="InputException">Fewer, or more than <see cref="MostThreads"/>.</exception>
    internal static void Check(int threads, int least = 1, string place = "threads")
    {
        if (threads < least || threads > MostThreads) throw new InputException(place, $"{threads}", $"1 to {MostThreads}");
    }

    /// <summary>For loops on the .NET pool, whose own number of threads is that of the cores.</summary>
    internal static ParallelOptions Loops { get; } = new() { MaxDegreeOfParallelism = Count };

    /// <param name="Count">Threads.</param>
    /// <param name="Reason">What decided it.</param>
    internal readonly record struct Limit(int Count, string Reason);

    /// <summary>The rule itself. What cannot be read, or means nothing, limits nothing.</summary>
    /// <param name="root">Of the file system: what holds proc and sys.</param>
    /// <param name="environment">Value of a variable.</param>
    /// <param name="runtime">What .NET counts.</param>
    internal static Limit Find(string root, Func<string, string?> environment, int runtime)
    {
        int allowed = Allowed(root).Count;
        int cores = allowed > 0 ? allowed : Math.Max(1, runtime);
        int online = CpuList(Lines(root, "sys/devices/system/cpu/online").FirstOrDefault()).Count;
        var least = new Limit(cores, cores < online ? $"affinity, {cores} of {online} cores" : cores == 1 ? "one core" : $"all {cores} cores");
        string of = cores == 1 ? "one core" : $"{cores} cores";
        if (ControlGroups.Quota(root) is { } quota)
            Lower(Math.Max(1, (int)Math.Min(quota, int.MaxValue)), string.Create(CultureInfo.InvariantCulture, $"cgroup quota {Math.Floor(100 * quota) / 100:0.##} of {of}"));
        foreach (string variable in (string[])["SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS"])
        {
            // OpenMP takes a list: one number for each level of nesting.
            string? first = environment(variable)?.Split(',')[0].Trim();
            if (int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count > 0) Lower(count, $"{variable}={count} of {of}");
        }
        if (environment("DOTNET_PROCESSOR_COUNT") is { Length: > 0 }) Lower(Math.Max(1, runtime), $"DOTNET_PROCESSOR_COUNT={runtime} of {of}");
        return least;

        void Lower(int count, string reason)
        {
            if (count < least.Count) least = new Limit(count, reason);
        }
    }

    internal static IEnumerable<string> Lines(string root, string path)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(root, path));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>Numbers of the cores that this process may run on; empty: not known.</summary>
    internal static HashSet<int> Allowed(string root) =>
        CpuList(Lines(root, "proc/self/status").FirstOrDefault(l => l.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal))?.Split(':')[1]);

    /// <returns>The numbers of <c>0-3,8</c>; empty: not such a list.</returns>
    private static HashSet<int> CpuList(string? list)
    {
        HashSet<int> cores = [];
        foreach (string range in (list ?? "").Split(','))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || !int.TryParse(ends[0], CultureInfo.InvariantCulture, out int first) || !int.TryParse(ends[^1], CultureInfo.InvariantCulture, out int last)
                || first < 0 || last < first || last > ushort.MaxValue) return [];
            cores.UnionWith(Enumerable.Range(first, last - first + 1));
        }
        return cores;
    }

#pragma warning disable RS0030 // Here is the one place.
    private static int Runtime() => Environment.ProcessorCount;
#pragma warning restore RS0030
}

/// <summary>Control groups of Linux, versions 1 and 2, which may be mounted side by side.</summary>
internal static class ControlGroups
{
    /// <summary>The least CPU quota on the path from this process's group to the top that can be seen, in cores; null: none.</summary>
    /// <param name="root">What holds proc, and what mount points begin at.</param>
    public static double? Quota(string root)
    {
        double? least = null;
        string[] groups = [.. ProcessorBudget.Lines(root, "proc/self/cgroup")];
        foreach (Mount mount in Mounts(root))
        {
            foreach (string group in groups)
            {
                // 0::/path of version 2; 4:cpu,cpuacct:/path of version 1.
                string[] parts = group.Split(':', 3);
                if (parts.Length < 3 || (mount.Second ? parts[0] != "0" || parts[1] != "" : !parts[1].Split(',').Contains("cpu"))) continue;
                foreach (string folder in Path(root, mount, parts[2]))
                {
                    if ((mount.Second ? Max(folder) : Cfs(folder)) is { } quota && !(quota >= least)) least = quota;
                }
            }
        }
        return least;
    }

    /// <summary>Folders from the group's own to the mount's. A group outside of what is mounted: the mount's folder alone.</summary>
    private static IEnumerable<string> Path(string root, Mount mount, string group)
    {
        string top = System.IO.Path.Combine(root, mount.Point.TrimStart('/'));
        string inside = mount.Root == "/" ? group
            : group == mount.Root || group.StartsWith(mount.Root + "/", StringComparison.Ordinal) ? group[mount.Root.Length..]
            : "";
        string[] names = inside.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (names.Contains("..")) names = [];
        for (int depth = names.Length; depth >= 0; depth--) yield return System.IO.Path.Combine([top, .. names[..depth]]);
    }

    /// <summary>cpu.max: <c>150000 100000</c>, or <c>max 100000</c>.</summary>
    private static double? Max(string folder) => First(folder, "cpu.max").Split(' ') is [var quota, var period] ? Ratio(quota, period) : null;

    /// <summary>Version 1 has a file for each; -1: no quota.</summary>
    private static double? Cfs(string folder) => Ratio(First(folder, "cpu.cfs_quota_us"), First(folder, "cpu.cfs_period_us"));

    private static double? Ratio(string quota, string period) =>
        long.TryParse(quota, CultureInfo.InvariantCulture, out long used) && used > 0 && long.TryParse(period, CultureInfo.InvariantCulture, out long of) && of > 0
            ? (double)used / of
            : null;

    private static string First(string folder, string file) => ProcessorBudget.Lines(folder, file).FirstOrDefault("").Trim();

    private static IEnumerable<Mount> Mounts(string root)
    {
        foreach (string line in ProcessorBudget.Lines(root, "proc/self/mountinfo"))
        {
            // 36 25 0:32 /root /point options [more ...] - type source options
            string[] sides = line.Split(" - ", 2), before = sides[0].Split(' '), after = sides[^1].Split(' ');
            if (sides.Length < 2 || before.Length < 5 || after.Length < 3) continue;
            if (after[0] == "cgroup2" || (after[0] == "cgroup" && after[2].Split(',').Contains("cpu")))
                yield return new Mount(after[0] == "cgroup2", Plain(before[3]), Plain(before[4]));
        }
    }

    /// <summary>Blanks are written in octal.</summary>
    private static string Plain(string path) => path.Replace("\\040", " ", StringComparison.Ordinal).Replace("\\011", "\t", StringComparison.Ordinal)
        .Replace("\\012", "\n", StringComparison.Ordinal).Replace("\\134", "\\", StringComparison.Ordinal);

    /// <param name="Second">Of version 2.</param>
    /// <param name="Root">The group that is mounted.</param>
    /// <param name="Point">Where.</param>
    private readonly record struct Mount(bool Second, string Root, string Point);
}

/// <summary>
/// What other processes leave of our cores, looked at twice a second. A thread for a core that somebody else keeps busy makes all others wait
/// for it; one less does the work sooner. For regions whose result does not depend on the number of threads.
/// </summary>
/// <param name="cores">Number of cores.</param>
/// <param name="clock">Seconds.</param>
/// <param name="work">Seconds that those cores have worked, and that this process has; null: not known.</param>
internal sealed class OtherProcesses(int cores, Func<double> clock, Func<(double All, double Own)?> work)
{
    private const double Interval = 0.5;

    // Cores' worth of others. Beside two spinning threads of ours a busy process gets half a core; the kernel counts hundredths of a second.
    private const double Busy = 0.35, Quiet = 0.2;

    private static readonly HashSet<int> Ours = ProcessorBudget.Allowed("/");

    private readonly Lock gate = new();
    private double looked = clock();
    private (double All, double Own)? last = work();
    private int free = int.MaxValue;

    public static OtherProcesses Here { get; } = new(Math.Max(1, Ours.Count), () => Environment.TickCount64 / 1000.0,
        () => Worked(ProcessorBudget.Lines("/", "proc/stat"), Ours) is { } all ? (all, Environment.CpuUsage.TotalTime.TotalSeconds) : null);

    /// <summary>At most as many threads as cores are free, and at least one.</summary>
    public int Leave(int threads)
    {
        if (last is not null && clock() - Volatile.Read(ref looked) >= Interval && gate.TryEnter())
        {
            try
            {
                Look();
            }
            finally
            {
                gate.Exit();
            }
        }
        return Math.Min(threads, free);
    }

    /// <summary>Seconds that some cores have worked, from the lines of /proc/stat; null: nothing is said of them.</summary>
    internal static double? Worked(IEnumerable<string> lines, HashSet<int> cores)
    {
        long? hundredths = null;
        foreach (string line in lines)
        {
            // cpu3 user nice system idle iowait irq softirq steal ...; the first line is the sum.
            string[] words = line.Split(' ');
            if (words.Length < 9 || !words[0].StartsWith("cpu", StringComparison.Ordinal) || !int.TryParse(words[0].AsSpan(3), CultureInfo.InvariantCulture, out int core)
                || !cores.Contains(core)) continue;
            hundredths ??= 0;
            foreach (int column in (ReadOnlySpan<int>)[1, 2, 3, 6, 7, 8])
                if (long.TryParse(words[column], CultureInfo.InvariantCulture, out long time)) hundredths += time;
        }
        return hundredths / 100.0;
    }

    private void Look()
    {
        double now = clock();
        if (work() is { } worked && last is { } before)
        {
            double others = Math.Max(0, worked.All - before.All - (worked.Own - before.Own)) / (now - looked);
            int most = Math.Clamp((int)(cores - others + Busy), 1, cores), least = Math.Clamp((int)(cores - others + Quiet), 1, cores);
            free = Math.Clamp(free, least, most);
            last = worked;
        }
        Volatile.Write(ref looked, now);
    }
}
