using System.Numerics;
using System.Runtime.Intrinsics;

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

    /// <summary>
    /// A warp's lanes at words in a row: remembers them and says so, where all is as it mostly is; false: look at them one by one.
    /// </summary>
    /// <param name="first">Word of the first lane.</param>
    /// <param name="each">Words of a lane, a power of two up to eight.</param>
    /// <param name="who">The first lane's.</param>
    /// <param name="writes">Else reads.</param>
    /// <param name="mustBeWritten">What is read.</param>
    public unsafe bool AreFine(long first, int each, ulong who, bool writes, bool mustBeWritten)
    {
        const int Lanes = PtxLanes.Count;
        int words = each * Lanes, shift = BitOperations.Log2((uint)each);
        Vector512<ulong> epochs = Vector512.Create(Epochs), one = Vector512.Create(1ul << GroupShift), many = Vector512.Create(ManyGroups << GroupShift),
            threads = Vector512.Create(Many << ThreadShift);
        fixed (ulong* written = &writers[first], read = &readers[first])
        {
            Vector512<ulong> fine = Vector512<ulong>.AllBitsSet;
            for (int k = 0; k < words; k += Vector512<ulong>.Count)
            {
                Vector512<ulong> own = Own(k), w = Vector512.Load(written + k), r = Vector512.Load(read + k);
                fine &= Ordered(w, own);
                if (mustBeWritten && !writes) fine &= ~Vector512.Equals(w, default);
                if (writes) fine &= Ordered(r, own);
            }
            if (fine != Vector512<ulong>.AllBitsSet) return false;
            for (int k = 0; k < words; k += Vector512<ulong>.Count)
            {
                Vector512<ulong> own = Own(k);
                if (writes)
                {
                    own.Store(written + k);
                    continue;
                }
                // Another thread of the group, or another group, has read it too.
                Vector512<ulong> r = Vector512.Load(read + k);
                Vector512<ulong> others = Vector512.ConditionalSelect(Vector512.LessThan(r ^ own, one), r | threads, many);
                Vector512.ConditionalSelect(Ordered(r, own), own, others).Store(read + k);
            }
            return true;
        }

        Vector512<ulong> Own(int k) => Vector512.Create(who) + (((Vector512<ulong>.Indices + Vector512.Create((ulong)k)) >> shift) << ThreadShift);

        // Nobody; or the same group's, the very thread or before a barrier.
        Vector512<ulong> Ordered(Vector512<ulong> earlier, Vector512<ulong> own)
        {
            Vector512<ulong> apart = earlier ^ own;
            Vector512<ulong> inOrder = Vector512.Equals(apart >> ThreadShift, default) | ~Vector512.Equals(apart & epochs, default);
            return Vector512.Equals(earlier, default) | (Vector512.LessThan(apart, one) & inOrder);
        }
    }

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
