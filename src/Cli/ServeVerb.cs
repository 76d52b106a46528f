using ChemScale.Engine;
using ChemScale.Engine.Simulation.Ipi;
using ChemScale.Engine.Studies.Runs;
using CommandLine;

namespace ChemScale.Cli;

[Verb("serve", HelpText = "Energies, forces and virials for i-PI or ASE's SocketIOCalculator, over a socket of theirs; ends when they do.")]
[Example("chemscale serve --run runs/painn --frame ethanol.xyz --unix ethanol", "For ASE's SocketIOCalculator(unixsocket=\"ethanol\").")]
[Example("chemscale serve --run runs/painn --frame box.xyz --host localhost --port 31415", "For i-PI over TCP.")]
internal sealed class ServeVerb : FrameVerb
{
    [Option("unix", HelpText = "NAME of a Unix domain socket /tmp/ipi_NAME, or a path with a slash.")]
    public string? Unix { get; set; }

    [Option("host", HelpText = "Where the server listens, over TCP (default localhost).")]
    public string? Host { get; set; }

    [Option("port", HelpText = "Default 31415, as ASE has it.")]
    public int? Port { get; set; }

    [Option("wait", Default = 30.0, HelpText = "Seconds to wait for the server to appear.")]
    public double Wait { get; set; }

    public override int Run(CancellationToken stop)
    {
        if (!(Wait >= 0 && Wait < 1e8)) throw new InputException("--wait", $"{Wait}", "seconds, 0 or more");
        if (Unix is not null && (Host is not null || Port is not null))
            throw new InputException("--unix", "given beside --host or --port", "one kind of socket");
        IpiAddress address = Unix is not null ? IpiAddress.Unix(Unix) : IpiAddress.Tcp(Host ?? "localhost", Port ?? IpiAddress.DefaultPort);
        using TrainedPotential trained = Open();
        IpiSession session = IpiSession.Run(address, trained.Potential, trained.Frame, TimeSpan.FromSeconds(Wait), stop);
        if (Json)
        {
            Output.Json(session);
            return 0;
        }
        string end = session.End == IpiEnd.Exit ? "said EXIT" : "closed the connection";
        Console.WriteLine($"{session.Server}: {session.Evaluations} evaluations in {session.Seconds:F1} s; the server {end}");
        return 0;
    }
}
