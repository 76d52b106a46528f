using System.Text;
using System.Text.Json.Nodes;
using ChemScale.Engine;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Files;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Studies.Verification;
using ChemScale.Engine.Tokens.Preparation;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Families;
using ChemScale.Tests.Atoms.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Verification;

/// <summary>Stores, a sweep with a selection, its runs and their checkpoints: any byte of them changed.</summary>
public class VerifierTests
{
    private static readonly StudyPartPlan Language = StudyPartPlan.Of(ModelFamily.Named("chemgpt"), new DataSource { Limit = 60 });

    private static readonly StudyPartPlan Part = Language with
    {
        Outline = Language.Outline with { Model = ModelSpec.Of(new ChemGptConfig { Layers = 1, Heads = 2, Positions = 128 }) },
        Validation = 5,
        SearchShape = new(null, 4),
        SearchDocuments = 20,
        LearningRates = [1e-3, 1e-2],
        BatchSizes = [8],
        SearchEpochs = 2,
        ProbeEpochs = 1,
        Shapes = [new(null, 4), new(null, 8)],
        Subsets = [10, 20],
        MaximumEpochs = 2,
        MaximumSeen = 40,
    };

    private TemporaryFolder folder = null!;
    private string[] files = [];

    private string Root => folder["all"];

    private string Tokens => Path.Combine(Root, "molecules");

    private string Frames => Path.Combine(Root, "store");

    private string SweepFolder => Path.Combine(Root, "sweep");

