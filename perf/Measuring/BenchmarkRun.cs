using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Ptx;
using ChemScale.Perf.Benchmarks;
using ChemScale.Perf.Counting;

namespace ChemScale.Perf.Measuring;

/// <summary>
/// One run of the program: takes benchmark after benchmark, measures the sides of their cases in turn, prints as it goes, and keeps
/// the results on disk so that a run that is cut off leaves what it had.
/// </summary>
internal sealed class BenchmarkRun : IDisposable
{
    // Below, a quartile says nothing.
    private const int FewestRepeats = 3;

    // Kernels on the CPU's accelerator would hold up everything else.
    private const double LongestStep = 5;

    // Threads of the library and of the peer spin for a while after their work, and would slow the next side.
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(30);

    private readonly Stopclock hostClock = new(cuda: false, ordinal: 0);
    private readonly string command;
    private readonly string? file;
    private readonly DateTime started = DateTime.UtcNow;
    private readonly HostFacts host;
    private readonly Dictionary<string, Rates> rates = [];
    private readonly List<Measurement> records = [];
    private readonly List<CountedPass> counted = [];
    private readonly List<Skipped> skipped = [];
    private readonly List<string> notes = [];
    private readonly Dictionary<string, PeerProcess> peers = [];
    private readonly ThreadGrant threads;
    private string current = "";

    public BenchmarkRun(RunSettings settings, string command)
    {
        Settings = settings;
        this.command = command;
        threads = ThreadGrant.Take(settings.Threads.FirstOrDefault(), place: "option 'threads'");
        Clock = new Stopclock(settings.Cuda, settings.Ordinal);
        host = HostFacts.Gather(settings);
        file = settings.Json is { } place ? ResultPlace.Of(place) : null;
    }

    public RunSettings Settings { get; }

    /// <summary>Of the device.</summary>
    public Stopclock Clock { get; }

    /// <summary>The results so far of the benchmark that runs.</summary>
    public IEnumerable<Measurement> Results => records.Where(r => r.Benchmark == current);

    /// <returns>Exit code: 1 where something broke.</returns>
    public int All(IReadOnlyList<Benchmark> benchmarks)
    {
        Console.WriteLine($"{host.HostName}: {host.Processor}, {host.Cores} cores ({host.CoresReason}), {host.Threads} threads, {host.Jit}, load {host.Load}; "
            + $"device {host.Device}{(host.Driver is null ? "" : ", driver " + host.Driver)}; libtorch {host.Libtorch}, {host.Runtime}");
        foreach (Benchmark benchmark in benchmarks)
        {
            current = benchmark.Name;
            int first = records.Count;
            Console.WriteLine();
            Console.WriteLine($"== {benchmark.Name}: {benchmark.Summary}");
            if (benchmark.IsAgainstRates && !Settings.Ptx) MeasureRates();
            if (Settings.Ptx && !benchmark.IsAgainstRates) Skip(null, null, null, "its kernels are those of other benchmarks: --device ptx counts them there");
            else Guard(null, null, () => benchmark.Run(this));
            foreach (Slope slope in Slope.Of(records.Skip(first))) Console.WriteLine("  " + Display.Line(slope));
            Save();
        }
        if (file is not null) Console.WriteLine($"{Environment.NewLine}results in {file}");
        return skipped.Any(s => s.Failed) ? 1 : 0;
    }

