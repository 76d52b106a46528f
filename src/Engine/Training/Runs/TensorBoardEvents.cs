using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace ChemScale.Engine.Training.Runs;

/// <summary>
/// TensorBoard event files: TFRecord framing (length, masked CRC-32C of the length, data, masked CRC-32C of the data) around
/// protocol-buffer Event messages { 1: wall_time, 2: step, 3: file_version, 5: summary { 1: value { 1: tag, 2: simple_value } } }.
/// </summary>
internal static class TensorBoardEvents
{
    public const string FilePattern = "events.out.tfevents.*";

    private const int Fixed64 = 1;
    private const int Bytes = 2;
    private const int Fixed32 = 5;

    public static string FileName(DateTimeOffset now) => string.Create(CultureInfo.InvariantCulture,
        $"events.out.tfevents.{now.ToUnixTimeSeconds():D10}.{Environment.MachineName}.{Environment.ProcessId}.0");

    public static void WriteHeader(IBufferWriter<byte> output, DateTimeOffset now)
    {
        Span<byte> message = stackalloc byte[64];
        int n = WallTime(message, now);
        n += Text(message[n..], 3, "brain.Event:2");
        WriteRecord(output, message[..n]);
    }

    public static void WriteScalar(IBufferWriter<byte> output, DateTimeOffset now, long step, string tag, float value)
    {
        int tagBytes = Encoding.UTF8.GetByteCount(tag);
        Span<byte> scalar = new byte[tagBytes + 16];
        int s = Text(scalar, 1, tag);
        scalar[s++] = Key(2, Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(scalar[s..], value);
        s += 4;
        Span<byte> summary = new byte[s + 8];
        int m = Message(summary, 1, scalar[..s]);
        Span<byte> message = new byte[m + 32];
        int n = WallTime(message, now);
        message[n++] = Key(2, 0);
        n += Varint(message[n..], (ulong)step);
        n += Message(message[n..], 5, summary[..m]);
        WriteRecord(output, message[..n]);
    }

    /// <summary>CRC-32C (Castagnoli), rotated and offset so that a checksum of data that holds checksums stays useful.</summary>
    public static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data) crc = BitOperations.Crc32C(crc, b);
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xa282ead8u;
    }

    private static void WriteRecord(IBufferWriter<byte> output, ReadOnlySpan<byte> data)
    {
        Span<byte> record = output.GetSpan(data.Length + 16);
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], MaskedCrc(record[..8]));
        data.CopyTo(record[12..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record[(12 + data.Length)..], MaskedCrc(data));
        output.Advance(data.Length + 16);
    }

    private static int WallTime(Span<byte> output, DateTimeOffset now)
    {
        output[0] = Key(1, Fixed64);
        BinaryPrimitives.WriteDoubleLittleEndian(output[1..], (now - DateTimeOffset.UnixEpoch).TotalSeconds);
        return 9;
    }

    private static int Text(Span<byte> output, int field, string text) => Message(output, field, Encoding.UTF8.GetBytes(text));

    private static int Message(Span<byte> output, int field, ReadOnlySpan<byte> content)
    {
        output[0] = Key(field, Bytes);
        int n = 1 + Varint(output[1..], (ulong)content.Length);
        content.CopyTo(output[n..]);
        return n + content.Length;
    }

    private static int Varint(Span<byte> output, ulong value)
    {
        int n = 0;
        for (; value >= 0x80; value >>= 7) output[n++] = (byte)(value | 0x80);
        output[n++] = (byte)value;
        return n;
    }

    private static byte Key(int field, int wireType) => (byte)((field << 3) | wireType);
}
