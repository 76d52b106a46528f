using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Perf.Measuring;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// <c>convert</c> as whole processes, their start included, from a file to a file, beside the codec alone on the same lines in memory. What counts is
/// processor time, of all threads: that is what each side's rate is per second of.
/// </summary>
internal sealed partial class ConvertBenchmark : Benchmark
{
    private const string Command = "ChemScale.Cli", Memory = "memory", Whole = "process", Before = "before";

    public override string Name => "convert";

    public override string Summary => "SMILES to SELFIES and back, whole processes beside the codec in memory";

    public override bool IsAgainstRates => false;

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
        {
            run.Skip(null, null, null, "processes are measured on Linux and macOS");
            return;
        }
        string folder = Directory.CreateTempSubdirectory("chemscale-convert-").FullName;
        try
        {
            foreach (string grammar in s.Grammars)
                foreach (long lines in s.Lines) Convert(run, grammar, SelfiesBenchmark.Molecules(s, (int)lines), folder);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static void Convert(BenchmarkRun run, string grammar, string[] smiles, string folder)
    {
        RunSettings s = run.Settings;
        SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammars.Parse(grammar));
        string[] selfies = SelfiesBenchmark.Encoded(codec, smiles);
        var of = new Case(new JsonObject { ["grammar"] = grammar, ["lines"] = smiles.Length }, "lines", smiles.Length, "molecules");
        Pass encode = new("encode"), decode = new("decode", Items: selfies.Length);
        string smilesFile = Path.Combine(folder, "in.smi"), selfiesFile = Path.Combine(folder, "in.selfies"), output = Path.Combine(folder, "out");
        File.WriteAllLines(smilesFile, smiles);
        File.WriteAllLines(selfiesFile, selfies);
        var sides = new List<SidePlan> { new(Memory, default, 1 << 28) };
        if (Program(s) is { } program) sides.Add(new SidePlan(Whole, default, 1 << 28));
        else run.Skip(of.Parameters, Whole, null, "no " + Command + ". HINT: --program names one");
        if (s.Before is not null) sides.Add(new SidePlan(Before, default, 1 << 28));
        var least = new Dictionary<(string Side, string Pass), double>();
        run.Compare(of, [encode, decode], sides, scope => plan => clock =>
        {
            Take(encode, smilesFile, [], smiles, line => codec.TryEncode(line, out _));
            Take(decode, selfiesFile, ["--from", "selfies", "--to", "smiles"], selfies, line => codec.TryDecode(line, out _));

            void Take(Pass pass, string input, string[] options, string[] lines, Action<string> convert)
            {
                TimeSpan before = ProcessorTime(children: plan.Name != Memory);
                clock.Time(pass.Name, () =>
                {
                    if (plan.Name != Memory) Process(plan.Name == Before ? s.Before! : Program(s)!, [.. options, "--grammar", grammar, .. Threads(s)], input, output);
                    else foreach (string line in lines) convert(line);
                });
                double spent = (ProcessorTime(children: plan.Name != Memory) - before).TotalSeconds;
                if (plan.Name != Memory) Check(output, lines.Length);
                (string, string) key = (plan.Name, pass.Name);
                least[key] = Math.Min(least.GetValueOrDefault(key, double.MaxValue), spent);
            }
        }, onHost: true);
        foreach (Pass pass in (Pass[])[encode, decode])
        {
            if (!least.TryGetValue((Memory, pass.Name), out double own)) continue;
            foreach (string side in sides.Select(p => p.Name).Where(name => name != Memory && least.ContainsKey((name, pass.Name))))
            {
                double items = pass.Items ?? smiles.Length, seconds = least[(side, pass.Name)];
                run.Note(string.Create(CultureInfo.InvariantCulture,
                    $"{of}, {pass.Name}: {side} {items / seconds:N0} per processor second, {100 * own / seconds:F0} % of the codec's {items / own:N0}; the least of each"));
            }
        }
    }

    private static string[] Threads(RunSettings s) => s.Threads.Length > 0 ? ["--threads", s.Threads[0].ToString(CultureInfo.InvariantCulture)] : [];

    /// <summary>The one that was named; else the one beside this program, or where the repository builds it.</summary>
    private static string? Program(RunSettings s)
    {
        if (s.Program is not null) return s.Program;
        string here = AppContext.BaseDirectory, built = $"{Path.DirectorySeparatorChar}perf{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}";
        return new[] { here, here.Replace(built, built.Replace("perf", Path.Combine("src", "Cli"), StringComparison.Ordinal), StringComparison.Ordinal) }
            .Select(folder => Path.Combine(folder, Command)).FirstOrDefault(File.Exists);
    }

    /// <summary>From file to file, as a shell does it: nothing of this process takes part.</summary>
    private static void Process(string program, string[] options, string input, string output)
    {
        const string Script = "in=$1 out=$2; shift 2; exec \"$@\" <\"$in\" >\"$out\"";
        using Process process = System.Diagnostics.Process.Start("sh", ["-c", Script, "sh", input, output, program, "convert", .. options]);
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} exits {process.ExitCode}; its reason is on standard error");
    }

    private static void Check(string output, int expected)
    {
        int lines = File.ReadLines(output, Encoding.Latin1).Count();
        if (lines != expected) throw new InvalidOperationException($"{lines} lines where {expected} are expected");
    }

    /// <summary>User and system time of this process, or of those that it has waited for.</summary>
    private static unsafe TimeSpan ProcessorTime(bool children)
    {
        // struct rusage begins with two struct timeval, seconds and microseconds, in eight bytes each; macOS has the latter in four, padded with zeros.
        long* usage = stackalloc long[64];
        new Span<long>(usage, 64).Clear();
        if (GetUsage(children ? -1 : 0, usage) != 0) throw new InvalidOperationException("getrusage fails");
        return TimeSpan.FromSeconds(usage[0] + usage[2]) + TimeSpan.FromMicroseconds((int)usage[1] + (int)usage[3]);
    }

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static unsafe partial int GetUsage(int who, long* usage);
}
