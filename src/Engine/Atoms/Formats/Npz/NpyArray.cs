using System.Buffers.Binary;
using System.Text;
using ChemScale.Engine.Files;

namespace ChemScale.Engine.Atoms.Formats.Npz;

/// <summary>An array of an .npz archive. Values come out row by row, whatever the order in the file.</summary>
internal sealed class NpyArray
{
    private readonly NpyType type;
    private readonly byte[] data;
    private readonly bool columnsFirst;
    private readonly CancellationToken stop;

    internal NpyArray(string file, string name, NpyType type, long[] shape, bool columnsFirst, byte[] data, CancellationToken stop)
    {
        Name = name;
        Place = $"{file}: {name}";
        this.type = type;
        Shape = shape;
        this.columnsFirst = columnsFirst && shape.Length > 1;
        this.data = data;
        this.stop = stop;
        Length = (int)ReadBudget.Elements(Place, shape);
    }

    public string Name { get; }

    /// <summary>File and key.</summary>
    public string Place { get; }

    /// <summary>Empty for a single value.</summary>
    public long[] Shape { get; }

    public bool IsText => type.IsText;

    public int Length { get; }

    /// <summary>As (9, 3), the way a reader of the message would write it.</summary>
    public string ShapeText => $"({string.Join(", ", Shape)})";

    /// <exception cref="InputException">Not numbers.</exception>
    public double[] Doubles()
    {
        if (this.type.IsText) throw new InputException(Place, "text", "numbers");
        if (this.type is { Kind: 'f', Size: 8, BigEndian: false } && !columnsFirst && BitConverter.IsLittleEndian)
        {
            double[] copy = new double[Length];
            Buffer.BlockCopy(data, 0, copy, 0, data.Length);
            return copy;
        }
        NpyType type = this.type;
        return Read(element => type.Double(element));
    }

    /// <exception cref="InputException">Not whole numbers.</exception>
    public long[] Integers()
    {
        if (this.type.IsText) throw new InputException(Place, "text", "whole numbers");
        NpyType type = this.type;
        if (this.type.Kind != 'f') return Read(element => type.Integer(element));
        double[] numbers = Doubles();
        int wrong = Array.FindIndex(numbers, number => number != Math.Truncate(number) || Math.Abs(number) > long.MaxValue / 2);
        return wrong < 0 ? [.. numbers.Select(number => (long)number)]
            : throw new InputException(Place, $"{numbers[wrong]}", "whole numbers");
    }

    /// <exception cref="InputException">Not text.</exception>
    public string[] Texts()
    {
        if (!type.IsText) throw new InputException(Place, "numbers", "text");
        Encoding encoding = type.Kind == 'S' ? Encoding.UTF8 : new UTF32Encoding(type.BigEndian, byteOrderMark: false);
        return Read(element => encoding.GetString(element).TrimEnd('\0'));
    }

    private T[] Read<T>(Func<byte[], T> convert)
    {
        T[] values = new T[Length];
        byte[] element = new byte[type.Size];
        for (int i = 0; i < values.Length; i++)
        {
            if (i % (1 << 16) == 0) stop.ThrowIfCancellationRequested();
            Array.Copy(data, (long)(columnsFirst ? ColumnsFirst(i) : i) * type.Size, element, 0, type.Size);
            values[i] = convert(element);
        }
        return values;
    }

    /// <summary>Where the element that is <paramref name="index"/>-th row by row stands in an array stored column by column.</summary>
    private long ColumnsFirst(long index)
    {
        long stride = Length, at = 0;
        for (int d = Shape.Length - 1; d >= 0; d--)
        {
            stride /= Shape[d];
            at += index % Shape[d] * stride;
            index /= Shape[d];
        }
        return at;
    }
}

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
