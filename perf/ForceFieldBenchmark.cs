using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ChemScale.Engine.Operators;
using CommandLine;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>
/// Training steps of force fields on an energy and force loss, optimizer included, beside eager PyTorch (peers/forcefield_torch.py) on the
/// same atoms, edges and weights. Each measurement is a process of its own, so that peaks of memory do not mix; the sides take turns.
/// Molecules are real (rMD17) where CHEMSCALE_DATA has them, else random ones of the same size.
/// </summary>
internal static class ForceFieldBenchmark
{
    // Losses of the first steps agree to this, relatively: both sides compute in float32.
    private const double LossTolerance = 1e-3;

    private const double Tolerance = 1e-3;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private sealed class Options
    {
        [Option("models", Separator = ',', Default = new[] { "schnet", "painn" }, HelpText = "painn, schnet.")]
        public IEnumerable<string> Models { get; set; } = [];

        [Option("molecules", Separator = ',', Default = new[] { "ethanol:10", "aspirin:64" },
            HelpText = "ethanol or aspirin, and how many.")]
        public IEnumerable<string> Molecules { get; set; } = [];

        [Option("features", Default = 128)]
        public int Features { get; set; }

        [Option("interactions", Default = 3)]
        public int Interactions { get; set; }

        [Option("steps", Default = 10, HelpText = "Measured steps of each process; small batches take ten times as many.")]
        public int Steps { get; set; }

        [Option("rounds", Default = 3, HelpText = "Both sides in turn, this many times; the best of each counts.")]
        public int Rounds { get; set; }

        [Option("threads", Separator = ',', HelpText = "How many; several to compare. Default: the library's.")]
        public IEnumerable<int> Threads { get; set; } = [];

        [Option("modes", Separator = ',', Default = new[] { "auto" }, HelpText = "Of our side: auto, composed, host; several to compare.")]
        public IEnumerable<string> Modes { get; set; } = [];

        [Option("peer", HelpText = "Python with torch, to run the peer with.")]
        public string? Peer { get; set; }

        [Option("forms", Separator = ',', Default = new[] { "brackets", "select" }, HelpText = "Of the peer: how it gathers rows.")]
        public IEnumerable<string> Forms { get; set; } = [];

        [Option("json", HelpText = "File to write results and host facts to.")]
        public string? JsonFile { get; set; }

        [Option("case", Hidden = true, HelpText = "Measures our side on this file, in this process.")]
        public string? Case { get; set; }
    }

    /// <summary>Best over the rounds.</summary>
    private sealed record Row(string Model, string Molecules, int Atoms, int Edges, int Threads, string Side, double Best, double Median,
        double Processor, double Peak, double EnergyDifference, double ForceDifference, double LossDifference, string Library);

    public static void Run(string[] args) => Parser.Default.ParseArguments<Options>(args).WithParsed(Run);

    private static void Run(Options o)
    {
        if (o.Case is not null)
        {
            OperatorModes.Current = OperatorModes.Parse(o.Modes.Single());
            Console.WriteLine(ForceFieldSide.Measure(o.Case, o.Steps).ToJson());
            return;
        }
        string load = Load();
        Console.WriteLine("  model  molecules     atoms  edges  threads  side             best ms  median ms  processor ms  peak MB"
            + "     |dE|     |dF|    |dL/L|");
        var rows = new List<Row>();
        foreach (int threads in o.Threads.DefaultIfEmpty(get_num_threads()))
            foreach (string molecules in o.Molecules)
                foreach (string model in o.Models) rows.AddRange(Compare(o, model, molecules, threads));
        if (o.JsonFile is null) return;
        object host = new
        {
            processor = Processor(),
            cores = Environment.ProcessorCount,
            system = RuntimeInformation.OSDescription,
            runtime = RuntimeInformation.FrameworkDescription,
            loadBefore = load,
            loadAfter = Load(),
            date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            realMolecules = ForceFieldCase.RealFrames("ethanol") is not null,
        };
        File.WriteAllText(o.JsonFile, JsonSerializer.Serialize(new { host, rows }, Json) + "\n");
    }

