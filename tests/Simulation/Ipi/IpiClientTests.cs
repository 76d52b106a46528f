using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Simulation.Ipi;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation.Ipi;

/// <summary>The client against a server in this process, over real sockets.</summary>
public sealed class IpiClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly Frame Crystal = LennardJones.Crystal(2, skew: 0.7), Cluster = LennardJones.Cluster(5);

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [TestCase(true, false), TestCase(true, true), TestCase(false, false), TestCase(false, true)]
    public void Energies_forces_and_virials_cross_either_kind_of_socket_whole(bool unix, bool trickles)
    {
        using FakeServer server = Server(unix, trickles);
        Task<IpiSession> client = Client(server, Crystal);
        // Another cell than the template's: the server's counts.
        double[] cell = [.. Crystal.Cell!.Select(x => 1.02 * x)];
        for (int round = 0; round < 3; round++)
        {
            double[] positions = [.. Crystal.Positions.Select((x, i) => 1.02 * x + 0.01 * Math.Sin(i + round))];
            (double energy, double[] forces, double[] virial, string extra) = server.Calculate(cell, positions);
            FramePrediction expected = LennardJones.Argon.Evaluate(Crystal with { Cell = cell, Positions = positions }, stress: true);
            double volume = Math.Abs(CellGeometry.Determinant(cell));
            Assert.Multiple(() =>
            {
                Expect.Close(energy, expected.Energy, absolute: 1e-11);
                Expect.Close(forces, expected.Forces, absolute: 1e-11);
                Expect.Close(virial, expected.Stress!.Select(s => -volume * s), absolute: 1e-10);
                Assert.That(extra, Is.EqualTo("\0"));
            });
        }
        server.Send("EXIT");
        Assert.That(client.Result.End, Is.EqualTo(IpiEnd.Exit));
        Assert.That(client.Result.Evaluations, Is.EqualTo(3));
    }

    [Test]
    public void A_server_that_sends_all_atoms_to_one_place_is_refused_before_lists_fill_the_memory()
    {
        using FakeServer server = Server(true);
        Task<IpiSession> client = Client(server, Crystal);
        // A cell in the wrong unit.
        server.SendPositions([.. Crystal.Cell!.Select(x => 1e-3 * x)], [.. Crystal.Positions.Select(x => 1e-3 * x)]);
        Assert.That(() => client.GetAwaiter().GetResult(), Refused.With("POSDATA", "neighbours an atom"));
    }

    /// <summary>i-PI's virial is minus the derivative of the energy by strain; a skew cell shows a transposition.</summary>
    [Test]
    public void The_virial_is_minus_the_derivative_of_the_energy_by_strain()
    {
        const double Step = 1e-5;
        using FakeServer server = Server(true);
        Task<IpiSession> client = Client(server, Crystal);
        double[] virial = server.Calculate(Crystal.Cell!, Crystal.Positions).Virial;
        Expect.Above(virial.Max(Math.Abs), 0.1);
        for (int a = 0; a < 3; a++)
        {
            for (int b = 0; b < 3; b++)
            {
                double slope = (Strained(a, b, Step) - Strained(a, b, -Step)) / (2 * Step);
                Expect.Close(virial[3 * a + b], -slope, absolute: 1e-6, message: $"{a}{b}");
            }
        }
        server.Close();
        Assert.That(client.Result.End, Is.EqualTo(IpiEnd.Closed));

        double Strained(int a, int b, double strain) =>
            server.Calculate(Strain(Crystal.Cell!, a, b, strain), Strain(Crystal.Positions, a, b, strain)).Energy;
    }

    [Test]
    public void Without_periodicity_the_cell_is_left_aside_and_the_virial_is_zero()
    {
        using FakeServer server = Server(true);
        Task<IpiSession> client = Client(server, Cluster);
        (double energy, _, double[] virial, _) = server.Calculate(new double[9], Cluster.Positions);
        Expect.Close(energy, LennardJones.Argon.Evaluate(Cluster).Energy, absolute: 1e-12);
        Assert.That(virial, Is.All.EqualTo(0));
        server.Send("");
        Assert.That(client.Result.End, Is.EqualTo(IpiEnd.Closed));
    }

    [Test]
    public void The_status_goes_from_ready_to_data_to_the_next_initialisation()
    {
        using FakeServer server = Server(false);
        Task<IpiSession> client = Client(server, Cluster);
        Assert.That(server.Status(), Is.EqualTo("READY"));
        server.SendInit();
        Assert.That(server.Status(), Is.EqualTo("READY"));
        server.SendPositions(new double[9], Cluster.Positions);
        Assert.That(server.Status(), Is.EqualTo("HAVEDATA"));
        server.GetForces();
        Assert.That(server.Status(), Is.EqualTo("NEEDINIT"));
        server.SendInit();
        Assert.That(server.Status(), Is.EqualTo("READY"));
        // Some servers skip the initialisation, and it is not missed.
        server.SendPositions(new double[9], Cluster.Positions);
        server.GetForces();
        server.SendPositions(new double[9], Cluster.Positions);
        server.GetForces();
        server.Send("EXIT");
        Assert.That(client.Result.Evaluations, Is.EqualTo(3));
    }

    [Test]
    public void Another_number_of_atoms_is_refused()
    {
        InputException e = Ends<InputException>(Cluster, server => server.SendPositions(new double[9], new double[12]));
        Assert.That(e.Message, Does.Contain("5 atoms").And.Contain("4, as the server sends"));
    }

    [Test]
    public void Atoms_at_one_point_are_refused() =>
        Assert.That(Ends<InputException>(Cluster, server => server.SendPositions(new double[9], new double[15])).Message,
            Does.Contain("at one point"));

    [Test]
    public void A_cell_without_volume_is_refused() =>
        Assert.That(Ends<InputException>(Crystal, server => server.SendPositions(new double[9], Crystal.Positions)).Message,
            Does.Contain("volume"));

    [Test]
    public void A_server_that_closes_within_a_message_is_told_from_one_that_is_through()
    {
        Assert.That(Ends<IpiProtocolException>(Cluster, server =>
        {
            server.Send("POSDATA");
            server.Send(1.0, 2.0);
            server.Close();
        }).Message, Does.Contain("POSDATA"));
        Assert.That(Ends<IpiProtocolException>(Cluster, server =>
        {
            server.Send("STA"u8.ToArray());
            server.Close();
        }).Message, Does.Contain("header"));
    }

    [Test]
    public void What_is_no_message_is_an_error()
    {
        Assert.That(Ends<IpiProtocolException>(Cluster, server => server.Send("HELLO")).Message, Does.Contain("HELLO"));
        Assert.That(Ends<IpiProtocolException>(Cluster, server => server.Send("GETFORCE")).Message, Does.Contain("before POSDATA"));
        Assert.That(Ends<IpiProtocolException>(Cluster, server =>
        {
            server.Send("INIT");
            server.Send(0, -1);
        }).Message, Does.Contain("INIT"));
    }

    [Test]
    public void Numbers_that_are_none_are_not_sent()
    {
        using FakeServer server = Server(true);
        Task<IpiSession> client = Client(server, Cluster, new Nowhere());
        server.SendPositions(new double[9], Cluster.Positions);
        Assert.That(() => client.GetAwaiter().GetResult(), Throws.TypeOf<IpiProtocolException>().With.Message.Contains("evaluation 1"));
    }

    [Test]
    public void A_server_may_appear_later()
    {
        string path = folder["late"];
        Task<IpiSession> client = Task.Run(() => IpiSession.Run(IpiAddress.Unix(path), LennardJones.Argon, Cluster, Patience));
        Thread.Sleep(200);
        using var server = new FakeServer(path);
        server.Accept();
        Assert.That(server.Status(), Is.EqualTo("READY"));
        server.Send("EXIT");
        Assert.That(client.Result.Evaluations, Is.Zero);
    }

    [Test]
    public void A_server_that_is_not_there_is_refused()
    {
        Assert.That(() => IpiSession.Run(IpiAddress.Unix(folder["nobody"]), LennardJones.Argon, Cluster, TimeSpan.Zero),
            Throws.TypeOf<InputException>().With.Message.Contains("nobody"));
        Assert.That(() => IpiSession.Run(IpiAddress.Unix("/" + new string('x', 300)), LennardJones.Argon, Cluster, TimeSpan.Zero),
            Throws.TypeOf<InputException>().With.Message.Contains("too long"));
        Assert.That(() => IpiAddress.Tcp("localhost", 0), Throws.TypeOf<InputException>());
        Assert.That(IpiAddress.Unix("water").ToString(), Is.EqualTo("/tmp/ipi_water"));
    }

    [TestCase(true), TestCase(false)]
    public void A_stop_ends_a_session_that_waits(bool connected)
    {
        using FakeServer server = Server(true);
        using var stop = new CancellationTokenSource();
        IpiAddress address = connected ? server.Address : IpiAddress.Unix(folder["nobody"]);
        Task client = Task.Run(() => IpiSession.Run(address, LennardJones.Argon, Cluster, Patience, stop.Token));
        if (connected)
        {
            server.Accept();
            Assert.That(server.Status(), Is.EqualTo("READY"));
        }
        stop.Cancel();
        Assert.That(() => client.GetAwaiter().GetResult(), Throws.InstanceOf<OperationCanceledException>());
    }

    private FakeServer Server(bool unix, bool trickles = false) => new(unix ? folder["socket"] : null) { Trickles = trickles };

    private static Task<IpiSession> Client(FakeServer server, Frame template, IPotential? potential = null)
    {
        Task<IpiSession> client = Task.Run(() => IpiSession.Run(server.Address, potential ?? LennardJones.Argon, template, Patience));
        server.Accept();
        return client;
    }

    private T Ends<T>(Frame template, Action<FakeServer> talk) where T : Exception
    {
        using FakeServer server = Server(true);
        Task<IpiSession> client = Client(server, template);
        talk(server);
        return Assert.Throws<T>(() => client.GetAwaiter().GetResult())!;
    }

    private static double[] Strain(double[] vectors, int a, int b, double strain) =>
        [.. vectors.Select((x, i) => i % 3 == b ? x + strain * vectors[i - b + a] : x)];

    private sealed class Nowhere : IPotential
    {
        public FramePrediction Evaluate(Frame frame, bool stress = false) => new(double.NaN, new double[3 * frame.Atoms], null);
    }
}
