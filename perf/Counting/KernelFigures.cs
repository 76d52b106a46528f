using System.Text.Json.Serialization;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;

namespace ChemScale.Perf.Counting;

/// <summary>
/// What launches of one kernel take: counted on the interpreter, weighted by what the assembler makes of each form. The same on every machine.
/// </summary>
internal sealed record KernelFigures
{
    public required string Kernel { get; init; }

    public int Launches { get; init; }

    /// <summary>Threads of a group, and bytes of its shared memory, of the largest launch.</summary>
    public int GroupSize { get; init; }

    public int SharedBytes { get; init; }

    /// <summary>Warps of all launches.</summary>
    public long Warps { get; init; }

    /// <summary>Warp-instructions of the machine.</summary>
    public double Instructions { get; init; }

    /// <summary>The same by where they run.</summary>
    public required IReadOnlyDictionary<string, double> Units { get; init; }

    /// <summary>Turns of the special function unit.</summary>
    public double Special { get; init; }

    /// <summary>Share of lanes that took part in what was issued.</summary>
    public double Lanes { get; init; }

    /// <summary>Loads and stores of global memory, by warps.</summary>
    public long Requests { get; init; }

    /// <summary>Of 32 bytes, that these touched.</summary>
    public long Sectors { get; init; }

    /// <summary>Different bytes that each launch read and wrote, by whole sectors: what memory moves at least.</summary>
    public long CompulsoryBytes { get; init; }

    /// <summary>Turns of shared memory, and what they would be without conflicts of banks.</summary>
    public long SharedTurns { get; init; }

    public long SharedTurnsAtBest { get; init; }

    /// <summary>Lines of 128 bytes that requests of global memory took.</summary>
    public long CacheTurns { get; init; }

    public long Barriers { get; init; }

    /// <summary>Of a thread: an estimate.</summary>
    public int Registers { get; init; }

    /// <summary>Warps that a multiprocessor holds at once, by groups, shared memory and <see cref="Registers"/>.</summary>
    public int ResidentWarps { get; init; }

    public bool LatencyDecides => ResidentWarps < Accelerator.WarpsThatHideLatency;

    public double SectorsPerRequest => Requests == 0 ? 0 : (double)Sectors / Requests;

    /// <summary>s of the whole device, by what may bound it.</summary>
    public IReadOnlyDictionary<string, double> Seconds => new Dictionary<string, double>
    {
        ["issue"] = Accelerator.Seconds(Instructions / Accelerator.Issue),
        ["float32"] = Accelerator.Seconds(Units.GetValueOrDefault("fp32") / Accelerator.Float32),
        ["float64"] = Accelerator.Seconds(Units.GetValueOrDefault("fp64") / Accelerator.Float64),
        ["special"] = Accelerator.Seconds(Special / Accelerator.Special),
        ["matrix"] = Accelerator.Seconds(Units.GetValueOrDefault("matrix") / Accelerator.Matrix),
        ["cache"] = Accelerator.Seconds((SharedTurns + CacheTurns) / Accelerator.Turns),
        ["memory"] = CompulsoryBytes / Accelerator.Memory,
    };

    [JsonIgnore]
    public KeyValuePair<string, double> Bound => Seconds.MaxBy(s => s.Value);

    public static KernelFigures Of(PtxCounts counts)
    {
        PtxInstruction[] code = counts.Program.Code;
        Cost[] costs = Costs.Table.Of(counts.Program.Text);
        var units = new SortedDictionary<string, double>(StringComparer.Ordinal);
        double instructions = 0, special = 0, lanes = 0, issued = 0;
        long requests = 0, sectors = 0, lines = 0, turns = 0, best = 0, barriers = 0;
        for (int i = 0; i < code.Length; i++)
        {
            // Before its loop, where that makes it fewer times.
            double times = costs[i].Outside is { } entries ? Math.Min(counts.Issued[i], entries.Sum(e => counts.Issued[e])) : counts.Issued[i];
            double machine = times * costs[i].Instructions;
            instructions += machine;
            if (machine > 0) units[costs[i].Unit] = units.GetValueOrDefault(costs[i].Unit) + machine;
            special += times * costs[i].Special;
            (lanes, issued) = (lanes + counts.Lanes[i], issued + counts.Issued[i]);
            if (code[i].Kind == PtxKind.Barrier) barriers += counts.Issued[i];
            if (code[i].Kind is not (PtxKind.Load or PtxKind.Store)) continue;
            if (code[i].Shared) (turns, best) = (turns + counts.Parts[i], best + counts.Turns[i]);
            else (requests, sectors, lines) = (requests + counts.Issued[i], sectors + counts.Parts[i], lines + counts.Turns[i]);
        }
        LaunchShape shape = counts.Shape;
        int warps = (shape.GroupSize + PtxLanes.Count - 1) / PtxLanes.Count;
        int registers = RegistersOf(counts.Program.Text);
        return new KernelFigures
        {
            Kernel = counts.Program.Name,
            Launches = counts.Launches,
            GroupSize = shape.GroupSize,
            SharedBytes = shape.SharedBytes,
            Warps = counts.Warps,
            Instructions = instructions,
            Units = units,
            Special = special,
            Lanes = lanes / (PtxLanes.Count * issued),
            Requests = requests,
            Sectors = sectors,
            CompulsoryBytes = 32 * (counts.SectorsRead + counts.SectorsWritten),
            SharedTurns = turns,
            SharedTurnsAtBest = best,
            CacheTurns = lines,
            Barriers = barriers,
            Registers = registers,
            ResidentWarps = Accelerator.ResidentWarps(warps, shape.SharedBytes, registers),
        };
    }

    /// <summary>
    /// An estimate of a thread's registers: the most 32-bit words wanted at a time, and what assembling them has added to that, fitted to the 217 kernels of
    /// version 0.3 that devices launch. Half of those are met within 10 %, nine of ten within 25 %.
    /// </summary>
    public static int RegistersOf(PtxText text)
    {
        const double Base = 13.5, Each = 0.91;
        // Arguments stay where the launch has put them.
        HashSet<string> arguments = [.. text.Lines.Where(l => l.Opcode.StartsWith("ld.param", StringComparison.Ordinal)
            || l.Opcode.StartsWith("cvta", StringComparison.Ordinal)).SelectMany(l => l.Written)];
        int words = new PtxLiveness(text.Lines, PtxFlow.Successors(text, text.Lines)).Most(r => arguments.Contains(r) || r.Contains('.') ? 0 : text.Width(r) / 4);
        return Math.Min((int)Math.Round(Base + Each * words), Accelerator.RegistersOfThread);
    }
}

/// <summary>A pass of a benchmark's case, counted: a record of the results.</summary>
/// <param name="Benchmark">Name.</param>
/// <param name="Parameters">Of the case.</param>
/// <param name="Side">kernels or bfloat16</param>
/// <param name="Pass">forward and its like</param>
/// <param name="Items">What the pass works through.</param>
/// <param name="Unit">What they are.</param>
/// <param name="Bytes">Compulsory traffic by docs/KERNELS.md; null: not counted there.</param>
/// <param name="Kernels">What it launched.</param>
internal sealed record CountedPass(string Benchmark, System.Text.Json.Nodes.JsonObject Parameters, string Side, string Pass, double Items, string Unit, double? Bytes,
    IReadOnlyList<KernelFigures> Kernels)
{
    /// <summary>s that its kernels take at least, one after the other.</summary>
    public double Seconds => Kernels.Sum(k => k.Bound.Value);
}
