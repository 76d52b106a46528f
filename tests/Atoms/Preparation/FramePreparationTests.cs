using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Atoms.Units;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Preparation;

public class FramePreparationTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void Every_frame_comes_back_as_it_was()
    {
        Frame[] frames = SmallFrames.Make(200);
        FramePreparationReport report = FramePreparer.Run(SmallFrames.Options(folder, Saved("a.xyz", frames)));
        using FrameStore store = FrameStore.Open(folder["store"]);
        store.Verify();
        Assert.That((report.Read, report.Duplicates, report.Unlabelled, store.Train.Count + store.Validation.Count),
            Is.EqualTo((200, 0, 0, 200)));
        Expect.Between(store.Validation.Count, 20, 60);
        Dictionary<double, Frame> stored = store.Train.Frames().Concat(store.Validation.Frames()).ToDictionary(frame => frame.Positions[0]);
        foreach (Frame frame in frames)
        {
            Frame back = stored[frame.Positions[0]];
            Assert.That(back.AtomicNumbers.SequenceEqual(frame.AtomicNumbers) && back.Positions.SequenceEqual(frame.Positions));
            Assert.That(back.Forces!.SequenceEqual(frame.Forces!) && back.Periodic.SequenceEqual(frame.Periodic));
            Assert.That((back.Energy, back.Charge, back.Spin, back.ConfigType),
                Is.EqualTo((frame.Energy, frame.Charge, frame.Spin, frame.ConfigType)));
            Assert.That((back.Cell, back.Stress), Is.EqualTo((frame.Cell, frame.Stress)));
        }
        Assert.That(store.Manifest.Sources.Single().Keys, Is.EqualTo((string[])
            ["energy: energy, forces: forces, stress: none", "energy: energy, forces: forces, stress: stress"]));
    }

    [Test]
    public void The_order_of_files_and_frames_does_not_matter()
    {
        Frame[] frames = SmallFrames.Make(100);
        FramePreparer.Run(SmallFrames.Options(folder, Saved("a.xyz", frames[..60]), Saved("b.xyz", frames[60..])));
        FramePreparer.Run(SmallFrames.Options(folder, Saved("c.xyz", [.. frames.Reverse()])) with { Output = folder["other"] });
        using FrameStore one = FrameStore.Open(folder["store"]), other = FrameStore.Open(folder["other"]);
        Assert.That(other.Manifest.Fingerprint, Is.EqualTo(one.Manifest.Fingerprint));
        FramePreparer.Run(SmallFrames.Options(folder, folder["c.xyz"]) with { Output = folder["third"], Seed = 4 });
        using FrameStore third = FrameStore.Open(folder["third"]);
        Assert.That(third.Manifest.Fingerprint, Is.Not.EqualTo(one.Manifest.Fingerprint));
    }

    [Test]
    public void A_smaller_subset_is_inside_a_larger_one_and_inside_that_of_more_data()
    {
        Frame[] frames = SmallFrames.Make(300);
        FramePreparer.Run(SmallFrames.Options(folder, Saved("a.xyz", frames)));
        using FrameStore store = FrameStore.Open(folder["store"]);
        FrameSplit half = store.Train.Subset(100);
        Assert.That(half.Frames().Select(f => f.Positions[0]), Is.EqualTo(store.Train.Frames().Take(100).Select(f => f.Positions[0])));
        Assert.That(half.Atoms, Is.EqualTo(half.Frames().Sum(f => f.Atoms)));
        Assert.That(half.AtomsOf(7), Is.EqualTo(half[7].Atoms));
        Assert.That(() => store.Train.Subset(store.Train.Count + 1), Refused.With("train subset", "frames"));
        Assert.That(() => half[100], Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Exactly_as_many_frames_are_held_out_as_asked()
    {
        FramePreparation options = SmallFrames.Options(folder, Saved("a.xyz", SmallFrames.Make(100))) with { ValidationFrames = 17 };
        FramePreparer.Run(options);
        using FrameStore store = FrameStore.Open(folder["store"]);
        Assert.That((store.Train.Count, store.Validation.Count), Is.EqualTo((83, 17)));
        Assert.That(() => FramePreparer.Run(options with { ValidationFrames = 100, Overwrite = true }), Refused.With("100 of 100 frames"));
    }

    [Test]
    public void Validation_files_are_held_out_whole_and_their_copies_taken_from_training()
    {
        Frame[] frames = SmallFrames.Make(100);
        FramePreparationReport report = FramePreparer.Run(
            SmallFrames.Options(folder, Saved("train.xyz", [.. frames[..80], .. frames[..5]])) with
            {
                ValidationFiles = [Saved("val.xyz", frames[70..])],
            });
        using FrameStore store = FrameStore.Open(folder["store"]);
        Assert.That((store.Train.Count, store.Validation.Count, report.Duplicates, report.Shared), Is.EqualTo((70, 30, 15, 10)));
        Assert.That(store.Validation.Frames().Select(f => f.Positions[0]), Is.EquivalentTo(frames[70..].Select(f => f.Positions[0])));
    }

    [Test]
    public void A_split_file_decides_by_index()
    {
        Frame[] frames = SmallFrames.Make(20);
        Split([0, 1, 2, 3], [10, 11]);
        FramePreparation options = SmallFrames.Options(folder, Saved("a.xyz", frames)) with { SplitFile = folder["split.npz"] };
        FramePreparationReport report = FramePreparer.Run(options);
        using (FrameStore store = FrameStore.Open(folder["store"]))
        {
            Assert.That(store.Train.Frames().Select(f => f.Positions[0]), Is.EquivalentTo(frames[..4].Select(f => f.Positions[0])));
            Assert.That(store.Validation.Frames().Select(f => f.Positions[0]), Is.EquivalentTo(frames[10..12].Select(f => f.Positions[0])));
            Assert.That(report.Unassigned, Is.EqualTo(14));
        }
        Split([0, 1], [1]);
        Assert.That(() => FramePreparer.Run(options with { Overwrite = true }), Refused.With("split.npz: val_idx", "frame 1"));
        Split([0, 1], [20]);
        Assert.That(() => FramePreparer.Run(options with { Overwrite = true }), Refused.With("split.npz", "frame 20", "below 20"));
    }

    [Test]
    public void Statistics_are_those_of_the_training_frames()
    {
        Frame[] frames = SmallFrames.Make(100);
        FramePreparer.Run(SmallFrames.Options(folder, Saved("a.xyz", frames)));
        using FrameStore store = FrameStore.Open(folder["store"]);
        double[] forces = [.. store.Train.Frames().SelectMany(f => f.Forces!)];
        Expect.Close(store.Statistics.ForceRms, Math.Sqrt(forces.Average(f => f * f)), absolute: 1e-12);
        Assert.That(store.Statistics.Elements, Is.EqualTo((int[])[1, 8, 29]));
        Expect.Close(store.Statistics.ReferenceEnergy([29, 8]), -7, absolute: 1e-9);
        double water = store.Train.Frames().Where(f => f.Atoms == 3).Average(f => f.Energy!.Value);
        Expect.Close(store.Statistics.ReferenceEnergy([8, 1, 1]), water, absolute: 1e-9);
        Expect.Above(store.Statistics.NeighborsPerAtom, 2);
        Assert.That((store.Statistics.NeighborCutoff, store.Statistics.NeighborFrames), Is.EqualTo((5.0, store.Train.Count)));
        Assert.That(() => store.Statistics.ReferenceEnergy([79]), Refused.With("Au", "H, O, Cu"));
    }

    [Test]
    public void Frames_without_a_label_are_refused_dropped_or_kept()
    {
        Frame[] frames = SmallFrames.Make(10);
        frames[4] = frames[4] with { Forces = null };
        frames[6] = frames[6] with { Energy = double.NaN };
        FramePreparation options = SmallFrames.Options(folder, Saved("a.xyz", frames)) with { Overwrite = true, ValidationFraction = 0 };
        Assert.That(() => FramePreparer.Run(options), Refused.With("a.xyz:19: no forces"));
        Assert.That(FramePreparer.Run(options with { Missing = MissingLabels.Drop }).Unlabelled, Is.EqualTo(2));
        FramePreparer.Run(options with { Missing = MissingLabels.Keep });
        using FrameStore store = FrameStore.Open(folder["store"]);
        Assert.That(store.Train.Frames().Count(f => !f.HasForces), Is.EqualTo(1));
        Assert.That(store.Train.Frames().Count(f => !f.HasEnergy), Is.EqualTo(1));
    }

    [Test]
    public void What_is_wrong_with_a_frame_is_named_and_nothing_is_left_behind()
    {
        Frame good = SmallFrames.Make(1)[0];
        Check(good with { Positions = [0, 0, 0, 1, 0, 0, 1, 0, 0] }, "a.xyz:1: atoms 1 and 2 at one point");
        Check(good with { Cell = [1, 0, 0, 0, 1, 0, 1, 1, 0], Periodic = [true, true, true] },
            "a.xyz:1: lattice vectors that span no volume");
        Check(good with { Positions = [0, 0, 0, 1, 0, 0, 1, 0, double.NaN] }, "a.xyz:1: coordinate z of atom 2 is NaN");
        Assert.That(() => FramePreparer.Run(SmallFrames.Options(folder)), Refused.With("no files"));
        Assert.That(
            () => FramePreparer.Run(SmallFrames.Options(folder, "a.xyz") with { ValidationFrames = 1, ValidationFiles = ["b.xyz"] }),
            Refused.With("several ways"));

        void Check(Frame frame, string message)
        {
            Assert.That(() => FramePreparer.Run(SmallFrames.Options(folder, Saved("a.xyz", frame))), Refused.With(message));
            Assert.That(Directory.Exists(folder["store"]), Is.False);
        }
    }

    [TestCaseSource(nameof(RealFiles))]
    public void Real_frames_are_prepared_with_an_exact_number_held_out(string file)
    {
        FramePreparation options = SmallFrames.Options(folder, file);
        options = options with { Energy = EnergyUnit.KilocaloriePerMole, ValidationFrames = 50 };
        FramePreparationReport report = FramePreparer.Run(options);
        using FrameStore store = FrameStore.Open(folder["store"]);
        store.Verify();
        Assert.That((store.Train.Count, store.Validation.Count), Is.EqualTo((report.Read - report.Duplicates - 50, 50)));
        Expect.Between(store.Statistics.EnergyResidual, 0.05, 1, "eV, thermal");
        Expect.Between(store.Statistics.ForceRms, 0.5, 3, "eV/Angstrom, thermal");
    }

    private static IEnumerable<TestCaseData> RealFiles() => ReferenceData.Cases("rmd17", "*_train_01.npz");

    private string Saved(string name, params Frame[] frames) => SmallFrames.Save(folder[name], frames);

    private void Split(int[] train, int[] validation)
    {
        using NpzWriter npz = new(folder["split.npz"]);
        npz.Add("train_idx", train, train.Length);
        npz.Add("val_idx", validation, validation.Length);
        npz.Complete();
    }
}
