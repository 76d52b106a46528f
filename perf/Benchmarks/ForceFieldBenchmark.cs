using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Perf.Measuring;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// Training steps of force fields on an energy and force loss, optimizer included, beside PyTorch (peers/forcefield_torch.py) on the
/// same atoms, edges and weights. Each measurement is a process of its own, so that peaks of memory do not mix; the sides take turns.
/// Molecules are real (rMD17) where CHEMSCALE_DATA has them, else random ones of the same size.
/// </summary>
internal sealed class ForceFieldBenchmark : Benchmark
{
    // Losses of the first steps, energies and forces agree to this: both sides compute in float32.
    private const double Tolerance = 1e-3;

    // Small batches are quick, and need more steps for a steady figure.
    private const int ManyAtoms = 500;
    private const int MoreSteps = 10;

    // That the peer has.
    private static readonly string[] Peers = ["schnet", "painn"];

    private const string PeerScript = "forcefield_torch.py", Flushed = " flushed";

    public override string Name => "forcefield";

    public override string Summary => "training steps of force fields on energies and forces, AdamW included";

    public override bool IsAgainstRates => false;

    /// <summary>Our side in this process, which is one measurement: writes a record on standard output.</summary>
    public static int MeasureCase(RunSettings settings, string path)
    {
        using RunScope.Entry run = new RunScope(OperatorModes.Parse(settings.ModesOr("auto")[0])).Enter();
        Measurement record = ForceFieldSide.Measure(path, settings.Steps, settings.Device);
        Console.WriteLine(JsonSerializer.Serialize(record, new JsonSerializerOptions(RunResult.Json) { WriteIndented = false }));
        return 0;
    }

    public override void Run(BenchmarkRun run)
    {
        RunSettings s = run.Settings;
        run.Note($"molecules are {(ForceFieldCase.RealFrames("ethanol") is null ? "random ones" : "rMD17 frames")}; peak MB is of each process");
        foreach (int threads in s.Threads.DefaultIfEmpty(get_num_threads()))
            foreach ((string molecule, int count) in s.Batches)
                foreach (string model in s.Models) Compare(run, model, molecule, count, threads);
    }