    [OneTimeSetUp]
    public void Make()
    {
        folder = new();
        MoleculeStores.Ensure(new PreparationOptions { Source = MoleculeStores.VirtualLibrary(60), Output = Tokens, ValidationFraction = 0.2 });
        FramePreparation frames = SmallFrames.Options(folder, SmallFrames.Save(folder["a.xyz"], SmallFrames.Make(30)));
        FramePreparer.Run(frames with { Output = Frames });
        Experiment basis = Part.Basis(Tokens);
        basis = basis with { Training = basis.Training with { CheckpointInterval = Interval.Steps(2), KeepBest = true } };
        SweepPlan plan = new SweepPlan(SweepFolder, Sweep.Plan(basis, [Variation.Parse("training.learningRate=1e-3,1e-2")], SweepFolder),
            new SelectionSpec { Epochs = 2, ProbeEpochs = 1 });
        plan = plan with { Runs = [.. plan.Runs.Select(r => r with { Experiment = r.Experiment with { Training = r.Experiment.Training with { Epochs = 2 } } })] };
        new SweepWorker { Plan = plan.Write(), Threads = 1 }.Run(SweepStage.All);
        files = Protected(Root);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void What_is_sound_is_counted_and_nothing_is_wrong()
    {
        VerificationReport report = Verifier.Run([Root]);
        Assert.That(report.Problems, Is.Empty);
        Assert.That((report.Stores, report.Runs, report.Plans), Is.EqualTo((2, 2, 1)));
        Expect.AtLeast(report.Checkpoints, 4);
        Expect.AtLeast(report.Files, files.Length);
        Assert.That(() => Verifier.Run([this.folder["none"]]), Throws.TypeOf<InputException>().With.Message.Contains("no folder"));
        Directory.CreateDirectory(this.folder["empty"]);
        Assert.That(() => Verifier.Run([this.folder["empty"]]), Throws.TypeOf<InputException>().With.Message.Contains("nothing to verify"));
    }

    [Test]
    public void A_study_that_somebody_wrote_by_hand_may_have_comments_and_must_be_one()
    {
        Directory.CreateDirectory(folder["written"]);
        string file = Path.Combine(folder["written"], StudyFile.FileName);
        File.WriteAllText(file, "# before the runs\nfamilies:\n- painn # as published\n");
        Assert.That(Verifier.Run([folder["written"]]).Problems, Is.Empty);
        File.AppendAllText(file, "famlies: []\n");
        Assert.That(Verifier.Run([folder["written"]]).Problems.Single(), Has.Property("Place").StartsWith(file).And.Property("Place").Contains("famlies"));
    }

    [Test]
    public void A_byte_changed_in_any_file_is_found_there_and_whoever_needs_the_file_refuses_it()
    {
        var random = new Random(8);
        foreach (string file in files)
        {
            Changed(file, random, what =>
            {
                Assert.That(IsFound(Root, file), what);
                if (NeededBy(file) is { } use) Assert.That(() => use(), Throws.InstanceOf<InputException>(), what);
            });
        }
        Assert.That(Verifier.Run([Root]).Problems, Is.Empty);
    }

    [Test]
    public void Files_without_seals_as_version_0_3_left_them_are_sound_and_damage_never_ends_in_another_exception()
    {
        string old = folder["old"];
        foreach (string file in Directory.GetFiles(Root, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(old, Path.GetRelativePath(Root, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.WriteAllBytes(copy, Unsealed(file));
        }
        Assert.That(Verifier.Run([old]).Problems, Is.Empty);
        TokenStore.Open(Path.Combine(old, "molecules")).Dispose();
        Assert.That(SweepPlan.Read(Path.Combine(old, "sweep")).Kept, Has.Count.EqualTo(1));
        var random = new Random(9);
        int found = 0;
        string[] files = Protected(old);
        foreach (string file in files) Changed(file, random, _ => found += Verifier.Run([old]).Problems.Count > 0 ? 1 : 0);
        Expect.Above(found, files.Length / 2, "checksums of data and checkpoints, ids of experiments, keys, losses that stand twice");
    }

    [Test]
    public void A_file_that_is_missing_is_named()
    {
        foreach (string file in files.Where(f => Path.GetFileName(f) is not ("DONE" or "facts.json" or "selection.json" or "search.json")))
        {
            File.Move(file, folder["aside"]);
            string[] places = [.. Verifier.Run([Root]).Problems.Select(p => p.Place)];
            File.Move(folder["aside"], file);
            Assert.That(places, Has.Some.StartsWith(Path.GetDirectoryName(file)!), file);
        }
    }

    [Test]
    public void A_byte_changed_in_any_file_of_a_study_is_found() => ChangeStudy(null);

    [Test, Category("Slow")]
    public void A_thousand_bytes_changed_all_over_a_study_are_all_found() => ChangeStudy(1000);

    private void ChangeStudy(int? changes)
    {
        string study = folder[$"study-{changes}"];
        Study.Run(new StudyPlan { Parts = [Part, Field] }, study, "chemscale study", new StudyObserver());
        Assert.That(Verifier.Run([study]).Problems, Is.Empty);
        string[] files = Protected(study);
        var random = new Random(10);
        var missed = new List<string>();
        for (int i = 0; i < (changes ?? files.Length); i++)
        {
            string file = files[i < files.Length ? i : random.Next(files.Length)];
            Changed(file, random, what =>
            {
                if (!IsFound(study, file)) missed.Add(what);
            });
        }
        Assert.That(missed, Is.Empty);
    }

    private static StudyPartPlan Field => StudyPartPlan.Of(ModelFamily.Named("painn"), new DataSource()) with
    {
        SearchShape = new(1, 8),
        Shapes = [new(1, 8), new(1, 16)],
        Validation = 10,
        SearchDocuments = 20,
        LearningRates = [1e-3, 1e-2],
        BatchSizes = [10],
        SearchEpochs = 2,
        ProbeEpochs = 1,
        Subsets = [10, 20],
        MaximumEpochs = 2,
        MaximumSeen = 40,
    };

    /// <summary>All but tables, pages and figures, which are made again from the rest, and what an unfinished run still appends to.</summary>
    private static string[] Protected(string folder) =>
    [
        .. Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(f => Path.GetFileName(f) is not ("sweep.csv" or "points.csv" or "report.html" or ".verified") && !f.Contains("figures", StringComparison.Ordinal)
                && new FileInfo(f).Length > 0 && !IsGrowing(f)),
    ];

    private static bool IsGrowing(string file) =>
        Path.GetFileName(file).Split('.')[0] is "metrics" or "events" && !File.Exists(Path.Combine(Path.GetDirectoryName(file)!, "DONE"));

    private static void Changed(string file, Random random, Action<string> look)
    {
        byte[] bytes = File.ReadAllBytes(file);
        byte[] changed = [.. bytes];
        int at = random.Next(bytes.Length);
        changed[at] ^= (byte)random.Next(1, 256);
        File.WriteAllBytes(file, changed);
        try
        {
            look($"{file}, byte {at} from {bytes[at]} to {changed[at]}");
        }
        finally
        {
            File.WriteAllBytes(file, bytes);
        }
    }

    private static bool IsFound(string root, string file)
    {
        // A list of checksums that is wrong looks as a wrong file of the list does.
        string named = Path.GetFileName(file) == FileChecksum.ListName ? Path.GetDirectoryName(file)! : file;
        return Verifier.Run([root]).Problems.Any(p => p.Place.StartsWith(named, StringComparison.Ordinal));
    }

    /// <summary>What reads a file before anything is trained.</summary>
    private Action? NeededBy(string file)
    {
        if (file.StartsWith(Tokens, StringComparison.Ordinal)) return Path.GetFileName(file) == StoreFacts.FileName ? null : () => TokenStore.Open(Tokens).Dispose();
        if (file.StartsWith(Frames, StringComparison.Ordinal)) return () => FrameStore.Open(Frames).Dispose();
        if (file.StartsWith(Path.Combine(SweepFolder, "plan"), StringComparison.Ordinal)) return () => _ = SweepPlan.Read(SweepFolder).Kept;
        bool complete = File.Exists(Path.Combine(SweepFolder, Path.GetRelativePath(SweepFolder, file).Split(Path.DirectorySeparatorChar)[0], "DONE"));
        bool resumed = file.Contains("checkpoints", StringComparison.Ordinal) || Path.GetFileName(file) is "experiment.yaml" or "DONE";
        if (!complete || !resumed) return null;
        return () => new LocalRunner { ThreadsPerRun = 1 }.Run(
            [SweepPlan.Read(SweepFolder).Runs.Single(r => file.StartsWith(r.Directory + Path.DirectorySeparatorChar, StringComparison.Ordinal))]);
    }

    private static byte[] Unsealed(string file)
    {
        byte[] bytes = File.ReadAllBytes(file);
        if (file.EndsWith(".yaml", StringComparison.Ordinal)) return Encoding.UTF8.GetBytes(Seal.OpenYaml(bytes, file));
        if (Path.GetFileName(file) == "DONE")
        {
            JsonObject done = JsonNode.Parse(Seal.OpenJson(bytes, file, out _))!.AsObject();
            done.Remove("files");
            return Encoding.UTF8.GetBytes(done.ToJsonString());
        }
        return file.EndsWith(".json", StringComparison.Ordinal) && Path.GetFileName(file) is not ("state.json" or "tokenizer.json")
            ? Seal.OpenJson(bytes, file, out _).ToArray() : bytes;
    }
}
