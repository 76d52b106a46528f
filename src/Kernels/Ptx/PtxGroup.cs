using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>What is watched beyond addresses and missing lanes: by type, so that what is not costs nothing.</summary>
internal interface IPtxChecks
{
    static abstract bool On { get; }

    static abstract bool Counts { get; }
}

internal readonly struct Checked : IPtxChecks
{
    public static bool On => true;

    public static bool Counts => false;
}

internal readonly struct Unchecked : IPtxChecks
{
    public static bool On => false;

    public static bool Counts => false;
}

internal readonly struct Counted : IPtxChecks
{
    public static bool On => false;

    public static bool Counts => true;
}

/// <summary>A warp's threads, and the paths they are on: lanes that part at a branch go one way after the other, and meet where the ways do.</summary>
internal sealed unsafe class PtxWarp(byte* file, int first, uint lanes)
{
    private readonly List<(int At, int End, uint Lanes)> waiting = [];

    public byte* File => file;

    /// <summary>Thread of the first lane.</summary>
    public int First => first;

    /// <summary>That have not returned.</summary>
    public uint Alive { get; set; }

    /// <summary>Where it waits for the group's other warps.</summary>
    public PtxInstruction? Barrier { get; set; }

    public void Start(int end)
    {
        Alive = lanes;
        Barrier = null;
        waiting.Clear();
        Push(0, end, lanes);
    }

    public bool IsWhole => Alive == lanes;

    public void Push(int at, int end, uint those) => waiting.Add((at, end, those));

    /// <summary>The next path that somebody is left on.</summary>
    public bool Pop(out int at, out int end, out uint those)
    {
        while (waiting.Count > 0)
        {
            (at, end, those) = waiting[^1];
            waiting.RemoveAt(waiting.Count - 1);
            those &= Alive;
            if (those != 0) return true;
        }
        (at, end, those) = (0, 0, 0);
        return false;
    }
}

