namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// An edge of a known receiver as one number whose order is that of a row: by sender, then by shift between atoms inside the cell. A shift
/// lies between -512 and 511.
/// </summary>
internal static class ImageKey
{
    private const int Bits = 10;
    private const int Bias = 1 << (Bits - 1);
    private const int Mask = (1 << Bits) - 1;

    public static long Of(int sender, int a, int b, int c) =>
        ((((long)sender << Bits | (long)(a + Bias)) << Bits | (long)(b + Bias)) << Bits) | (long)(c + Bias);

    public static int Sender(long key) => (int)(key >> (3 * Bits));

    public static int A(long key) => (int)(key >> (2 * Bits) & Mask) - Bias;

    public static int B(long key) => (int)(key >> Bits & Mask) - Bias;

    public static int C(long key) => (int)(key & Mask) - Bias;
}
