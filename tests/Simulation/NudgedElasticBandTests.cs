using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Simulation;
using NUnit.Framework;

namespace ChemScale.Tests.Simulation;

public sealed class NudgedElasticBandTests
{
    private static readonly MullerBrown Surface = new();

    // Minima and the highest saddle point between them, of the literature (Muller and Brown, Theor. Chim. Acta 53, 75 (1979)), in its units times 0.01.
    private static readonly Frame Left = At(-0.558224, 1.441726), Right = At(0.623499, 0.028038);

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void The_climbing_image_ends_at_the_saddle_point_of_a_known_surface()
    {
        PathSummary summary = NudgedElasticBand.Run(Surface, Left, Right, new PathOptions { Images = 9, MaximumForce = 1e-3, Steps = 3000 }, new SimulationFolder(folder["neb"]));
        Assert.That(summary.End, Is.EqualTo(SimulationEnd.Converged), $"{summary.MaximumForce}");
        Expect.Close(summary.Energies[summary.Highest], -0.4066484, absolute: 1e-5);
        Expect.Close(summary.Barrier, -0.4066484 + 1.4669952, absolute: 1e-5);
        Expect.Close(summary.ReverseBarrier, -0.4066484 + 1.0816725, absolute: 1e-5);
        Assert.That(summary.Climbed);
        Assert.That(summary.Warnings, Is.Empty);
        Frame[] path = [.. FrameFiles.Read(Path.Combine(folder["neb"], SimulationFolder.PathFrames))];
        Assert.That(path, Has.Length.EqualTo(11));
        Expect.Close(path[summary.Highest].Positions, [-0.822002, 0.624313, 0], absolute: 2e-3);
        Assert.That(path.Select(f => f.Energy), Is.EqualTo(summary.Energies));
        Expect.Ascending(summary.Distances);
        Assert.That(File.ReadAllLines(Path.Combine(folder["neb"], SimulationFolder.PathTable)), Has.Length.EqualTo(12));
    }

    [Test]
    public void Without_climbing_no_image_is_above_the_saddle_point()
    {
        PathSummary summary = NudgedElasticBand.Run(
            Surface, Left, Right, new PathOptions { Images = 8, MaximumForce = 5e-3, Climb = false, Steps = 3000 }, new SimulationFolder(folder["neb"]));
        Assert.That(summary.Climbed, Is.False);
        Expect.Below(summary.Energies.Max(), -0.4066484);
        Expect.Above(summary.Energies.Max(), -0.6);
    }

    [Test]
    public void Ends_that_do_not_fit_together_are_refused()
    {
        Frame crystal = LennardJones.Crystal(2);
        Refused("2 atoms", Left, Left with { AtomicNumbers = [1, 1], Positions = new double[6] });
        Refused("another order", Left with { AtomicNumbers = [1, 6], Positions = new double[6] }, Left with { AtomicNumbers = [6, 1], Positions = new double[6] });
        Refused("other elements", Left, Right with { AtomicNumbers = [2] });
        Refused("another cell", crystal, crystal with { Cell = [.. crystal.Cell!.Select(x => 1.1 * x)] });
        Refused("another charge", Left, Right with { Charge = 1 });
        Refused("fixed atom 0 elsewhere", Left with { Fixed = [true] }, Right);
        Assert.That(() => new PathOptions { Images = 0 }.Validate(), Throws.TypeOf<InputException>());
        NudgedElasticBand.Run(Surface, Left, Right, new PathOptions { Steps = 1 }, new SimulationFolder(folder["there"]));
        Assert.That(() => new SimulationFolder(folder["there"]), Throws.TypeOf<InputException>());

        void Refused(string reason, Frame start, Frame end) => Assert.That(
            () => NudgedElasticBand.Run(Surface, start, end, new PathOptions(), new SimulationFolder(folder["out"])),
            Throws.TypeOf<InputException>().With.Message.Contains(reason));
    }

    [Test]
    public void Ends_that_are_no_minima_and_paths_without_a_barrier_are_doubted()
    {
        PathSummary summary = NudgedElasticBand.Run(
            Surface, Left, At(-0.45, 1.3), new PathOptions { Images = 3, Steps = 200, Climb = false }, new SimulationFolder(folder["out"]));
        Assert.That(summary.Warnings, Has.Some.Contains("relax both first").And.Some.Contains("no barrier"));
    }

    [Test]
    public void Atoms_go_the_short_way_round_a_cell()
    {
        Frame start = LennardJones.Crystal(2);
        Frame end = start with { Positions = [.. start.Positions.Select((x, i) => i < 3 ? x + start.Cell![i] : x)] };
        PathSummary summary = NudgedElasticBand.Run(LennardJones.Argon, start, end, new PathOptions { Images = 1, Steps = 1 }, new SimulationFolder(folder["out"]));
        Expect.AllClose(summary.Distances, 0, absolute: 1e-9);
    }

    private static Frame At(double x, double y) => new() { AtomicNumbers = [1], Positions = [x, y, 0] };

    private sealed class MullerBrown : IPotential
    {
        private static readonly double[] A = [-2, -1, -1.7, 0.15], X = [1, 0, -0.5, -1], Y = [0, 0.5, 1.5, 1];
        private static readonly double[] Xx = [-1, -1, -6.5, 0.7], Xy = [0, 0, 11, 0.6], Yy = [-10, -10, -6.5, 0.7];

        public FramePrediction Evaluate(Frame frame, bool stress = false)
        {
            double energy = 0, fx = 0, fy = 0;
            for (int k = 0; k < 4; k++)
            {
                double dx = frame.Positions[0] - X[k], dy = frame.Positions[1] - Y[k];
                double e = A[k] * Math.Exp(Xx[k] * dx * dx + Xy[k] * dx * dy + Yy[k] * dy * dy);
                energy += e;
                fx -= e * (2 * Xx[k] * dx + Xy[k] * dy);
                fy -= e * (Xy[k] * dx + 2 * Yy[k] * dy);
            }
            return new FramePrediction(energy, [fx, fy, 0], null);
        }
    }
}