/// <summary>Runs the groups of a launch, one after the other, each warp from barrier to barrier.</summary>
internal sealed unsafe class PtxGroup<TChecks>
    where TChecks : struct, IPtxChecks
{
    private readonly PtxProgram program;
    private readonly PtxMemory memory;
    private readonly PtxRaces global;
    private readonly PtxRaces ofShared = new();
    private readonly PtxCounts? counts;
    private readonly PtxWarp[] warps;
    private readonly byte* shared;
    private readonly int sharedBytes;
    private int group;
    private int epoch;

    /// <param name="program">What runs.</param>
    /// <param name="shape">Of the launch.</param>
    /// <param name="memory">Its arrays.</param>
    /// <param name="words">Its arguments, two words each.</param>
    /// <param name="races">In those arrays.</param>
    /// <param name="counts">What it did, where that is counted.</param>
    /// <param name="scratch"><see cref="ScratchBytes"/>, for registers and shared memory; aligned to 128.</param>
    public PtxGroup(PtxProgram program, LaunchShape shape, PtxMemory memory, ReadOnlySpan<long> words, PtxRaces races, PtxCounts? counts, byte* scratch)
    {
        this.counts = counts;
        this.program = program;
        this.memory = memory;
        global = races;
        shared = scratch;
        sharedBytes = shape.SharedBytes;
        byte* file = scratch + Rounded(sharedBytes);
        warps = new PtxWarp[WarpsOf(shape)];
        for (int w = 0; w < warps.Length; w++)
        {
            // Without barriers a warp is done before the next one starts: one file serves all.
            if (w == 0 || program.HasBarriers) program.Prepare(file, shape, words);
            int left = shape.GroupSize - w * PtxLanes.Count;
            warps[w] = new PtxWarp(file, w * PtxLanes.Count, left >= PtxLanes.Count ? PtxLanes.All : (1u << left) - 1);
            if (program.HasBarriers) file += Rounded(program.FileBytes);
        }
    }

    /// <summary>Warp-instructions so far.</summary>
    public long Issued { get; private set; }

    public static long ScratchBytes(PtxProgram program, LaunchShape shape) =>
        Rounded(shape.SharedBytes) + (long)Rounded(program.FileBytes) * (program.HasBarriers ? WarpsOf(shape) : 1);

    /// <exception cref="KernelException">A fault of the kernel.</exception>
    public void Run(int which)
    {
        group = which;
        epoch = 0;
        if (TChecks.On) ofShared.Reset((sharedBytes + 3) / 4);
        foreach (PtxWarp warp in warps) warp.Start(program.Code.Length);
        do
        {
            foreach (PtxWarp warp in warps)
            {
                warp.Barrier = null;
                if (warp.Alive != 0) Advance(warp);
            }
            epoch++;
        }
        while (Meet());
    }

    private static int WarpsOf(LaunchShape shape) => (shape.GroupSize + PtxLanes.Count - 1) / PtxLanes.Count;

    private static int Rounded(int bytes) => (bytes + 127) & ~127;

    /// <summary>All warps stand at the same barrier, or all are done.</summary>
    private bool Meet()
    {
        PtxInstruction? barrier = Array.Find(warps, w => w.Barrier is not null)?.Barrier;
        if (barrier is null) return false;
        if (Array.Find(warps, w => w.Barrier != barrier) is not { } other) return true;
        throw barrier.Fault($"in group {group} warp {other.First / PtxLanes.Count} {(other.Barrier is null ? "has left" : "waits at another barrier")}");
    }

    private void Advance(PtxWarp warp)
    {
        PtxInstruction[] code = program.Code;
        PtxStep* steps = program.Steps;
        byte* file = warp.File;
        PtxLanes.Fill(file + program.Group, (uint)group);
        for (int k = 0; k < PtxLanes.Count; k += Vector256<uint>.Count)
            (Vector256.Create((uint)(warp.First + k)) + Vector256<uint>.Indices).Store((uint*)(file + program.Thread) + k);
        long issued = 0;
        if (!warp.Pop(out int at, out int end, out uint lanes)) return;
        while (true)
        {
            if (at == end)
            {
                if (warp.Pop(out at, out end, out lanes)) continue;
                warp.Alive = 0;
                break;
            }
            PtxInstruction i = code[at];
            uint active = i.Guard < 0 ? lanes : lanes & (*(uint*)(file + i.Guard) ^ i.Flip);
            issued++;
            if (TChecks.Counts) counts!.Issue(at, active);
            switch (i.Kind)
            {
                case PtxKind.Lanes:
                    if (active != 0) PtxAct.Run(steps + i.Step, steps + i.StepEnd, file, active);
                    if (TChecks.Counts) for (int next = at + 1; next < at + i.Stretch; next++) counts!.Issue(next, active);
                    issued += i.Stretch - 1;
                    at += i.Stretch;
                    continue;
                case PtxKind.Divide:
                    if ((PtxLanes.Where(file + i.B, 0u) & active) is var zeros and not 0)
                        throw i.Fault($"division by zero in lane {BitOperations.TrailingZeroCount(zeros)}");
                    if (active != 0) PtxAct.Run(steps + i.Step, steps + i.StepEnd, file, active);
                    at++;
                    continue;
                case PtxKind.Load or PtxKind.Store:
                    if (active != 0) Access(i, warp, active);
                    at++;
                    continue;
                case PtxKind.Warp:
                    if (active != PtxLanes.All) throw Missing(i, active);
                    i.Warp(i, file);
                    at++;
                    continue;
                case PtxKind.Branch:
                    if (active == lanes) at = i.Target;
                    else if (active == 0) at++;
                    else Part(warp, i, active, ref at, ref end, ref lanes);
                    continue;
                case PtxKind.Exit:
                    warp.Alive &= ~active;
                    lanes &= ~active;
                    at = lanes == 0 ? end : at + 1;
                    continue;
                case PtxKind.Barrier:
                    if (active != warp.Alive || !warp.IsWhole) throw Missing(i, active);
                    warp.Push(at + 1, end, lanes);
                    warp.Barrier = i;
                    Issued += issued;
                    return;
            }
        }
        Issued += issued;
    }

    private KernelException Missing(PtxInstruction i, uint active) =>
        i.Fault($"group {group}: lanes are missing: {BitOperations.PopCount(active)} of {PtxLanes.Count} take part");

    /// <summary>Lanes take the branch first, the others after, and all go on together where both ways meet.</summary>
    private static void Part(PtxWarp warp, PtxInstruction i, uint taken, ref int at, ref int end, ref uint lanes)
    {
        if (TChecks.On && i.Uniform) throw i.Fault("lanes differ at a branch that says they agree");
        int next = at + 1;
        uint others = lanes & ~taken;
        // The last way to the same end needs no return.
        if (i.Join != end) warp.Push(i.Join, end, lanes);
        (at, end, lanes) = (i.Target, i.Join, taken);
        if (next == i.Join) return;
        if (at == i.Join) (at, lanes) = (next, others);
        else warp.Push(next, i.Join, others);
    }

    private void Access(PtxInstruction i, PtxWarp warp, uint active)
    {
        ulong* at = stackalloc ulong[PtxLanes.Count];
        ulong* from = (ulong*)(warp.File + i.A);
        int bytes = i.AccessBytes;
        ulong first = from[BitOperations.TrailingZeroCount(active)] + (ulong)i.Offset, low = first, last = first, all = first;
        // Each lane's element behind that of the lane before; or all at one.
        bool inRow = false;
        if (active == PtxLanes.All)
        {
            Vector256<ulong> firsts = Vector256.Create(first), bits = default, apart = default, differ = default, offset = Vector256.Create((ulong)i.Offset);
            Vector256<ulong> row = firsts + (Vector256<ulong>.Indices << BitOperations.Log2((uint)bytes)), step = Vector256.Create((ulong)(Vector256<ulong>.Count * bytes));
            for (int k = 0; k < PtxLanes.Count; k += Vector256<ulong>.Count)
            {
                Vector256<ulong> some = Vector256.Load(from + k) + offset;
                some.Store(at + k);
                (bits, apart, differ, row) = (bits | some, apart | (some ^ row), differ | (some ^ firsts), row + step);
            }
            inRow = apart == default;
            if (inRow) (last, all) = (first + (ulong)(bytes * (PtxLanes.Count - 1)), first | (uint)bytes);
            else if (differ != default)
            {
                Vector256<ulong> least = firsts, greatest = firsts;
                for (int k = 0; k < PtxLanes.Count; k += Vector256<ulong>.Count)
                    (least, greatest) = (Vector256.Min(least, Vector256.Load(at + k)), Vector256.Max(greatest, Vector256.Load(at + k)));
                for (int k = 0; k < Vector256<ulong>.Count; k++) (all, low, last) = (all | bits[k], Math.Min(low, least[k]), Math.Max(last, greatest[k]));
            }
        }
        else
        {
            for (uint left = active; left != 0; left &= left - 1)
            {
                int l = BitOperations.TrailingZeroCount(left);
                at[l] = from[l] + (ulong)i.Offset;
                (low, last, all) = (Math.Min(low, at[l]), Math.Max(last, at[l]), all | at[l]);
            }
        }
        if ((all & (ulong)(bytes - 1)) != 0) throw Misplaced(i, warp, at, active, bytes)!;
        byte* origin = i.Shared ? shared : null;
        int range = -1;
        if (i.Shared)
        {
            if (last >= (ulong)sharedBytes || (ulong)sharedBytes - last < (ulong)bytes) throw Misplaced(i, warp, at, active, bytes)!;
        }
        else if (!memory.Everywhere)
        {
            range = i.Hint = memory.Find(low, last, bytes, i.Hint);
            // Lanes may be in several arrays.
            if (range < 0 && Misplaced(i, warp, at, active, bytes) is { } fault) throw fault;
        }
        bool same = low == last;
        if (TChecks.Counts) counts!.Access(i, memory, range, at, active, low, last, bytes);
        if (TChecks.On && (i.Shared || memory.IsWatched)) Watch(i, warp, at, active, range, bytes, inRow, same);
        if (i.Kind == PtxKind.Load) PtxMoves.Load(i, warp.File, origin, at, active, same, inRow);
        else PtxMoves.Store(i, warp.File, origin, at, active, inRow);
        if (TChecks.On && !i.Shared && i.Kind == PtxKind.Load && PtxPoison.Of(i, warp.File, active) is var fresh and >= 0)
            throw i.Fault($"{Thread(warp, fresh)}: the word was never written");
    }

    /// <summary>The first lane whose address is none for such an access; null: there is no such lane.</summary>
    private KernelException? Misplaced(PtxInstruction i, PtxWarp warp, ulong* at, uint active, int bytes)
    {
        for (int l = 0; l < PtxLanes.Count; l++)
        {
            if ((active >> l & 1) == 0) continue;
            string? fault = at[l] % (ulong)bytes != 0 ? $"address {at[l]:x} is no multiple of {bytes}"
                : i.Shared ? (at[l] + (ulong)bytes > (ulong)sharedBytes ? $"byte {at[l]:N0} of {sharedBytes:N0} of shared memory" : null)
                : memory.Find(at[l], at[l], bytes, 0) < 0 ? $"an address in no array, {memory.Beside(at[l])}"
                : null;
            if (fault is not null) return i.Fault($"{Thread(warp, l)}: {fault}");
        }
        return null;
    }

    private void Watch(PtxInstruction i, PtxWarp warp, ulong* at, uint active, int range, int bytes, bool inRow, bool same)
    {
        PtxRaces races = i.Shared ? ofShared : global;
        bool store = i.Kind == PtxKind.Store;
        if (inRow && (range >= 0 || i.Shared) && races.AreFine(First(0), bytes / 4, PtxRaces.Who(group, warp.First, epoch), store, i.Shared)) return;
        // Two lanes at one word are as good as all.
        uint some = active & (active - 1);
        if (same && !store) active = (active ^ some) | (some ^ (some & (some - 1)));
        for (uint left = active; left != 0; left &= left - 1)
        {
            int l = BitOperations.TrailingZeroCount(left);
            ulong who = PtxRaces.Who(group, warp.First + l, epoch);
            long word = First(l);
            for (int k = 0; k < bytes / 4; k++)
            {
                string? fault = store ? races.Write(word + k, who)
                    : i.Shared && !races.IsWritten(word + k) ? "was never written"
                    : races.Read(word + k, who);
                if (fault is not null) throw i.Fault($"{Thread(warp, l)}: the word {fault}");
            }
        }

        long First(int lane) =>
            i.Shared ? (long)at[lane] / 4 : memory.Word(range >= 0 ? range : memory.Find(at[lane], at[lane], bytes, 0), at[lane]);
    }

    private string Thread(PtxWarp warp, int lane) => $"group {group}, thread {warp.First + lane}";
}
