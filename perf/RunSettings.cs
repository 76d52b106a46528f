using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Operators;
using ChemScale.Perf.Commands;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf;

/// <summary>The options of a run, checked. Sizes that were not given follow the device: small on a CPU, full on CUDA.</summary>
internal sealed class RunSettings
{
    private static readonly string[] Sides = ["auto", "composed", "host", "kernels", "library"];

    private readonly RunVerb options;
    private readonly string[]? modes;

    private RunSettings(RunVerb options)
    {
        this.options = options;
        string[] place = options.Device.Split(':');
        if (place is not (["cpu"] or ["ptx"] or ["cuda"] or ["cuda", _])) throw new InputException("option 'device'", $"'{options.Device}'", "cpu, cuda, cuda:N or ptx");
        Ordinal = place.Length > 1 ? (int)Whole("device", place[1], 0) : 0;
        Cuda = place[0] == "cuda";
        Ptx = place[0] == "ptx";
        Quick = options.Quick;
        if (Ptx && options.Peer is not null) throw new InputException("option 'peer'", "nothing is timed with --device ptx", hint: "--device cpu or cuda");
        Threads = [.. Numbers("threads", options.Threads, []).Select(n => (int)n)];
        Repeats = (int)Number("repeats", options.Repeats, Quick ? 3 : 20);
        WarmUp = options.WarmUp is null ? Quick ? 1 : 2 : (int)Whole("warm-up", options.WarmUp, 0);
        Seconds = Positive("seconds", options.Seconds, Sizes(0.5, 5, 2));
        MemoryBytes = options.Memory is null ? null : Positive("memory", options.Memory, 1) * (1 << 30);
        modes = Words("modes", options.Modes, Sides);
        Edges = Numbers("edges", options.Edges, Ptx ? [360] : Sizes<long[]>([2_000, 8_000], [10_000, 30_000, 100_000], [10_000, 100_000, 1_000_000, 10_000_000]));
        Neighbors = (int)Number("neighbors", options.Neighbors, 18);
        Widths = Numbers("widths", options.Widths, Ptx ? [Quick ? 32 : 128] : Sizes<long[]>([32], [32, 128], [32, 128, 512]));
        Functions = (int)Number("functions", options.Functions, 20);
        Bases = Words("basis", options.Basis, ["gaussian", "bessel"]) ?? ["gaussian", "bessel"];
        Molecules = Numbers("molecules", options.Molecules, Ptx ? [8] : Sizes<long[]>([4, 16], [16, 64, 256], [16, 64, 256, 1024, 4096]));
        Tokens = (int)Number("tokens", options.Tokens, 37);
        Lengths = Numbers("lengths", options.Lengths, Ptx ? [256] : Sizes<long[]>([64], [128, 512], [256, 512, 1024, 2048, 4096, 8192]));
        Sequences = Numbers("sequences", options.Sequences, Quick ? [5] : [100, 1_000]);
        Bounds = Numbers("bounds", options.Bounds, Quick ? [60] : [100, 512, 2048]);
        MaximumTokens = (int)Number("max-tokens", options.MaximumTokens, Quick ? 8 : 100);
        Heads = (int)Number("heads", options.Heads, 16);
        HeadWidths = Numbers("head-widths", options.HeadWidths, Quick ? [1, 8, 128] : [1, 2, 4, 8, 16, 32, 64, 128]);
        Window = options.Window is null ? 0 : (int)Whole("window", options.Window, 0);
        Atoms = Numbers("atoms", options.Atoms, Sizes<long[]>([1_000, 8_000], [1_000, 10_000, 100_000], [1_000, 10_000, 100_000, 1_000_000]));
        Layers = (int)Number("layers", options.Layers, Quick ? 2 : 24);
        Models = Words("models", options.Models, ["schnet", "painn", "allegro", "spookynet"]) ?? ["schnet", "painn"];
        Systems = Words("systems", options.Systems, ["ethanol", "aspirin", "box"]) ?? (Quick ? ["ethanol"] : ["ethanol", "aspirin", "box"]);
        Batches = Batched(options.Batches ?? Sizes("ethanol:4", "ethanol:10,aspirin:64", "ethanol:10,aspirin:64,aspirin:512"));
        Features = (int)Number("features", options.Features, Quick ? 32 : 128);
        Interactions = (int)Number("interactions", options.Interactions, Quick ? 1 : 3);
        Steps = (int)Number("steps", options.Steps, Quick ? 1 : 10);
        Rounds = (int)Number("rounds", options.Rounds, Sizes(1, 3, 1));
        Forms = Words("forms", options.Forms, ["brackets", "select"]) ?? ["brackets", "select"];
        Grammars = Words("grammar", options.Grammar, ["1.0.4", "2.1"]) ?? ["1.0.4", "2.1"];
        Lines = Numbers("lines", options.Lines, Quick ? [1_000] : [100_000, 1_000_000]);
        foreach ((string name, string? command) in new[] { ("program", options.Program), ("before", options.Before) })
            if (command is not null && !File.Exists(command)) throw new InputException($"option '{name}'", $"no file '{command}'");
        if (options.Smiles is { } file && !File.Exists(file)) throw new InputException("option 'smiles'", $"no file '{file}'");
        if (Compile && Peer is null) throw new InputException("option 'compile'", "no peer", hint: "--peer names a Python that has torch");
    }