    /// <summary>
    /// Measures the sides of a case in turn: in order, then in reverse, so that what drifts strikes all of them alike.
    /// </summary>
    /// <param name="of">The case.</param>
    /// <param name="passes">What their steps time, with the costs.</param>
    /// <param name="plans">Sides there are; those asked for and that fit are measured.</param>
    /// <param name="build">Makes the inputs, and of a plan its step.</param>
    /// <param name="peer">Script that has the same case; null: none.</param>
    /// <param name="peerMemory">Bytes that it takes at least; null: as the first side.</param>
    /// <param name="onHost">It runs on the host whatever the device is.</param>
    /// <param name="more">What else to say of a side, given its name and times; null: nothing.</param>
    public void Compare(Case of, IReadOnlyList<Pass> passes, IReadOnlyList<SidePlan> plans,
        Func<CaseScope, Func<SidePlan, Action<PassClock>>> build, string? peer = null, double? peerMemory = null, bool onHost = false,
        Func<string, Summary, JsonObject?>? more = null)
    {
        double allowed = DeviceMemory.Allowed(Settings, onHost);
        SidePlan[] fitting = [.. plans.Where(p => Settings.Wants(p.Name) && Fits(of, p, allowed))];
        if (fitting.Length == 0) return;
        if (Settings.Ptx)
        {
            foreach (SidePlan plan in fitting) Guard(of, plan.Name, () => Count(of, passes, plan, build));
            Save();
            return;
        }
        Guard(of, null, () =>
        {
            using var scope = new CaseScope();
            Func<SidePlan, Action<PassClock>> steps = build(scope);
            var sides = fitting.Select(p => new Side(p.Name, p.Mode, steps(p), new PassClock(onHost ? hostClock : Clock), null)).ToList();
            if (peer is not null && Settings.Peer is not null && Fits(of, new SidePlan("peer", default, peerMemory ?? plans[0].MemoryBytes), allowed))
                sides.AddRange(PeerSides(of, peer, allowed));
            Measure(of, sides);
            foreach (Side side in sides) Record(of, side, passes, more);
            if (!Settings.Busy) return;
            List<Side> beside = [.. sides.Select(s => s with { Name = s.Name + BusyProcess.Mark, Clock = new PassClock(onHost ? hostClock : Clock), Quiet = s.Clock })];
            using (new BusyProcess()) Measure(of, beside);
            foreach (Side side in beside) Record(of, side, passes, more);
        });
        if (peer is not null && peers.TryGetValue(peer, out PeerProcess? process)) process.Forget();
        Save();
    }

    /// <summary>One step on the interpreter: what its passes launch, and what that does.</summary>
    private void Count(Case of, IReadOnlyList<Pass> passes, SidePlan plan, Func<CaseScope, Func<SidePlan, Action<PassClock>>> build)
    {
        var device = new PtxDevice { Checks = false, Counts = true, Rounding = PtxRounding.Fused };
        using RunScope.Entry run = new RunScope(plan.Mode) { CpuKernels = () => device }.Enter();
        using var scope = new CaseScope();
        Action<PassClock> step = build(scope)(plan);
        _ = device.TakeCounts();
        step(new PassClock(hostClock)
        {
            Counter = name =>
            {
                KernelFigures[] kernels = [.. device.TakeCounts().Select(KernelFigures.Of)];
                Pass pass = passes.FirstOrDefault(p => p.Name == name) ?? new Pass(name);
                if (kernels.Length == 0) return;
                counted.Add(new CountedPass(current, of.Parameters, plan.Name, name, pass.Items ?? of.Items, of.Unit, pass.Bytes, kernels));
                foreach (string line in CounterDisplay.Lines(counted[^1])) Console.WriteLine("  " + line);
            },
        });
    }

    /// <summary>A result that a benchmark measured by itself.</summary>
    public void Add(Measurement measurement)
    {
        records.Add(measurement);
        Console.WriteLine("  " + Display.Line(measurement, records));
    }

    /// <summary>Something that the results say, in a sentence.</summary>
    public void Note(string text)
    {
        notes.Add($"{current}: {text}");
        Console.WriteLine("  " + text);
    }

    /// <summary>The rates of the benchmark that runs; null: it is not held against them.</summary>
    public Rates? CurrentRates => rates.GetValueOrDefault(current);

    public void Skip(JsonObject? parameters, string? side, string? pass, string reason, bool failed = false)
    {
        string line = reason.ReplaceLineEndings(" ");
        skipped.Add(new Skipped(current, parameters, side, pass, line, failed));
        // What a library has not got it has not got in every case: one line will do.
        if (!failed && skipped.Count(k => k.Benchmark == current && k.Side == side && k.Pass == pass && k.Reason == line) > 1) return;
        string what = string.Join(", ", new[] { parameters is null ? null : Case.Text(parameters), side, pass }.OfType<string>());
        Console.WriteLine($"  {(failed ? "failed" : "skipped")}: {(what.Length > 0 ? what + ": " : "")}{line}");
    }

    public void Dispose()
    {
        foreach (PeerProcess peer in peers.Values) peer.Dispose();
        Clock.Dispose();
        hostClock.Dispose();
        threads.Dispose();
    }

    private void MeasureRates()
    {
        Rates measured = rates[current] = Rates.Measure(Settings, Clock);
        Console.WriteLine($"  this device copies at {Display.Rate(measured.Copy, "B/s")} and multiplies matrices at {Display.Rate(measured.Matrix, "FLOP/s")}"
            + (measured.MatrixBfloat16 is { } half ? $", {Display.Rate(half, "FLOP/s")} in bfloat16" : ""));
    }

