namespace ChemScale.Engine.Atoms.Neighbors;

/// <summary>
/// An edge of a known receiver as one number whose order is that of a row: by sender, then by shift between wrapped atoms.
/// </summary>
internal static class Edge
{
    public const int ShiftBits = 10;

    private const int Bias = 1 << (ShiftBits - 1);
    private const int Mask = (1 << ShiftBits) - 1;

    public static ulong Pack(int sender, int a, int b, int c) =>
        ((ulong)(uint)sender << (3 * ShiftBits)) | Field(a, 2) | Field(b, 1) | Field(c, 0);

    public static int Sender(ulong edge) => (int)(edge >> (3 * ShiftBits));

    /// <summary>The shift along lattice vector <paramref name="k"/>.</summary>
    public static int Shift(ulong edge, int k) => (int)(edge >> ((2 - k) * ShiftBits) & Mask) - Bias;

    private static ulong Field(int shift, int place) => (ulong)(uint)(shift + Bias) << (place * ShiftBits);
}
