using System.Runtime.InteropServices;
using System.Text;

namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>
/// Messages of the i-PI protocol over a stream: a header of 12 characters, padded with blanks, then numbers in this machine's byte order.
/// A stream may give less than was asked for at a time; what is missing is waited for.
/// </summary>
/// <param name="stream">Stays the caller's.</param>
public sealed class IpiConnection(Stream stream)
{
    private const int HeaderLength = 12;

    /// <summary>The next header without its padding; null where the other side has closed the connection.</summary>
    /// <exception cref="IpiProtocolException">Closed within the header.</exception>
    public string? ReadHeader()
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        int read = ReadUpTo(header);
        if (read == 0) return null;
        if (read < HeaderLength) throw Broken("a header");
        return Encoding.ASCII.GetString(header).Trim(' ', '\0');
    }

    /// <param name="buffer">Filled.</param>
    /// <param name="message">Which is being read, for the complaint.</param>
    /// <exception cref="IpiProtocolException">Closed before all was there.</exception>
    public void Read(Span<byte> buffer, string message)
    {
        if (ReadUpTo(buffer) < buffer.Length) throw Broken(message);
    }

    /// <inheritdoc cref="Read"/>
    public int ReadInt32(string message)
    {
        int value = 0;
        Read(MemoryMarshal.AsBytes(new Span<int>(ref value)), message);
        return value;
    }

    /// <inheritdoc cref="Read"/>
    public double[] ReadDoubles(int count, string message)
    {
        double[] values = new double[count];
        Read(MemoryMarshal.AsBytes(values.AsSpan()), message);
        return values;
    }

    /// <summary>Sends a header, and what belongs to it, in one piece: small packets of their own would wait for each other.</summary>
    /// <returns>False where the other side has closed the connection.</returns>
    public bool Send(string header, ReadOnlySpan<byte> body = default)
    {
        byte[] message = new byte[HeaderLength + body.Length];
        Encoding.ASCII.GetBytes(header.PadRight(HeaderLength), message);
        body.CopyTo(message.AsSpan(HeaderLength));
        try
        {
            stream.Write(message);
            stream.Flush();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private int ReadUpTo(Span<byte> buffer)
    {
        int read = 0;
        try
        {
            while (read < buffer.Length && stream.Read(buffer[read..]) is > 0 and var more) read += more;
        }
        catch (IOException)
        {
            // A reset is a close by a process that died.
        }
        return read;
    }

    private static IpiProtocolException Broken(string message) => new($"the i-PI server closed the connection in the middle of {message}");
}