    private bool Fits(Case of, SidePlan plan, double allowed)
    {
        if (plan.MemoryBytes <= allowed) return true;
        Skip(of.Parameters, plan.Name, null, $"takes about {Display.Rate(plan.MemoryBytes, "B")} of {Display.Rate(allowed, "B")}");
        return false;
    }

    private void Measure(Case of, List<Side> sides)
    {
        bool settle = !Settings.Cuda && sides.Any(s => s.Process is not null);
        var alive = sides.ToList();
        long start = Environment.TickCount64;
        for (int repeat = -Settings.WarmUp; repeat < Settings.Repeats; repeat++)
        {
            if (repeat == 0) start = Environment.TickCount64;
            if (repeat >= FewestRepeats && Environment.TickCount64 - start > 1000 * Settings.Seconds) break;
            foreach (Side side in repeat % 2 == 0 ? alive.ToArray() : alive.AsEnumerable().Reverse().ToArray())
            {
                if (settle) Thread.Sleep(Settling);
                side.Clock.WarmingUp = repeat < 0;
                using RunScope.Entry run = new RunScope(side.Mode).Enter();
                long before = Environment.TickCount64;
                if (!Guard(of, side.Name, () => side.Step(side.Clock), side.Process is null)) alive.Remove(side);
                double seconds = (Environment.TickCount64 - before) / 1000.0;
                // A peer may compile in its first steps.
                if (repeat == -1 && side.Process is null && seconds > Math.Max(LongestStep, Settings.Seconds) && alive.Remove(side))
                    Skip(of.Parameters, side.Name, null, $"a step takes {Display.Time(seconds)}. HINT: a greater --seconds keeps it");
            }
        }
        sides.RemoveAll(s => !alive.Contains(s));
    }

    private void Record(Case of, Side side, IReadOnlyList<Pass> passes, Func<string, Summary, JsonObject?>? more)
    {
        foreach ((string name, List<double> times) in side.Clock.Times)
        {
            Pass pass = passes.FirstOrDefault(p => p.Name == name) ?? new Pass(name);
            var seconds = Summary.Of(times);
            JsonObject? also = more?.Invoke(side.Name, seconds);
            if (side.Quiet?.Times.GetValueOrDefault(name) is { } quiet) (also ??= [])["ofQuiet"] = seconds.Median / Summary.Of(quiet).Median;
            Add(Measurement.Of(current, of, side.Name, pass, seconds, CurrentRates) with
            {
                Library = side.Process?.Library,
                More = also,
            });
        }
        foreach ((string pass, string reason) in side.Clock.Missing) Skip(of.Parameters, side.Name, pass, reason);
    }

    /// <summary>The peer's sides of a case; none where it has none, or does not run.</summary>
    private List<Side> PeerSides(Case of, string script, double allowed)
    {
        var sides = new List<Side>();
        Guard(of, "peer", () =>
        {
            if (!peers.TryGetValue(script, out PeerProcess? process)) peers[script] = process = PeerProcess.Start(Settings, script);
            foreach (string side in process.Begin(current, of, allowed, (name, reason) => Skip(of.Parameters, name, null, reason)))
                sides.Add(new Side(side, OperatorMode.Auto, clock => process.Step(side, clock), new PassClock(Clock), process));
        });
        return sides;
    }

    /// <param name="of">Case, side: what to say of it.</param>
    /// <param name="side">Likewise.</param>
    /// <param name="work">What may break.</param>
    /// <param name="ours">What a library of others cannot do is no failure of this run.</param>
    private bool Guard(Case? of, string? side, Action work, bool ours = true)
    {
        try
        {
            work();
            return true;
        }
        catch (InputException)
        {
            throw;
        }
#pragma warning disable CA1031 // One side that breaks must not cost the results of the others; the reason is kept.
        catch (Exception e)
        {
            Skip(of?.Parameters, side, null, e.Message, failed: ours);
            return false;
        }
#pragma warning restore CA1031
    }

    private void Save()
    {
        if (file is null) return;
        new RunResult
        {
            Version = HostFacts.Version,
            Command = command,
            Group = Settings.Group ?? ResultPlace.Group(host),
            Started = started,
            Ended = DateTime.UtcNow,
            Host = host,
            Rates = rates,
            Records = records,
            Counted = counted,
            Slopes = Slope.Of(records),
            Skipped = skipped,
            Notes = notes,
        }.Write(file);
    }

    private sealed record Side(string Name, OperatorMode Mode, Action<PassClock> Step, PassClock Clock, PeerProcess? Process)
    {
        /// <summary>Of the same side without a busy process; null: this is that.</summary>
        public PassClock? Quiet { get; init; }
    }
}
