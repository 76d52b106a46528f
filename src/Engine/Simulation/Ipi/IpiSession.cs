using System.Diagnostics;
using System.Net.Sockets;
using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>What a session with a server came to.</summary>
/// <param name="Server">Address.</param>
/// <param name="End">How it ended.</param>
/// <param name="Evaluations">Frames evaluated.</param>
/// <param name="Seconds">From the connection to its end.</param>
public sealed record IpiSession(string Server, IpiEnd End, long Evaluations, double Seconds)
{
    /// <summary>Connects to a server and answers it until it is through.</summary>
    /// <param name="address">Where it listens, or will.</param>
    /// <param name="potential">Answers.</param>
    /// <param name="template">As <see cref="IpiClient"/> has it.</param>
    /// <param name="patience">How long to wait for the server to appear.</param>
    /// <param name="stop">Ends the session at once.</param>
    /// <exception cref="InputException">No server, or a frame that will not do.</exception>
    /// <exception cref="IpiProtocolException">The server does not keep to the protocol.</exception>
    public static IpiSession Run(
        IpiAddress address, IPotential potential, Frame template, TimeSpan patience, CancellationToken stop = default)
    {
        using Socket socket = address.Connect(patience, stop);
        // A read that waits for the server ends with its socket.
        using CancellationTokenRegistration end = stop.Register(socket.Dispose);
        long started = Stopwatch.GetTimestamp();
        try
        {
            using var stream = new NetworkStream(socket);
            var client = new IpiClient(potential, template, new IpiConnection(stream));
            IpiEnd how = client.Run();
            stop.ThrowIfCancellationRequested();
            return new IpiSession(address.ToString(), how, client.Evaluations, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        catch (Exception e) when (e is ObjectDisposedException or IOException or IpiProtocolException && stop.IsCancellationRequested)
        {
            throw new OperationCanceledException(stop);
        }
    }
}

/// <summary>Where a server listens: a Unix domain socket, or a host and port.</summary>
public sealed record IpiAddress
{
    /// <summary>ASE's own.</summary>
    public const int DefaultPort = 31415;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly string host;
    private readonly int port;

    private IpiAddress(string host, int port) => (this.host, this.port) = (host, port);

    /// <param name="name">i-PI and ASE put their sockets at /tmp/ipi_NAME; a name with a slash is a path.</param>
    public static IpiAddress Unix(string name) => new(name.Contains('/') ? name : $"/tmp/ipi_{name}", 0);

    /// <exception cref="InputException">No port.</exception>
    public static IpiAddress Tcp(string host, int port) => port is > 0 and <= 65535 ? new(host, port)
        : throw new InputException("port", $"{port}", "1 to 65535");

    public override string ToString() => port == 0 ? host : $"{host}:{port}";

    /// <summary>Connects, trying again while nobody listens.</summary>
    /// <param name="patience">How long to try.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The caller's to dispose of.</returns>
    /// <exception cref="InputException">Nobody there in time.</exception>
    public Socket Connect(TimeSpan patience, CancellationToken stop)
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return Connect();
            }
            catch (SocketException e)
            {
                if (Stopwatch.GetElapsedTime(started) + Pause > patience)
                {
                    throw new InputException(
                        ToString(), $"no i-PI server ({e.Message.TrimEnd('.')})", $"one within {patience.TotalSeconds:G4} s",
                        "start the server, or `wait` longer");
                }
            }
            if (stop.WaitHandle.WaitOne(Pause)) throw new OperationCanceledException(stop);
        }
    }

    private Socket Connect()
    {
        Socket socket = port == 0
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            // Short questions and short answers, in turn.
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (port == 0) socket.Connect(UnixEndPoint());
            else socket.Connect(host, port);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private UnixDomainSocketEndPoint UnixEndPoint()
    {
        try
        {
            return new UnixDomainSocketEndPoint(host);
        }
        catch (ArgumentException)
        {
            throw new InputException(host, "too long for the name of a socket", "about 100 characters at most");
        }
    }
}
