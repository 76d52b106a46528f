using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Embedded;

public sealed class EmbeddedFramesTests
{
    private const double MostBytes = 3e6;

    private TemporaryFolder folder = null!;
    private Dictionary<string, Frame[]> frames = null!;

    [OneTimeSetUp]
    public void Extract()
    {
        folder = new TemporaryFolder();
        IReadOnlyList<string> paths = EmbeddedFrames.ExtractTo(folder["frames"]);
        frames = EmbeddedFrames.Molecules.Zip(paths).ToDictionary(pair => pair.First, pair => FrameFiles.Read(pair.Second).ToArray());
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Ten_molecules_of_five_hundred_frames_fit_in_three_megabytes()
    {
        Assert.That(frames, Has.Count.EqualTo(10));
        Assert.That(frames.Values.Select(f => f.Length), Is.All.EqualTo(EmbeddedFrames.FramesPerMolecule));
        Expect.Below(EmbeddedFrames.Bytes, MostBytes);
        Assert.That(Directory.GetFiles(folder["frames"]), Has.Length.EqualTo(11), "nothing but the files and their checksums is left");
        Assert.That(EmbeddedFrames.Description, Does.Contain("GFN2-xTB").And.Contain("500 K"));
    }

    [Test]
    public void Every_frame_is_labelled_and_plausible()
    {
        foreach ((string molecule, Frame[] of) in frames)
        {
            Assert.That(of.All(f => f.HasEnergy && f.HasForces && f.ConfigType == molecule && !f.IsPeriodic), molecule);
            IEnumerable<double> numbers = of.SelectMany(f => f.Positions.Concat(f.Forces!).Append(f.Energy!.Value));
            Assert.That(numbers, Is.All.Matches<double>(double.IsFinite), molecule);
            Assert.That(of[0].AtomicNumbers.Distinct(), Is.SubsetOf(new[] { 1, 6, 7, 8 }));
            Expect.Between(of[0].Atoms, 6, 15);
            Expect.AllBetween(of.SelectMany(f => f.Forces!), -30, 30, molecule);
            // Equipartition: 3N - 6 vibrations of kT/2, and fluctuations of the square root of as many.
            double kT = 0.0430867, vibrations = 3 * of[0].Atoms - 6;
            double mean = of.Average(f => f.Energy!.Value), spread = Math.Sqrt(of.Average(f => Math.Pow(f.Energy!.Value - mean, 2)));
            Expect.Close(spread, kT * Math.Sqrt(vibrations / 2), relative: 0.3, message: molecule);
        }
    }

    [Test]
    public void Labels_neither_push_nor_turn_a_molecule()
    {
        foreach (Frame frame in frames.Values.SelectMany(f => f))
        {
            double[] sums = new double[6];
            for (int i = 0; i < 3 * frame.Atoms; i++)
            {
                int first = i / 3 * 3, k = i % 3, a = (k + 1) % 3, b = (k + 2) % 3;
                sums[k] += frame.Forces![i];
                sums[3 + k] += frame.Positions[first + a] * frame.Forces[first + b] - frame.Positions[first + b] * frame.Forces[first + a];
            }
            Expect.AllClose(sums, 0, absolute: 1e-4, message: frame.Place);
        }
    }

    [Test]
    public void Frames_differ_from_each_other()
    {
        foreach (Frame[] of in frames.Values)
            Assert.That(of.Select(f => f.Energy!.Value).Distinct().Count(), Is.EqualTo(of.Length));
    }

    [Test]
    public void Labels_are_those_of_libxtb_at_the_stored_positions()
    {
        if (!Xtb.IsInstalled) Assert.Ignore("libxtb.so.6 is not installed");
        foreach (Frame frame in frames.Values.SelectMany(f => new[] { f[0], f[^1] }))
        {
            (double energy, double[] forces) = Xtb.Gfn2(frame);
            Expect.Close(frame.Energy, energy, absolute: 1e-6, message: frame.Place);
            Expect.Close(frame.Forces, forces, absolute: 2e-5, message: frame.Place);
        }
    }

    [Test]
    public void They_become_a_frame_store_without_further_options()
    {
        IReadOnlyList<string> files = EmbeddedFrames.ExtractTo(folder["two"], ["ethanol", "glycine"]);
        FramePreparer.Run(new FramePreparation { Files = files, Output = folder["store"] });
        using FrameStore store = FrameStore.Open(folder["store"]);
        Assert.That(store.Train.Count + store.Validation.Count, Is.EqualTo(2 * EmbeddedFrames.FramesPerMolecule));
        Assert.That(store.Manifest.ConfigTypes, Is.EquivalentTo(new[] { "ethanol", "glycine" }));
    }

    [Test]
    public void What_is_not_there_is_refused()
    {
        Assert.That(() => EmbeddedFrames.ExtractTo(folder["x"], ["caffeine"]), Refused.With("caffeine", "ethanol"));
        Assert.That(() => EmbeddedFrames.ExtractTo(Path.Combine(folder.Write("file", ""), "below")), Refused.With("file"));
    }
}
