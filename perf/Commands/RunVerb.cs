using ChemScale.Perf.Benchmarks;
using ChemScale.Perf.Measuring;
using CommandLine;

namespace ChemScale.Perf.Commands;

/// <summary>All options of all benchmarks: each takes those that concern it.</summary>
[Verb("run", HelpText = "Run benchmarks: radial, painn, ... or all. Numbers may be lists, and written 1e6.")]
internal sealed class RunVerb : Verb
{
    [Value(0, MetaName = "NAME...", Required = true, HelpText = "Names that `perf list` gives, or all.")]
    public IEnumerable<string> Names { get; set; } = [];

    [Option("device", Default = "cpu", HelpText = "cpu, cuda, cuda:N; or ptx: nothing is timed, kernels are interpreted and what they do is counted.")]
    public string Device { get; set; } = "cpu";

    [Option("threads", HelpText = "Of the CPU. Default: the library's. For forcefield: several to compare.")]
    public string? Threads { get; set; }

    [Option("quick", HelpText = "Smallest sizes and few repeats: that all runs, not how fast.")]
    public bool Quick { get; set; }

    [Option("repeats", HelpText = "Measured repeats of a case, all sides in turn. Default: 20; quick: 3.")]
    public string? Repeats { get; set; }

    [Option("warm-up", HelpText = "Repeats before them. Default: 2; quick: 1.")]
    public string? WarmUp { get; set; }

    [Option("seconds", HelpText = "After so many a case starts no further repeat once it has three. Default: 5; CUDA: 2; quick: 0.5.")]
    public string? Seconds { get; set; }

    [Option("modes", HelpText = "Sides to measure of those there are: composed, host, kernels, library, auto.")]
    public string? Modes { get; set; }

    [Option("busy", HelpText = "Measure every side a second time, beside a process that keeps one of our cores busy.")]
    public bool Busy { get; set; }

    [Option("json", HelpText = "File (.json) for results and host facts; or a folder, in which each task of a job writes its own.")]
    public string? Json { get; set; }

    [Option("group", HelpText = "Name of the run in the results, for `perf merge`. Default: Slurm's job and step, or local.")]
    public string? Group { get; set; }

    [Option("memory", HelpText = "GiB that a case may take. Default: 60 % of the free memory, 90 % of the device's, half that beside a peer.")]
    public string? Memory { get; set; }

    [Option("peer", HelpText = "Python with torch: runs the other side of the benchmarks that have one, in turn with ours.")]
    public string? Peer { get; set; }

    [Option("compile", HelpText = "The peer's torch.compile too.")]
    public bool Compile { get; set; }

    [Option("edges", HelpText = "radial, filter, painn, gather, allegro.")]
    public string? Edges { get; set; }

    [Option("neighbors", HelpText = "Edges that an atom receives. Default: 18.")]
    public string? Neighbors { get; set; }

    [Option("widths", HelpText = "Features of filter, painn, chemgpt, generate, layer, adamw; channels of allegro.")]
    public string? Widths { get; set; }

    [Option("functions", HelpText = "Of the radial basis. Default: 20.")]
    public string? Functions { get; set; }

    [Option("basis", HelpText = "radial: gaussian or bessel. Default: both.")]
    public string? Basis { get; set; }

    [Option("molecules", HelpText = "Of a batch: attention, neighbors, layer; of a step: chemgpt.")]
    public string? Molecules { get; set; }

    [Option("batches", HelpText = "forcefield: ethanol or aspirin, and how many. Default: ethanol:10,aspirin:64; CUDA: aspirin:512 too.")]
    public string? Batches { get; set; }

    [Option("tokens", HelpText = "Of a molecule: attention, layer. Default: 37.")]
    public string? Tokens { get; set; }

    [Option("lengths", HelpText = "attention: tokens of long sequences.")]
    public string? Lengths { get; set; }

    [Option("sequences", HelpText = "generate: how many are drawn. Default: 100,1000.")]
    public string? Sequences { get; set; }

    [Option("bounds", HelpText = "generate: most tokens of sequences that end by themselves, at the length of molecules. Default: 100,512,2048.")]
    public string? Bounds { get; set; }

    [Option("max-tokens", HelpText = "generate: of a sequence. Default: 100.")]
    public string? MaximumTokens { get; set; }

    [Option("heads", HelpText = "attention, chemgpt, generate. Default: 16.")]
    public string? Heads { get; set; }

    [Option("head-widths", HelpText = "attention: 1, 2, 4 .. 128 have kernels.")]
    public string? HeadWidths { get; set; }

    [Option("window", HelpText = "attention: reach in tokens; 0: unlimited.")]
    public string? Window { get; set; }

    [Option("atoms", HelpText = "neighbors: of the linked cells.")]
    public string? Atoms { get; set; }

    [Option("layers", HelpText = "chemgpt, generate, adamw. Default: 24; quick: 2.")]
    public string? Layers { get; set; }

    [Option("systems", HelpText = "dynamics: ethanol, aspirin, box (64 ethanol, periodic). Default: all; quick: ethanol.")]
    public string? Systems { get; set; }

    [Option("models", HelpText = "forcefield, dynamics, predict: schnet, painn, allegro, spookynet. Default: schnet, painn; the others have no peer.")]
    public string? Models { get; set; }

    [Option("features", HelpText = "forcefield, dynamics, predict. Default: 128.")]
    public string? Features { get; set; }

    [Option("interactions", HelpText = "forcefield, dynamics, predict. Default: 3.")]
    public string? Interactions { get; set; }

    [Option("steps", HelpText = "forcefield: measured steps of a process; small batches take ten times as many. Default: 10.")]
    public string? Steps { get; set; }

    [Option("rounds", HelpText = "forcefield: both sides in turn, this many times. Default: 3; CUDA: 1.")]
    public string? Rounds { get; set; }

    [Option("forms", HelpText = "forcefield: how the peer gathers rows: brackets, select.")]
    public string? Forms { get; set; }

    [Option("grammar", HelpText = "selfies, convert: 1.0.4, 2.1. Default: both.")]
    public string? Grammar { get; set; }

    [Option("lines", HelpText = "convert: of a process. Default: 1e5,1e6; quick: 1e3.")]
    public string? Lines { get; set; }

    [Option("program", HelpText = "convert: the command. Default: the one beside this program, or where the repository builds it.")]
    public string? Program { get; set; }

    [Option("before", HelpText = "convert: another version of the command, as one more side.")]
    public string? Before { get; set; }

    [Option("smiles", HelpText = "selfies, convert: a file with one SMILES a line, .gz or not. Default: molecules of the virtual library.")]
    public string? Smiles { get; set; }

    [Option("case", Hidden = true, HelpText = "forcefield: measures our side on this file, in this process.")]
    public string? Case { get; set; }

    public override int Run(string[] arguments)
    {
        var settings = RunSettings.Of(this);
        Benchmark[] chosen = Benchmark.Named(Names);
        if (Case is not null) return ForceFieldBenchmark.MeasureCase(settings, Case);
        settings.RequireDevice();
        using var run = new BenchmarkRun(settings, "perf " + string.Join(' ', arguments));
        return run.All(chosen);
    }
}