    private void Compare(BenchmarkRun run, string model, string molecule, int count, int threads)
    {
        RunSettings s = run.Settings;
        var settings = new ForceFieldCase.Settings(
            model, s.Features, s.Interactions, s.Functions, Elements: 100, Cutoff: 5, threads);
        string path = Path.Combine(Path.GetTempPath(), $"chemscale-case-{Environment.ProcessId}.safetensors");
        try
        {
            ForceFieldCase.Write(path, settings, molecule, count);
            ForceFieldCase written = ForceFieldCase.Read(path);
            var parameters = new JsonObject
            {
                ["model"] = model,
                ["molecule"] = molecule,
                ["molecules"] = count,
                ["atoms"] = written.Atoms,
                ["edges"] = written.Edges,
                ["features"] = settings.Features,
                ["interactions"] = settings.Interactions,
                ["threads"] = threads,
            };
            string steps = (written.Atoms < ManyAtoms && !s.Quick ? MoreSteps * s.Steps : s.Steps).ToString(CultureInfo.InvariantCulture);
            var sides = new Dictionary<string, List<Measurement>>();
            for (int turn = 0; turn < (s.Busy ? 2 * s.Rounds : s.Rounds); turn++)
            {
                bool beside = s.Busy && turn % 2 == 1;
                using BusyProcess? busy = beside ? new BusyProcess() : null;
                string mark = beside ? BusyProcess.Mark : "";
                foreach (string mode in s.ModesOr(s.Cuda || s.Peer is not null ? ["auto", "composed"] : ["auto"]).Where(m => m != "library"))
                {
                    string[] arguments = [.. BusyProcess.OwnWords()[1..], "run", Name, "--case", path, "--steps", steps, "--modes", mode, "--device", s.DeviceName];
                    Add(mode + mark, BusyProcess.OwnWords()[0], arguments);
                }
                if (s.Peer is null || !Peers.Contains(model)) continue;
                foreach (string form in s.Forms)
                {
                    string[] arguments = [PeerProcess.PathOf(PeerScript), path, form, steps, "--device", s.DeviceName];
                    // Subnormal numbers as they are, and taken for zero.
                    foreach ((string flush, string[] more) in s.Cuda ? [("", [])] : ((string, string[])[])[("", []), (Flushed, ["--flush"])])
                    {
                        Add($"torch {form}{flush}{mark}", s.Peer, [.. arguments, .. more]);
                        if (s.Compile) Add($"torch {form} compiled{flush}{mark}", s.Peer, [.. arguments, .. more, "--compile"]);
                    }
                }
            }
            double[] losses = sides.Count > 0 ? Losses(sides.Values.First()[0]) : [];
            foreach ((string side, List<Measurement> rounds) in sides) run.Add(Joined(side, parameters, rounds, losses, written.Atoms));
            if (s.Peer is not null) Compare(run, parameters);

            void Add(string side, string program, string[] arguments)
            {
                JsonObject answer = Output(program, arguments, threads);
                if (answer["reason"] is { } reason)
                {
                    if (!sides.ContainsKey(side)) run.Skip(parameters, side, null, (string)reason!);
                    return;
                }
                if (!sides.TryGetValue(side, out List<Measurement>? all)) sides[side] = all = [];
                all.Add(answer.Deserialize<Measurement>(RunResult.Json)!);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Least processor times of a step; the composed form is what our own libtorch takes without Python.</summary>
    private static void Compare(BenchmarkRun run, JsonObject parameters)
    {
        string of = Case.Text(parameters);
        Measurement[] here = [.. run.Results.Where(m => m.Case == of)];
        if (here.FirstOrDefault(m => m.Side == "auto") is not { } ours) return;
        foreach (Measurement other in here.Where(m => m.Side == "composed" || m.Library is not null))
        {
            run.Note(string.Create(CultureInfo.InvariantCulture,
                $"{of}: auto is {Processor(other) / Processor(ours):F2} times as fast as {other.Side} ({other.Library ?? ChemGptBenchmark.EagerWithoutPython}), by least processor time"));
        }

        static double Processor(Measurement m) => (double)m.More!["processorMs"]!;
    }

    /// <summary>The round with the least median, with the best step, the least processor time and the least peak of all.</summary>
    private Measurement Joined(string side, JsonObject parameters, List<Measurement> rounds, double[] losses, int atoms)
    {
        Measurement best = rounds.MinBy(r => r.Seconds.Median)!;
        var more = new JsonObject
        {
            ["bestMs"] = 1000 * rounds.Min(r => r.Seconds.Least),
            ["processorMs"] = rounds.Min(r => (double)r.More!["processor"]!),
            ["peakMB"] = rounds.Min(r => (double)r.More!["peak"]!),
            ["dE"] = (double)rounds[0].More!["energyDifference"]!,
            ["dF"] = (double)rounds[0].More!["forceDifference"]!,
            ["dL/L"] = losses.Zip(Losses(rounds[0]), (a, b) => Math.Abs(a - b) / a).Max(),
        };
        if (!(((string[])["dE", "dF", "dL/L"]).All(name => (double)more[name]! < Tolerance)))
            throw new InvalidOperationException($"{side} is not the same model: {more.ToJsonString()}");
        return best with
        {
            Benchmark = Name,
            Parameters = parameters,
            Side = side,
            Seconds = best.Seconds with { Least = rounds.Min(r => r.Seconds.Least) },
            Items = atoms,
            Unit = "atoms",
            ItemsPerSecond = atoms / best.Seconds.Median,
            More = more,
        };
    }

    private static double[] Losses(Measurement of) => [.. of.More!["losses"]!.AsArray().Select(n => (double)n!)];

    private static JsonObject Output(string program, string[] arguments, int threads)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true };
        PeerProcess.LimitThreads(start, threads);
        using Process process = Process.Start(start)!;
        string answer = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonNode.Parse(answer)!.AsObject()
            : throw new InvalidOperationException($"{program} exits {process.ExitCode}; its reason is on standard error");
    }
}
