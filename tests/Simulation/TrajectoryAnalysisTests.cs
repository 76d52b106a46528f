using System.Text.Json;
using System.Xml.Linq;
using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Simulation;
using ChemScale.Engine.Studies.Simulations;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class TrajectoryAnalysisTests
{
    private static readonly AnalysisOptions Options = new() { File = "test" };

    /// <summary>A face-centred lattice: 12 neighbours at a / sqrt 2, 6 at a, 24 at a sqrt 1.5.</summary>
    [Test]
    public void Shells_of_a_crystal_are_where_they_belong()
    {
        Frame crystal = LennardJones.Crystal(3, constant: 5.3, disorder: 0);
        RadialDistribution g = TrajectoryAnalysis.Of([crystal, crystal], Options with { Reach = 7, Bins = 700 }).RadialDistributions[0];
        Assert.That(g.IsNormalized);
        foreach ((double distance, double within) in ((double, double)[])[(5.3 / Math.Sqrt(2), 12), (5.3, 18), (5.3 * Math.Sqrt(1.5), 42)])
        {
            int bin = (int)(distance / 0.01);
            Expect.Close(g.Coordination[bin + 2], within, absolute: 1e-9);
            Expect.Above(g.Values[(bin - 1)..(bin + 2)].Max(), 5);
        }
    }

    [Test]
    public void Atoms_without_order_have_a_flat_distribution_of_each_pair()
    {
        var random = new Random(8);
        Frame[] frames = [.. Enumerable.Range(0, 8).Select(_ => LennardJones.Crystal(4) with
        {
            AtomicNumbers = [.. Enumerable.Range(0, 256).Select(i => i % 4 == 0 ? 1 : 8)],
            Positions = [.. Enumerable.Range(0, 768).Select(_ => 21.2 * random.NextDouble())],
        })];
        TrajectoryAnalysis a = TrajectoryAnalysis.Of(frames, Options with { Bins = 8 });
        Assert.That(a.RadialDistributions.Select(g => g.Name), Is.EqualTo(new[] { "all", "H-H", "H-O", "O-O" }));
        foreach (RadialDistribution g in a.RadialDistributions) Expect.AllClose(g.Values[2..], 1, absolute: 0.12, message: g.Name);
        Assert.That(a.Displacements.Select(d => d.Name), Is.EqualTo(new[] { "all", "H", "O" }));
        Assert.That(a.Velocities, Is.Empty);
    }

    [Test]
    public void A_random_walk_diffuses_as_Einstein_says()
    {
        const double Width = 0.3;
        var random = new CounterRandom(1, 1);
        double[] at = new double[300];
        List<Frame> frames = [];
        for (int step = 0; step < 400; step++)
        {
            frames.Add(new Frame { AtomicNumbers = [.. Enumerable.Repeat(18, 100)], Positions = [.. at.Select((x, i) => x + 5.0 * (i / 3))], TimeFs = 20 * step });
            for (int i = 0; i < at.Length; i++) at[i] += Width * random.NextNormal();
        }
        TimeCorrelation d = TrajectoryAnalysis.Of(frames, Options with { LongestLag = 0.1 }).Displacements[0];
        Expect.Close(d.Values[1], 3 * Width * Width, relative: 0.03);
        Expect.Close(d.Slope, 3 * Width * Width / 20, relative: 0.1);
        // Half of Width^2 a step of 20 fs, in cm^2/s.
        Expect.Close(d.Diffusion, Width * Width * 1e-16 / (2 * 20e-15), relative: 0.1);
    }

    [Test]
    public void An_oscillator_keeps_its_velocity_as_its_cosine()
    {
        const double Period = 40;
        Frame[] frames = [.. Enumerable.Range(0, 400).Select(t => new Frame
        {
            AtomicNumbers = [18, 18],
            Positions = [0, 0, 0, 4, 0, 0],
            Momenta = [Math.Sin(2 * Math.PI * t / Period), 0, 0, -Math.Sin(2 * Math.PI * t / Period), 0, 0],
            TimeFs = 2.5 * t,
        })];
        TimeCorrelation v = TrajectoryAnalysis.Of(frames, Options with { LongestLag = 0.25 }).Velocities[0];
        for (int lag = 0; lag < v.Values.Length; lag++) Expect.Close(v.Values[lag], Math.Cos(2 * Math.PI * lag / Period), absolute: 0.06);
        Expect.Close(v.TimesFs[10], 25, absolute: 1e-12);
    }

    [Test]
    public void A_simulation_becomes_a_page_with_its_numbers_beside_it()
    {
        using var folder = new TemporaryFolder();
        MolecularDynamics.Run(LennardJones.Argon, LennardJones.Crystal(2), new DynamicsOptions { Steps = 42, Every = 5, Ensemble = Ensemble.Npt, Timestep = 4, Temperature = 60 },
            new SimulationFolder(folder["run"]));
        TrajectoryAnalysis analysis = SimulationAnalysis.Run(folder["run"], Options);
        Assert.That(analysis.Frames, Is.EqualTo(9), "the last, between two periods, is left out");
        Assert.That(analysis.IntervalFs, Is.EqualTo(20));
        string page = File.ReadAllText(Path.Combine(folder["run"], SimulationAnalysis.PageName));
        Assert.That(XDocument.Parse(page).Descendants("figure").Count(), Is.EqualTo(8));
        foreach (string figure in (string[])["temperature", "total-energy", "pressure", "volume", "distances", "displacements", "velocities"])
            Expect.AtLeast(File.ReadAllLines(Path.Combine(folder["run"], "figures", figure + ".csv")).Length, 5);
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder["run"], SimulationAnalysis.FiguresName)));
        Assert.That(json.RootElement.GetProperty("velocities")[0].GetProperty("values")[0].GetDouble(), Is.EqualTo(1));
    }

    [Test]
    public void What_is_no_trajectory_is_refused()
    {
        using var folder = new TemporaryFolder();
        Frame a = new() { AtomicNumbers = [1], Positions = [0, 0, 0], TimeFs = 0 };
        Refused("two or more", [a]);
        Refused("other atoms", [a, a with { AtomicNumbers = [2], TimeFs = 1 }]);
        Refused("evenly spaced", [a, a with { TimeFs = 1 }, a with { TimeFs = 3 }, a with { TimeFs = 4 }]);
        Assert.That(() => (Options with { LongestLag = 0 }).Validate(), Throws.TypeOf<InputException>());
        Directory.CreateDirectory(folder["empty"]);
        Assert.That(() => SimulationAnalysis.Run(folder["empty"], Options), Throws.TypeOf<InputException>().With.Message.Contains("no trajectory.extxyz"));

        static void Refused(string reason, Frame[] frames) =>
            Assert.That(() => TrajectoryAnalysis.Of(frames, Options), Throws.TypeOf<InputException>().With.Message.Contains(reason));
    }
}
