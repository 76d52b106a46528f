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
