using System.Buffers.Binary;
using System.Text;

namespace ChemScale.Engine.Native;

/// <summary>
/// Dynamic symbols of a 64-bit little-endian ELF shared object, from its section headers (System V ABI, chapters 4 and 5). Reads only the
/// sections it needs: a CUDA build's libraries have a gigabyte and more.
/// </summary>
internal sealed class ElfSymbols
{
    private const int SectionBytes = 64, SymbolBytes = 24, RelocationBytes = 24, DynamicBytes = 16;
    private const uint Relocations = 4, Dynamic = 6, DynamicSymbols = 11;
    private const int Needed = 1;

    private readonly byte[] symbols;
    private readonly byte[] strings;
    private readonly HashSet<int> used;

    private ElfSymbols(byte[] symbols, byte[] strings, HashSet<int> used, IReadOnlyList<string> libraries)
    {
        this.symbols = symbols;
        this.strings = strings;
        this.used = used;
        Libraries = libraries;
    }

    /// <summary>File names of the libraries that it asks for (DT_NEEDED), in order.</summary>
    public IReadOnlyList<string> Libraries { get; }

    /// <exception cref="IOException">Not to be read.</exception>
    /// <exception cref="InvalidDataException">No such ELF file, or one without dynamic symbols.</exception>
    public static ElfSymbols Read(string path)
    {
        using FileStream file = File.OpenRead(path);
        byte[] header = Bytes(file, 0, 64);
        if (!header.AsSpan(0, 6).SequenceEqual((ReadOnlySpan<byte>)[0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            throw new InvalidDataException($"{path}: not a 64-bit little-endian ELF file");
        byte[] sections = Bytes(file, Int64(header, 0x28), UInt16(header, 0x3C) * SectionBytes);
        int at = Find(sections, DynamicSymbols) ?? throw new InvalidDataException($"{path}: no dynamic symbols");
        byte[] strings = Section(file, sections, Linked(sections, at));
        byte[] dynamic = Find(sections, Dynamic) is { } place ? Section(file, sections, place) : [];
        var libraries = new List<string>();
        for (int entry = 0; entry + DynamicBytes <= dynamic.Length; entry += DynamicBytes)
            if (Int64(dynamic, entry) == Needed) libraries.Add(Text(strings, (int)Int64(dynamic, entry + 8)));
        return new ElfSymbols(Section(file, sections, at), strings, Used(file, sections, at / SectionBytes), libraries);
    }

    /// <summary>
    /// Names that must be found elsewhere: those that a relocation uses. Weak ones may stay unfound; so may those without one, such as
    /// the name by which GCC 13 asks for a new libstdc++.
    /// </summary>
    public HashSet<string> Imports()
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (int at in Global())
            if (UInt16(symbols, at + 6) == 0 && symbols[at + 4] >> 4 != 2 && used.Contains(at / SymbolBytes)) names.Add(Text(strings, Name(at)));
        return names;
    }

    /// <summary>Takes the names that it defines out of <paramref name="names"/>.</summary>
    public void RemoveExports(HashSet<string> names)
    {
        HashSet<string>.AlternateLookup<ReadOnlySpan<char>> byText = names.GetAlternateLookup<ReadOnlySpan<char>>();
        char[] text = new char[1024];
        foreach (int at in Global())
        {
            // Hidden and internal symbols are for the library's own use.
            if (UInt16(symbols, at + 6) == 0 || (symbols[at + 5] & 3) is 1 or 2) continue;
            ReadOnlySpan<byte> name = Characters(strings, Name(at));
            if (name.Length > text.Length) text = new char[2 * name.Length];
            byText.Remove(text.AsSpan(0, Encoding.Latin1.GetChars(name, text)));
        }
    }

    /// <summary>Where symbols that other libraries see begin: all but local ones.</summary>
    private IEnumerable<int> Global()
    {
        for (int at = SymbolBytes; at + SymbolBytes <= symbols.Length; at += SymbolBytes)
            if (symbols[at + 4] >> 4 != 0 && Name(at) > 0) yield return at;
    }

    /// <summary>Indices of symbols of that section which relocations name.</summary>
    private static HashSet<int> Used(FileStream file, byte[] sections, int symbolSection)
    {
        HashSet<int> used = [];
        for (int at = 0; at + SectionBytes <= sections.Length; at += SectionBytes)
        {
            if (Type(sections, at) != Relocations || Linked(sections, at) / SectionBytes != symbolSection) continue;
            byte[] entries = Section(file, sections, at);
            for (int entry = 0; entry + RelocationBytes <= entries.Length; entry += RelocationBytes) used.Add((int)(Int64(entries, entry + 8) >> 32));
        }
        return used;
    }

    private int Name(int symbol) => (int)BinaryPrimitives.ReadUInt32LittleEndian(symbols.AsSpan(symbol));

    private static int? Find(byte[] sections, uint type)
    {
        for (int at = 0; at + SectionBytes <= sections.Length; at += SectionBytes)
            if (Type(sections, at) == type) return at;
        return null;
    }

    private static uint Type(byte[] sections, int section) => BinaryPrimitives.ReadUInt32LittleEndian(sections.AsSpan(section + 4));

    private static int Linked(byte[] sections, int section) =>
        (int)BinaryPrimitives.ReadUInt32LittleEndian(sections.AsSpan(section + 40)) * SectionBytes;

    private static byte[] Section(FileStream file, byte[] sections, int at) =>
        Bytes(file, Int64(sections, at + 24), (int)Int64(sections, at + 32));

    private static byte[] Bytes(FileStream file, long offset, int count)
    {
        byte[] bytes = new byte[count];
        int read = 0;
        while (read < count && RandomAccess.Read(file.SafeFileHandle, bytes.AsSpan(read), offset + read) is > 0 and int more) read += more;
        return read == count ? bytes : throw new InvalidDataException($"{file.Name}: cut off at byte {offset + read}");
    }

    private static string Text(byte[] strings, int at) => Encoding.Latin1.GetString(Characters(strings, at));

    private static ReadOnlySpan<byte> Characters(byte[] strings, int at)
    {
        ReadOnlySpan<byte> tail = strings.AsSpan(at);
        return tail[..tail.IndexOf((byte)0)];
    }

    private static long Int64(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));

    private static ushort UInt16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(at));
}
