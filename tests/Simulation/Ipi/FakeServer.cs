using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Simulation.Ipi;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation.Ipi;

/// <summary>What an i-PI server sends back and forth, in atomic units and byte by byte where asked to.</summary>
internal sealed class FakeServer : IDisposable
{
    private readonly string? path;
    private readonly Socket listener;
    private Socket? client;

    /// <param name="path">Of a Unix domain socket; null: TCP.</param>
    public FakeServer(string? path)
    {
        this.path = path;
        listener = path is null ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
            : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(path is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path));
        listener.Listen(1);
    }

    public IpiAddress Address => path is not null ? IpiAddress.Unix(path)
        : IpiAddress.Tcp("localhost", ((IPEndPoint)listener.LocalEndPoint!).Port);

    /// <summary>Sends bytes one at a time.</summary>
    public bool Trickles { get; init; }

    public void Accept()
    {
        client = listener.Accept();
        client.ReceiveTimeout = 20_000;
        if (path is null) client.NoDelay = true;
    }

    public void Send(string header) => Send(Encoding.ASCII.GetBytes(header.PadRight(12)));

    public void Send<T>(params T[] numbers) where T : unmanaged
    {
        byte[] bytes = MemoryMarshal.AsBytes(numbers.AsSpan()).ToArray();
        if (!Trickles)
        {
            client!.Send(bytes);
            return;
        }
        foreach (byte b in bytes) client!.Send([b]);
    }

    public string Receive() => Encoding.ASCII.GetString(Bytes(12)).TrimEnd();

    public string Status()
    {
        Send("STATUS");
        return Receive();
    }

    public void SendInit()
    {
        Send("INIT");
        Send(3, 5);
        Send("hello"u8.ToArray());
    }

    /// <param name="cell">(3, 3) A, rows are lattice vectors.</param>
    /// <param name="positions">(atoms, 3) A.</param>
    public void SendPositions(double[] cell, double[] positions)
    {
        // In one piece, since the client may hang up at the number of atoms. The inverse cell is nobody's business.
        double[] cells = [.. Transposed(cell, 1 / IpiUnits.Bohr), .. Enumerable.Repeat(double.NaN, 9)];
        double[] places = [.. positions.Select(x => x / IpiUnits.Bohr)];
        byte[] message =
        [
            .. Encoding.ASCII.GetBytes("POSDATA".PadRight(12)), .. MemoryMarshal.AsBytes(cells.AsSpan()),
            .. BitConverter.GetBytes(positions.Length / 3), .. MemoryMarshal.AsBytes(places.AsSpan()),
        ];
        Send(message);
    }

    /// <summary>In eV, eV/A and eV.</summary>
    public (double Energy, double[] Forces, double[] Virial, string Extra) GetForces()
    {
        Send("GETFORCE");
        Assert.That(Receive(), Is.EqualTo("FORCEREADY"));
        double energy = Doubles(1)[0] * IpiUnits.Hartree;
        double[] forces = [.. Doubles(3 * Int()).Select(x => x * IpiUnits.Hartree / IpiUnits.Bohr)];
        double[] virial = Transposed(Doubles(9), IpiUnits.Hartree);
        return (energy, forces, virial, Encoding.UTF8.GetString(Bytes(Int())));
    }

    /// <summary>One evaluation, as ASE and i-PI do it.</summary>
    public (double Energy, double[] Forces, double[] Virial, string Extra) Calculate(double[] cell, double[] positions)
    {
        if (Status() == "NEEDINIT") SendInit();
        Assert.That(Status(), Is.EqualTo("READY"));
        SendPositions(cell, positions);
        Assert.That(Status(), Is.EqualTo("HAVEDATA"));
        return GetForces();
    }

    public void Close() => client!.Dispose();

    public void Dispose()
    {
        client?.Dispose();
        listener.Dispose();
        if (path is not null) File.Delete(path);
    }

    private static double[] Transposed(double[] m, double factor) => [.. Enumerable.Range(0, 9).Select(i => factor * m[i % 3 * 3 + i / 3])];

    private int Int() => BitConverter.ToInt32(Bytes(4));

    private double[] Doubles(int count) => MemoryMarshal.Cast<byte, double>(Bytes(8 * count)).ToArray();

    private byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int read = 0; read < count;)
        {
            int more = client!.Receive(bytes.AsSpan(read));
            if (more == 0) throw new EndOfStreamException("the client closed the connection");
            read += more;
        }
        return bytes;
    }
}