    private static IEnumerable<Row> Compare(Options o, string model, string molecules, int threads)
    {
        string[] parts = molecules.Split(':');
        string molecule = parts[0];
        int count = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 10;
        var settings = new ForceFieldCase.Settings(model, o.Features, o.Interactions, Radial: 20, Elements: 100, Cutoff: 5, threads);
        string path = Path.Combine(Path.GetTempPath(), $"chemscale-case-{Environment.ProcessId}.safetensors");
        try
        {
            ForceFieldCase.Write(path, settings, molecule, count);
            ForceFieldCase written = ForceFieldCase.Read(path);
            string steps = (count * (molecule == "aspirin" ? 5 : 1) < 50 ? 10 * o.Steps : o.Steps).ToString(CultureInfo.InvariantCulture);
            var sides = new Dictionary<string, List<ForceFieldSide>>();
            for (int round = 0; round < o.Rounds; round++)
            {
                foreach (string mode in o.Modes)
                {
                    string[] arguments = [.. Self(), "run", "forcefield", "--case", path, "--steps", steps, "--modes", mode];
                    Add("ours " + mode, Environment.ProcessPath!, arguments);
                }
                if (o.Peer is null) continue;
                string script = Path.Combine(AppContext.BaseDirectory, "peers", "forcefield_torch.py");
                foreach (string form in o.Forms) Add(form, o.Peer, [script, path, form, steps]);
            }
            foreach ((string side, List<ForceFieldSide> rounds) in sides)
            {
                double[] losses = sides.First().Value[0].Losses;
                var row = new Row(model, molecules, written.Atoms, written.Edges, threads, side,
                    rounds.Min(r => r.Best), rounds.Min(r => r.Median), rounds.Min(r => r.Processor), rounds.Min(r => r.Peak), rounds[0].EnergyDifference, rounds[0].ForceDifference,
                    losses.Zip(rounds[0].Losses, (a, b) => Math.Abs(a - b) / a).Max(), rounds[0].Library);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{row.Model,7}  {molecules,-10} {row.Atoms,8} {row.Edges,6} {threads,8}  {side,-13} {row.Best,10:F1} "
                    + $"{row.Median,10:F1} {row.Processor,13:F1} {row.Peak,8:F0} "
                    + $"{row.EnergyDifference,8:G2} {row.ForceDifference,8:G2} {row.LossDifference,9:G2}"));
                if (!(row.EnergyDifference < Tolerance && row.ForceDifference < Tolerance && row.LossDifference < LossTolerance))
                    throw new InvalidOperationException($"{side} is not the same model");
                yield return row;
            }

            void Add(string side, string program, string[] arguments)
            {
                if (!sides.TryGetValue(side, out List<ForceFieldSide>? all)) sides[side] = all = [];
                all.Add(ForceFieldSide.Parse(Output(program, arguments, threads)));
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>What leads the arguments where this program runs under <c>dotnet</c>.</summary>
    private static string[] Self() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? [typeof(ForceFieldBenchmark).Assembly.Location] : [];

    private static string Output(string program, string[] arguments, int threads)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        // Else the peer's matrix library would take every core whatever torch is told.
        start.Environment["OPENBLAS_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        start.Environment["OMP_NUM_THREADS"] = threads.ToString(CultureInfo.InvariantCulture);
        using Process process = Process.Start(start)!;
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? answer : throw new InvalidOperationException($"{program} exits {process.ExitCode}");
    }

    private static string Load() => File.Exists("/proc/loadavg") ? string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]) : "";

    private static string Processor()
    {
        const string Key = "model name";
        if (!File.Exists("/proc/cpuinfo")) return RuntimeInformation.ProcessArchitecture.ToString();
        return File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith(Key, StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "";
    }
}
