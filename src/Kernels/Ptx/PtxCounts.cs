using System.Numerics;
using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.Ptx;

/// <summary>
/// What launches of a kernel did, instruction by instruction: warps that issued it, their lanes, and of accesses to memory what a device's first-level
/// cache and shared memory would have to move. Nothing of it depends on time.
/// </summary>
/// <param name="program">The kernel.</param>
internal sealed unsafe class PtxCounts(PtxProgram program)
{
    private const int SectorShift = 5, LineShift = 7, Banks = 32, Mask = 64;

    // A bit for each sector of the launch's arrays; where a kernel finds its arrays by address, the sectors themselves.
    private readonly HashSet<ulong> readAnywhere = [];
    private readonly HashSet<ulong> writtenAnywhere = [];
    private ulong[] read = [];
    private ulong[] written = [];
    private uint[] stamps = [];
    private uint stamp;

    public PtxProgram Program => program;

    /// <summary>Of each instruction: times that a warp issued it.</summary>
    public long[] Issued { get; } = new long[program.Code.Length];

    /// <summary>Lanes that took part.</summary>
    public long[] Lanes { get; } = new long[program.Code.Length];

    /// <summary>Global memory: sectors of 32 bytes that a request touched. Shared memory: turns of the banks.</summary>
    public long[] Parts { get; } = new long[program.Code.Length];

    /// <summary>Turns at 128 bytes: of shared memory what they would be without conflicts, of global memory lines of 128 bytes.</summary>
    public long[] Turns { get; } = new long[program.Code.Length];

    public long Warps { get; private set; }

    public long Groups { get; private set; }

    public int Launches { get; private set; }

    /// <summary>Of the largest launch.</summary>
    public LaunchShape Shape { get; private set; }

    /// <summary>Different sectors of 32 bytes read in a launch, over all of them: what must come from memory at least.</summary>
    public long SectorsRead { get; private set; }

    /// <inheritdoc cref="SectorsRead"/>
    public long SectorsWritten { get; private set; }

    public void Begin(LaunchShape shape, PtxMemory memory)
    {
        Launches++;
        Groups += shape.Groups;
        Warps += (long)shape.Groups * ((shape.GroupSize + PtxLanes.Count - 1) / PtxLanes.Count);
        if ((long)shape.Groups * shape.GroupSize > (long)Shape.Groups * Shape.GroupSize) Shape = shape;
        if (stamps.Length <= shape.SharedBytes / 4) stamps = new uint[shape.SharedBytes / 4 + 1];
        long places = memory.Everywhere ? 0 : memory.Sectors / 64 + 1;
        (read, written) = (new ulong[places], new ulong[places]);
    }

    public void End()
    {
        SectorsRead += readAnywhere.Count + read.Sum(BitOperations.PopCount);
        SectorsWritten += writtenAnywhere.Count + written.Sum(BitOperations.PopCount);
        readAnywhere.Clear();
        writtenAnywhere.Clear();
    }

    public void Issue(int at, uint active)
    {
        Issued[at]++;
        Lanes[at] += BitOperations.PopCount(active);
    }

    /// <param name="i">A load or a store.</param>
    /// <param name="memory">The launch's arrays.</param>
    /// <param name="range">Which of them; negative: several.</param>
    /// <param name="at">Addresses of its lanes.</param>
    /// <param name="active">Which there are.</param>
    /// <param name="low">The least address.</param>
    /// <param name="last">The greatest.</param>
    /// <param name="bytes">Of a lane.</param>
    public void Access(PtxInstruction i, PtxMemory memory, int range, ulong* at, uint active, ulong low, ulong last, int bytes)
    {
        if (i.Shared)
        {
            OfBanks(i, at, active, bytes);
            return;
        }
        bool store = i.Kind == PtxKind.Store;
        // As on a device, where arrays begin at whole lines, wherever this machine has put them.
        ulong origin = range >= 0 ? memory.Start(range) : 0;
        (low, last) = (low - origin, last - origin);
        ulong first = low >> SectorShift, firstLine = low >> LineShift;
        // An access is aligned to its size, and so within a sector.
        if ((last >> SectorShift) - first < Mask)
        {
            ulong sectors = 0, lines = 0;
            for (uint left = active; left != 0; left &= left - 1)
            {
                ulong address = at[BitOperations.TrailingZeroCount(left)] - origin;
                sectors |= 1ul << (int)((address >> SectorShift) - first);
                lines |= 1ul << (int)((address >> LineShift) - firstLine);
            }
            Parts[i.Index] += BitOperations.PopCount(sectors);
            Turns[i.Index] += BitOperations.PopCount(lines);
            for (; sectors != 0; sectors &= sectors - 1) Touch(memory, range, (first + (ulong)BitOperations.TrailingZeroCount(sectors)) << SectorShift, store);
            return;
        }
        ulong* seen = stackalloc ulong[PtxLanes.Count], seenLines = stackalloc ulong[PtxLanes.Count];
        int count = 0, countLines = 0;
        for (uint left = active; left != 0; left &= left - 1)
        {
            ulong address = at[BitOperations.TrailingZeroCount(left)] - origin;
            if (IsNew(address >> SectorShift, seen, ref count)) Touch(memory, range, address >> SectorShift << SectorShift, store);
            IsNew(address >> LineShift, seenLines, ref countLines);
        }
        Parts[i.Index] += count;
        Turns[i.Index] += countLines;

        static bool IsNew(ulong number, ulong* among, ref int count)
        {
            for (int k = count - 1; k >= 0; k--)
                if (among[k] == number) return false;
            among[count++] = number;
            return true;
        }
    }

    /// <summary>
    /// A turn serves each of 32 banks one word, to all lanes that want it. Accesses of 8 and 16 bytes go by halves and quarters of a warp; what an
    /// earlier part has brought comes with it.
    /// </summary>
    private void OfBanks(PtxInstruction i, ulong* at, uint active, int bytes)
    {
        if (++stamp == 0)
        {
            Array.Clear(stamps);
            stamp = 1;
        }
        int lanes = PtxLanes.Count * 4 / bytes, turns = 0, distinct = 0;
        byte* inBank = stackalloc byte[Banks];
        for (int part = 0; part < PtxLanes.Count; part += lanes)
        {
            uint some = active >> part & (uint)((1ul << lanes) - 1);
            if (some == 0) continue;
            new Span<byte>(inBank, Banks).Clear();
            int most = 0;
            for (; some != 0; some &= some - 1)
            {
                int word = (int)(at[part + BitOperations.TrailingZeroCount(some)] / 4);
                for (int k = 0; k < bytes / 4; k++)
                {
                    if (stamps[word + k] == stamp) continue;
                    stamps[word + k] = stamp;
                    distinct++;
                    most = Math.Max(most, ++inBank[(word + k) % Banks]);
                }
            }
            turns += most;
        }
        Parts[i.Index] += turns;
        Turns[i.Index] += (distinct + Banks - 1) / Banks;
    }

    /// <param name="memory">The launch's arrays.</param>
    /// <param name="range">Which; negative: several, or all memory.</param>
    /// <param name="address">Of a sector: from the array's first byte, else as it is.</param>
    /// <param name="store">Else a load.</param>
    private void Touch(PtxMemory memory, int range, ulong address, bool store)
    {
        if (range < 0)
        {
            (store ? writtenAnywhere : readAnywhere).Add(address);
            return;
        }
        long sector = memory.Sector(range, address);
        (store ? written : read)[sector / 64] |= 1ul << (int)(sector % 64);
    }
}
