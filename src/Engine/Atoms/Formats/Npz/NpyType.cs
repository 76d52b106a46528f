using System.Buffers.Binary;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>An element type of the .npy format: byte order, kind and size, as in <c>&lt;f8</c>.</summary>
/// <param name="Kind">f, i, u, b, U (UTF-32 text) or S (byte text).</param>
/// <param name="Size">Bytes of one element.</param>
/// <param name="BigEndian">Order of the bytes.</param>
internal readonly record struct NpyType(char Kind, int Size, bool BigEndian)
{
    public bool IsText => Kind is 'U' or 'S';

    /// <summary>Null for what is no plain number or text: objects, structures, complex numbers, dates.</summary>
    public static NpyType? Parse(string text)
    {
        if (text.Length < 3 || !"<>|=".Contains(text[0]) || !int.TryParse(text.AsSpan(2), out int count) || count < 0) return null;
        bool known = text[1] switch
        {
            'f' => count is 2 or 4 or 8,
            'i' or 'u' => count is 1 or 2 or 4 or 8,
            'b' => count == 1,
            'U' or 'S' => count < 1 << 20,
            _ => false,
        };
        return known ? new NpyType(text[1], text[1] == 'U' ? 4 * count : count, text[0] == '>') : null;
    }

    public double Double(ReadOnlySpan<byte> element) => Kind switch
    {
        'f' => (Size, BigEndian) switch
        {
            (8, false) => BinaryPrimitives.ReadDoubleLittleEndian(element),
            (8, true) => BinaryPrimitives.ReadDoubleBigEndian(element),
            (4, false) => BinaryPrimitives.ReadSingleLittleEndian(element),
            (4, true) => BinaryPrimitives.ReadSingleBigEndian(element),
            (_, false) => (double)BinaryPrimitives.ReadHalfLittleEndian(element),
            _ => (double)BinaryPrimitives.ReadHalfBigEndian(element),
        },
        'u' => (ulong)Integer(element),
        _ => Integer(element),
    };

    public long Integer(ReadOnlySpan<byte> element)
    {
        ulong bits = 0;
        for (int i = 0; i < Size; i++) bits |= (ulong)element[BigEndian ? Size - 1 - i : i] << (8 * i);
        int unused = 64 - 8 * Size;
        return Kind == 'i' ? (long)(bits << unused) >> unused : (long)bits;
    }
}