    public bool Cuda { get; }

    /// <summary>Which CUDA device.</summary>
    public int Ordinal { get; }

    /// <summary>Kernels are counted on the interpreter, and nothing is timed.</summary>
    public bool Ptx { get; }

    public bool Quick { get; }

    /// <summary>None: the library's own.</summary>
    public int[] Threads { get; }

    public int Repeats { get; }

    public int WarmUp { get; }

    /// <summary>s a case may take before it starts no further repeat.</summary>
    public double Seconds { get; }

    /// <summary>null: as the machine has.</summary>
    public double? MemoryBytes { get; }

    public long[] Edges { get; }

    public int Neighbors { get; }

    public long[] Widths { get; }

    public int Functions { get; }

    public string[] Bases { get; }

    public long[] Molecules { get; }

    public int Tokens { get; }

    public long[] Lengths { get; }

    /// <summary>Drawn in all.</summary>
    public long[] Sequences { get; }

    /// <summary>Most tokens of sequences that end by themselves.</summary>
    public long[] Bounds { get; }

    /// <summary>Of a sequence that is drawn, start token included.</summary>
    public int MaximumTokens { get; }

    public int Heads { get; }

    public long[] HeadWidths { get; }

    public int Window { get; }

    public long[] Atoms { get; }

    public int Layers { get; }

    public string[] Models { get; }

    /// <summary>What moves in a dynamics.</summary>
    public string[] Systems { get; }

    /// <summary>Molecule and how many.</summary>
    public (string Molecule, int Count)[] Batches { get; }

    /// <summary>Of force fields.</summary>
    public int Features { get; }

    public int Interactions { get; }

    public int Steps { get; }

    public int Rounds { get; }

    public string[] Forms { get; }

    public string[] Grammars { get; }

    /// <summary>That a process converts.</summary>
    public long[] Lines { get; }

    /// <summary>The command; null: the one of this build.</summary>
    public string? Program => options.Program;

    /// <summary>The command of another version; null: none.</summary>
    public string? Before => options.Before;

    public string? Smiles => options.Smiles;

    public string? Peer => options.Peer;

    public bool Compile => options.Compile;

    /// <summary>Beside a busy process too.</summary>
    public bool Busy => options.Busy;

    public string? Json => options.Json;

    public string? Group => options.Group;

    /// <summary>Where tensors go.</summary>
    public Device Device => Cuda ? new Device(DeviceType.CUDA, Ordinal) : CPU;

    /// <summary>As the library and the peer name it.</summary>
    public string DeviceName => Cuda ? $"cuda:{Ordinal}" : Ptx ? "ptx" : "cpu";

    /// <exception cref="InputException">An option of the wrong kind.</exception>
    public static RunSettings Of(RunVerb options) => new(options);

    /// <exception cref="InputException">CUDA asked for, and not there.</exception>
    public void RequireDevice()
    {
        if (!Cuda) return;
        (bool present, string description) = Devices.Cuda();
        if (!present) throw new InputException("option 'device'", "'cuda', and " + description, hint: "--device cpu");
        if (!cuda.is_available())
        {
            throw new InputException("option 'device'", "'cuda', and this libtorch has no CUDA", "a CUDA build",
                "set LIBTORCH_DIR to the lib folder of one");
        }
    }

    /// <summary>Whether a side was asked for; all are, unless told.</summary>
    public bool Wants(string side) => Ptx ? side is "kernels" or "bfloat16" : modes is null || modes.Contains(side);

    /// <summary>The sides asked for; where none were, those given.</summary>
    public string[] ModesOr(params string[] fallback) => modes ?? fallback;

    /// <summary>Numbers by kind of run.</summary>
    public T Sizes<T>(T quick, T cpu, T cuda) => Quick ? quick : Cuda ? cuda : cpu;

    private static (string, int)[] Batched(string text) => [.. text.Split(',').Select(part =>
    {
        string[] pair = part.Split(':');
        return pair is ["ethanol" or "aspirin", _]
            ? (pair[0], (int)Whole("batches", pair[1], 1))
            : throw new InputException("option 'batches'", $"'{part}'", "ethanol:N or aspirin:N");
    })];

    private static string[]? Words(string option, string? text, string[] known)
    {
        if (text is null) return null;
        string[] words = text.Split(',', StringSplitOptions.TrimEntries);
        foreach (string word in words)
            if (!known.Contains(word)) throw new InputException($"option '{option}'", $"'{word}'", string.Join(", ", known[..^1]) + " or " + known[^1]);
        return words;
    }

    private static long[] Numbers(string option, string? text, long[] fallback) =>
        text is null ? fallback : [.. text.Split(',').Select(part => Whole(option, part, 1))];

    private static long Number(string option, string? text, long fallback) => text is null ? fallback : Whole(option, text, 1);

    private static double Positive(string option, string? text, double fallback)
    {
        if (text is null) return fallback;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value > 0 && double.IsFinite(value)
            ? value
            : throw new InputException($"option '{option}'", $"'{text}'", "a positive number");
    }

    /// <summary>1e6 is as good as 1000000.</summary>
    private static long Whole(string option, string text, long least)
    {
        bool number = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value);
        return number && value >= least && value <= int.MaxValue && value == Math.Floor(value)
            ? (long)value
            : throw new InputException($"option '{option}'", $"'{text}'", $"a whole number, {least} or more");
    }
}
