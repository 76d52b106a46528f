using System.Runtime.InteropServices;
using System.Text;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Neighbors;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>
/// The force side of the i-PI protocol (Ceriotti, More, Manolopoulos, Comput. Phys. Commun. 185, 1019 (2014)), as i-PI and ASE's
/// SocketIOCalculator speak it. STATUS is answered with READY, then HAVEDATA once a POSDATA is evaluated, then NEEDINIT once GETFORCE
/// has fetched the answer. Positions come in bohr, the cell transposed and followed by its inverse, which is not used. Back go the
/// energy in Hartree, forces in Hartree/bohr, the virial -V x stress in Hartree, transposed, and no extra text.
/// </summary>
internal sealed class IpiClient
{
    // What a server may say beside INIT; more is taken for a stream that is out of step.
    private const int LongestInit = 1 << 20;

    private readonly IPotential potential;
    private readonly Frame template;
    private readonly IpiConnection connection;
    private FramePrediction? answer;
    private double volume;
    private bool fetched;

    /// <param name="potential">Answers.</param>
    /// <param name="template">
    /// Elements, charge and which directions repeat: none of which the protocol has. Its positions and cell are replaced by what
    /// comes; where nothing repeats, the cell that comes is left aside and the virial is zero.
    /// </param>
    /// <param name="connection">To the server.</param>
    public IpiClient(IPotential potential, Frame template, IpiConnection connection)
    {
        this.potential = potential;
        this.template = template;
        this.connection = connection;
    }

    /// <summary>Frames evaluated.</summary>
    public long Evaluations { get; private set; }

    private string Status => answer is not null ? "HAVEDATA" : fetched ? "NEEDINIT" : "READY";

    /// <summary>Answers until the server is through.</summary>
    /// <exception cref="InputException">Another number of atoms than the template's, or a frame that the potential refuses.</exception>
    /// <exception cref="IpiProtocolException">The server does not keep to the protocol.</exception>
    public IpiEnd Run()
    {
        while (true)
        {
            switch (connection.ReadHeader())
            {
                case null or "":
                    return IpiEnd.Closed;
                case "EXIT":
                    return IpiEnd.Exit;
                case "STATUS":
                    if (!connection.Send(Status)) return IpiEnd.Closed;
                    break;
                case "INIT":
                    Initialise();
                    break;
                case "POSDATA":
                    Evaluate();
                    break;
                case "GETFORCE":
                    if (!Answer()) return IpiEnd.Closed;
                    break;
                case var other:
                    throw new IpiProtocolException($"the i-PI server sent '{other}'; expected STATUS, INIT, POSDATA, GETFORCE or EXIT");
            }
        }
    }

    /// <summary>Which replica it is, and a text: neither matters to a force field.</summary>
    private void Initialise()
    {
        _ = connection.ReadInt32("INIT");
        int length = connection.ReadInt32("INIT");
        if (length is < 0 or > LongestInit) throw new IpiProtocolException($"the i-PI server sent INIT with {length} bytes");
        connection.Read(new byte[length], "INIT");
        fetched = false;
    }

    private void Evaluate()
    {
        double[] cell = connection.ReadDoubles(9, "POSDATA");
        _ = connection.ReadDoubles(9, "POSDATA");
        int atoms = connection.ReadInt32("POSDATA");
        if (atoms != template.Atoms)
        {
            throw new InputException(
                template.Place, $"{template.Atoms} atoms", $"{atoms}, as the server sends", "give serve the frame the server works on");
        }
        double[] positions = connection.ReadDoubles(3 * atoms, "POSDATA");
        for (int i = 0; i < positions.Length; i++) positions[i] *= IpiUnits.Bohr;
        Frame frame = template with { Positions = positions, Place = "POSDATA" };
        if (template.IsPeriodic) frame = frame with { Cell = [.. Transposed(cell).Select(x => x * IpiUnits.Bohr)] };
        // A server that thinks in another unit sends all atoms to one place.
        NeighborBudget.Check(frame);
        FramePrediction prediction = potential.Evaluate(frame, stress: template.IsPeriodic);
        double[] numbers = [prediction.Energy, .. prediction.Forces, .. prediction.Stress ?? []];
        if (!numbers.All(double.IsFinite))
        {
            throw new IpiProtocolException(
                $"evaluation {Evaluations + 1} gave an energy of {prediction.Energy} eV, or forces or a stress that are no numbers");
        }
        (answer, volume) = (prediction, frame.Volume);
        Evaluations++;
    }

    private bool Answer()
    {
        if (answer is null) throw new IpiProtocolException("the i-PI server sent GETFORCE before POSDATA");
        // ASE takes exactly one byte for an extra, and none at all is told from a closed socket by few: the one that its own client sends.
        ReadOnlySpan<byte> extra = "\0"u8;
        double[] virial = answer.Stress is { } stress ? [.. Transposed(stress).Select(x => -volume * x / IpiUnits.Hartree)] : new double[9];
        double[] forces = [.. answer.Forces.Select(x => x * (IpiUnits.Bohr / IpiUnits.Hartree))];
        using var body = new MemoryStream();
        body.Write(MemoryMarshal.AsBytes<double>([answer.Energy / IpiUnits.Hartree]));
        body.Write(MemoryMarshal.AsBytes<int>([template.Atoms]));
        body.Write(MemoryMarshal.AsBytes(forces.AsSpan()));
        body.Write(MemoryMarshal.AsBytes(virial.AsSpan()));
        body.Write(MemoryMarshal.AsBytes<int>([extra.Length]));
        body.Write(extra);
        (answer, fetched) = (null, true);
        return connection.Send("FORCEREADY", body.GetBuffer().AsSpan(0, (int)body.Length));
    }

    private static double[] Transposed(double[] m) => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

/// <summary>
/// Messages of the i-PI protocol over a stream: a header of 12 characters, padded with blanks, then numbers in this machine's byte order.
/// A stream may give less than was asked for at a time; what is missing is waited for.
/// </summary>
/// <param name="stream">Stays the caller's.</param>
internal sealed class IpiConnection(Stream stream)
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

/// <summary>
/// The protocol speaks atomic units. These are ASE's, which it derives from CODATA 2014 (they differ from that year's recommended values in
/// the tenth digit), so that a number leaves ASE in Angstrom and comes here as the same one.
/// </summary>
internal static class IpiUnits
{
    /// <summary>Angstrom.</summary>
    public const double Bohr = 0.5291772105638411;

    /// <summary>eV.</summary>
    public const double Hartree = 27.211386024367243;
}

/// <summary>The other side did not keep to the protocol, or went away in the middle of a message.</summary>
internal sealed class IpiProtocolException(string message) : Exception(message);

/// <summary>How a session with a server ended.</summary>
public enum IpiEnd
{
    /// <summary>The server said EXIT.</summary>
    Exit,

    /// <summary>The server closed the connection between two messages, as ASE does.</summary>
    Closed,
}
