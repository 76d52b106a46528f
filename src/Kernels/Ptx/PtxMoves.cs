using System.Numerics;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ChemScale.Kernels.Ptx;

/// <summary>Loads and stores of a warp: addresses are checked already.</summary>
internal static unsafe class PtxMoves
{
    /// <param name="i">A load.</param>
    /// <param name="file">Registers.</param>
    /// <param name="origin">What addresses count from.</param>
    /// <param name="at">Of each lane.</param>
    /// <param name="active">Lanes.</param>
    /// <param name="same">All have one address.</param>
    /// <param name="inRow">Each lane's element lies behind that of the lane before.</param>
    public static void Load(PtxInstruction i, byte* file, byte* origin, ulong* at, uint active, bool same, bool inRow)
    {
        int[] group = i.Group;
        if (same)
        {
            byte* place = origin + at[BitOperations.TrailingZeroCount(active)];
            for (int m = 0; m < group.Length; m++)
            {
                if (i.Bytes == 4) Spread((uint*)(file + group[m]), ((uint*)place)[m], active);
                else Spread((ulong*)(file + group[m]), ((ulong*)place)[m], active);
            }
        }
        else if (active != PtxLanes.All)
        {
            for (int m = 0; m < group.Length; m++)
            {
                if (i.Bytes == 4) Gather((uint*)(file + group[m]), origin + 4 * m, at, active);
                else Gather((ulong*)(file + group[m]), origin + 8 * m, at, active);
            }
        }
        else if (inRow && group.Length == 1)
        {
            int bytes = i.Bytes * PtxLanes.Count;
            Buffer.MemoryCopy(origin + at[0], file + group[0], bytes, bytes);
        }
        else if (group.Length == 4 && i.Bytes == 4 && Sse.IsSupported)
        {
            float* x = (float*)(file + group[0]), y = (float*)(file + group[1]), z = (float*)(file + group[2]), w = (float*)(file + group[3]);
            for (int l = 0; l < PtxLanes.Count; l += 4)
            {
                Vector128<float> a = Four(origin + at[l]), b = Four(origin + at[l + 1]), c = Four(origin + at[l + 2]), d = Four(origin + at[l + 3]);
                Turn(ref a, ref b, ref c, ref d);
                a.Store(x + l);
                b.Store(y + l);
                c.Store(z + l);
                d.Store(w + l);
            }
        }
        else
        {
            for (int m = 0; m < group.Length; m++)
            {
                if (i.Bytes == 4) All((uint*)(file + group[m]), origin + 4 * m, at);
                else All((ulong*)(file + group[m]), origin + 8 * m, at);
            }
        }
    }

    /// <inheritdoc cref="Load"/>
    /// <param name="i">A store.</param>
    /// <param name="file">Registers.</param>
    /// <param name="origin">What addresses count from.</param>
    /// <param name="at">Of each lane.</param>
    /// <param name="active">Lanes.</param>
    /// <param name="inRow">Each lane's element lies behind that of the lane before.</param>
    public static void Store(PtxInstruction i, byte* file, byte* origin, ulong* at, uint active, bool inRow)
    {
        int[] group = i.Group;
        if (inRow && group.Length == 1)
        {
            int bytes = i.Bytes * PtxLanes.Count;
            Buffer.MemoryCopy(file + group[0], origin + at[0], bytes, bytes);
        }
        else if (active == PtxLanes.All && group.Length == 4 && i.Bytes == 4 && Sse.IsSupported)
        {
            byte* x = file + group[0], y = file + group[1], z = file + group[2], w = file + group[3];
            for (int l = 0; l < PtxLanes.Count; l += 4)
            {
                Vector128<float> a = Four(x + 4 * l), b = Four(y + 4 * l), c = Four(z + 4 * l), d = Four(w + 4 * l);
                Turn(ref a, ref b, ref c, ref d);
                a.Store((float*)(origin + at[l]));
                b.Store((float*)(origin + at[l + 1]));
                c.Store((float*)(origin + at[l + 2]));
                d.Store((float*)(origin + at[l + 3]));
            }
        }
        else
        {
            // Of lanes with one address the last one's stays.
            for (int m = 0; m < group.Length; m++)
            {
                if (i.Bytes == 4) Scatter((uint*)(file + group[m]), origin + 4 * m, at, active);
                else Scatter((ulong*)(file + group[m]), origin + 8 * m, at, active);
            }
        }
    }

    private static Vector128<float> Four(byte* at) => Vector128.Load((float*)at);

    /// <summary>Rows become columns.</summary>
    private static void Turn(ref Vector128<float> a, ref Vector128<float> b, ref Vector128<float> c, ref Vector128<float> d)
    {
        Vector128<float> low = Sse.UnpackLow(a, b), high = Sse.UnpackHigh(a, b), lower = Sse.UnpackLow(c, d), higher = Sse.UnpackHigh(c, d);
        a = Sse.MoveLowToHigh(low, lower);
        b = Sse.MoveHighToLow(lower, low);
        c = Sse.MoveLowToHigh(high, higher);
        d = Sse.MoveHighToLow(higher, high);
    }

    private static void Spread<T>(T* register, T value, uint active)
        where T : unmanaged
    {
        Vector256<T> values = Vector256.Create(value);
        for (int k = 0; k < PtxLanes.Count; k += Vector256<T>.Count) PtxLanes.Put(register + k, values, active >> k);
    }

    private static void All<T>(T* register, byte* origin, ulong* at)
        where T : unmanaged
    {
        for (int l = 0; l < PtxLanes.Count; l += 4)
        {
            T a = *(T*)(origin + at[l]), b = *(T*)(origin + at[l + 1]), c = *(T*)(origin + at[l + 2]), d = *(T*)(origin + at[l + 3]);
            (register[l], register[l + 1], register[l + 2], register[l + 3]) = (a, b, c, d);
        }
    }

    private static void Gather<T>(T* register, byte* origin, ulong* at, uint active)
        where T : unmanaged
    {
        for (uint left = active; left != 0; left &= left - 1)
        {
            int l = BitOperations.TrailingZeroCount(left);
            register[l] = *(T*)(origin + at[l]);
        }
    }

    private static void Scatter<T>(T* register, byte* origin, ulong* at, uint active)
        where T : unmanaged
    {
        for (uint left = active; left != 0; left &= left - 1)
        {
            int l = BitOperations.TrailingZeroCount(left);
            *(T*)(origin + at[l]) = register[l];
        }
    }
}

/// <summary>
/// Memory that a kernel is to write before anybody reads it holds a pattern until then, one that arithmetic does not make: a number that is none.
/// </summary>
internal static unsafe class PtxPoison
{
    private const uint Word = 0x7FB5A5A5;

    /// <summary>Fills memory with it.</summary>
    /// <param name="at">A multiple of four.</param>
    /// <param name="bytes">Likewise.</param>
    public static void Fill(nint at, long bytes)
    {
        for (long done = 0; done < bytes;)
        {
            int some = (int)Math.Min(bytes - done, 1 << 30);
            new Span<uint>((byte*)at + done, some / sizeof(uint)).Fill(Word);
            done += some;
        }
    }

    /// <summary>The first lane that has loaded it; negative: none.</summary>
    public static int Of(PtxInstruction load, byte* file, uint active)
    {
        uint found = 0;
        foreach (int place in load.Group)
        {
            if (load.Bytes == 4) found |= PtxLanes.Where<uint>(file + place, Word);
            else found |= PtxLanes.Where<ulong>(file + place, (ulong)Word << 32 | Word);
        }
        found &= active;
        return found == 0 ? -1 : BitOperations.TrailingZeroCount(found);
    }
}
