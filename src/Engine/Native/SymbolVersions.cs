using System.Buffers.Binary;
using System.Text;

namespace ChemScale.Engine.Native;

/// <summary>Symbol-version requirements (SHT_GNU_verneed) of a 64-bit little-endian ELF shared object.</summary>
internal static class SymbolVersions
{
    private const uint SectionGnuVerneed = 0x6ffffffe;
    private const byte FlagWeak = 2;

    /// <summary>
    /// Marks one required version, e.g. GLIBCXX_3.4.32, as weak (VER_FLG_WEAK), so that the loader notes its absence instead of refusing
    /// the file. Right only where no relocation uses a symbol of that version, as in libLibTorchSharp 0.107.
    /// </summary>
    /// <returns>How many requirements were marked.</returns>
    public static int MakeWeak(byte[] elf, string version)
    {
        if (elf.Length < 64 || elf[0] != 0x7f || elf[1] != 'E' || elf[2] != 'L' || elf[3] != 'F' || elf[4] != 2 || elf[5] != 1)
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        long sections = Int64(elf, 0x28);
        int sectionSize = UInt16(elf, 0x3A), sectionCount = UInt16(elf, 0x3C);
        int marked = 0;
        for (int i = 0; i < sectionCount; i++)
        {
            long header = sections + (long)i * sectionSize;
            if (UInt32(elf, header + 4) != SectionGnuVerneed) continue;
            long strings = Int64(elf, sections + UInt32(elf, header + 40) * sectionSize + 24);
            long need = Int64(elf, header + 24);
            for (uint k = UInt32(elf, header + 44); k > 0; k--)
            {
                long entry = need + UInt32(elf, need + 8);
                for (int j = UInt16(elf, need + 2); j > 0; j--)
                {
                    if (Text(elf, strings + UInt32(elf, entry + 8)) == version)
                    {
                        elf[entry + 4] |= FlagWeak;
                        marked++;
                    }
                    entry += UInt32(elf, entry + 12);
                }
                need += UInt32(elf, need + 12);
            }
        }
        return marked;
    }

    private static long Int64(byte[] elf, long at) => BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan((int)at));

    private static uint UInt32(byte[] elf, long at) => BinaryPrimitives.ReadUInt32LittleEndian(elf.AsSpan((int)at));

    private static ushort UInt16(byte[] elf, long at) => BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan((int)at));

    private static string Text(byte[] elf, long at)
    {
        ReadOnlySpan<byte> tail = elf.AsSpan((int)at);
        return Encoding.ASCII.GetString(tail[..tail.IndexOf((byte)0)]);
    }
}
