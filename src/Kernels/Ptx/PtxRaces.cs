namespace ChemScale.Kernels.Ptx;

/// <summary>
/// Who touched each word of memory last: a thread of a group, between two of its barriers. Two that touch the same word, one of them writing, must be
/// one thread, or of one group with a barrier between.
/// </summary>
internal sealed class PtxRaces
{
    private const int ThreadShift = 21, GroupShift = 32;
    private const ulong Epochs = (1 << ThreadShift) - 1, Threads = (1 << GroupShift - ThreadShift) - 1;

    /// <summary>In a thread's place: several threads of a group. In a group's: several groups.</summary>
    private const ulong Many = Threads, ManyGroups = uint.MaxValue;

    private ulong[] writers = [];
    private ulong[] readers = [];

    /// <summary>Forgets all, and makes room.</summary>
    public void Reset(long words)
    {
        if (writers.Length < words) (writers, readers) = (new ulong[words], new ulong[words]);
        else
        {
            Array.Clear(writers, 0, (int)words);
            Array.Clear(readers, 0, (int)words);
        }
    }

    /// <param name="group">Of the launch.</param>
    /// <param name="thread">Of the group.</param>
    /// <param name="epoch">Barriers of the group so far.</param>
    public static ulong Who(int group, int thread, int epoch) =>
        (ulong)(group + 1) << GroupShift | (ulong)(thread + 1) << ThreadShift | (ulong)epoch & Epochs;

    public bool IsWritten(long word) => writers[word] != 0;

    /// <returns>What is wrong with it; null: nothing.</returns>
    public string? Read(long word, ulong who)
    {
        if (writers[word] != 0 && !Ordered(writers[word], who)) return "is written by another thread at the same time";
        ulong last = readers[word];
        if (last >> GroupShift == ManyGroups || last == who) return null;
        readers[word] = last == 0 || (Group(last) == Group(who) && Epoch(last) != Epoch(who)) ? who
            : Group(last) != Group(who) ? ManyGroups << GroupShift
            : last | Many << ThreadShift;
        return null;
    }

    /// <inheritdoc cref="Read"/>
    public string? Write(long word, ulong who)
    {
        if (writers[word] != 0 && !Ordered(writers[word], who)) return "is written by another thread too";
        if (readers[word] != 0 && !Ordered(readers[word], who)) return "is read by another thread at the same time";
        writers[word] = who;
        return null;
    }

    private static bool Ordered(ulong earlier, ulong who) => Group(earlier) == Group(who) && (Thread(earlier) == Thread(who) || Epoch(earlier) != Epoch(who));

    private static ulong Group(ulong who) => who >> GroupShift;

    private static ulong Thread(ulong who) => who >> ThreadShift & Threads;

    private static ulong Epoch(ulong who) => who & Epochs;
}
