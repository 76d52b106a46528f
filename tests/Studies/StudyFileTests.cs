using System.Globalization;
using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies;
using ChemScale.Engine.Studies.Cluster;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Tokens.Store;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Tests.House;
using NUnit.Framework;

namespace ChemScale.Tests.Studies;

public class StudyFileTests
{
    private const string Whole = """
        seed: 7
        families:
        - family: chemgpt
          source: {limit: 300}
          model: {layers: 1, heads: 4, positions: 128}
          training: {clipNorm: 2, schedule: {warmupSteps: 5}}
          validation: 20
          shapes: [4, 8, 2x16]
          learningRates: [1e-3, 1e-2]
          batchSizes: 8
          search: {documents: 40, shape: 8, epochs: 4, probeEpochs: 1, validate: false, estimator: last, start: {learningRate: 1e-3, batchSize: 4}}
          grid: {subsets: [20, 60], maximumEpochs: 6, maximumSeen: 240}
        - painn
        """;

    [Test]
    public void A_file_says_what_a_study_is_and_what_it_leaves_out_is_as_without_it()
    {
        StudyFile study = StudyFile.Parse(Whole, "study.yaml");
        StudyPartPlan part = study.Parts[0];
        var model = (ChemGptConfig)part.Outline.Model.Config;
        Assert.That((model.Layers, model.Heads, part.Outline.Training.ClipNorm, part.Outline.Training.Schedule.WarmupSteps), Is.EqualTo((1, 4, (double?)2, 5L)));
        Assert.That(part.Shapes, Is.EqualTo(new ModelShape[] { new(null, 4), new(null, 8), new(2, 16) }));
        Assert.That((part.LearningRates, part.BatchSizes), Is.EqualTo((new[] { 1e-3, 1e-2 }, new[] { 8 })).Using<(IReadOnlyList<double>, IReadOnlyList<int>)>((a, b) =>
            a.Item1.SequenceEqual(b.Item1) && a.Item2.SequenceEqual(b.Item2)));
        Assert.That(part.Default, Is.EqualTo(new Configuration(1e-3, 4)));
        Assert.That((part.Seed, part.Validation, part.SearchDocuments, part.SearchEpochs, part.ProbeEpochs, part.ValidateSearch), Is.EqualTo((7L, 20L, 40L, 4, 1, false)));
        Assert.That((part.Subsets, part.MaximumEpochs, part.MaximumSeen), Is.EqualTo((new long[] { 20, 60 }, 6, 240L)).Using<(IReadOnlyList<long>, int, long)>((a, b) =>
            a.Item1.SequenceEqual(b.Item1) && (a.Item2, a.Item3) == (b.Item2, b.Item3)));
        AssertSame(study.Parts[1], StudyPartPlan.Of(ModelFamily.Named("painn")) with { Seed = 7 });
    }

    [Test]
    public void What_is_written_is_whole_and_reads_back_the_same([Values] bool budgets)
    {
        StudyFile study = budgets
            ? StudyFile.Parse("flops: [1e11, 3e11]\nfamilies: [chemgpt, painn, schnet, allegro, spookynet]", "study.yaml")
            : StudyFile.Parse(Whole, "study.yaml");
        string yaml = study.ToYaml();
        StudyFile again = StudyFile.Parse(yaml, "again.yaml");
        Assert.That(again.ToYaml(), Is.EqualTo(yaml));
        Assert.That(again.Budgets, Is.EqualTo(study.Budgets));
        for (int i = 0; i < study.Parts.Count; i++) AssertSame(again.Parts[i], study.Parts[i]);
        Assert.That(yaml, Does.Contain("optimizer:").And.Contain(budgets ? "flops:" : "maximumSeen:"), "defaults included");
    }

    [Test]
    public void Constraints_are_in_the_file_itself_or_in_one_beside_it()
    {
        using var folder = new TemporaryFolder();
        const string Bonds = "{\"?\": 8, \"C\": 4, \"N+1\": 4}";
        File.WriteAllText(folder["bonds.json"], Bonds);
        foreach (string given in (string[])["bonds.json", Bonds])
        {
            File.WriteAllText(folder["study.yaml"], $"families:\n- family: chemgpt\n  source: {{constraints: '{given}'}}");
            StudyFile study = StudyFile.Read(folder["study.yaml"]);
            Assert.That(study.Parts[0].Source.Constraints!.Of(6, 0), Is.EqualTo(4));
            Assert.That(StudyFile.Parse(study.ToYaml(), "again.yaml").Parts[0].Source.Constraints, Is.EqualTo(study.Parts[0].Source.Constraints));
        }
        Assert.That(() => StudyFile.Parse("families:\n- family: chemgpt\n  source: {constraints: '{\"C\": 4}'}", "study.yaml"),
            Throws.TypeOf<InputException>().With.Message.StartWith("study.yaml:3: families[0].source.constraints").And.Message.Contains("no entry '?'"));
        Assert.That(() => StudyFile.Parse("families:\n- family: painn\n  source: {constraints: x.json}", "study.yaml"), Throws.TypeOf<InputException>());
    }

    [Test]
    public void One_family_in_two_representations_is_two_parts_of_the_same_molecules()
    {
        const string Two = """
            families:
            - family: chemgpt
              source: {limit: 300, canonical: true}
            - family: chemgpt
              source: {limit: 300, canonical: true, representation: smiles}
            - painn
            """;
        StudyFile study = StudyFile.Parse(Two, "study.yaml");
        Assert.That(study.Parts.Select(p => p.Name), Is.EqualTo((string[])["chemgpt-selfies", "chemgpt-smiles", "painn"]));
        Assert.That(study.Parts.Select(p => p.Title), Is.EqualTo((string[])["ChemGPT (chemgpt-selfies)", "ChemGPT (chemgpt-smiles)", "PaiNN"]));
        // The virtual library falls by text elsewhere, which differs.
        Assert.That(study.Parts.Select(p => p.Source.Split), Is.EqualTo((SplitKind?[])[SplitKind.Molecule, SplitKind.Molecule, null]));
        new StudyPlan { Parts = study.Parts }.Check();
        StudyFile again = StudyFile.Parse(study.ToYaml(), "again.yaml");
        Assert.That(again.ToYaml(), Is.EqualTo(study.ToYaml()));
        foreach ((StudyPartPlan found, StudyPartPlan wanted) in again.Parts.Zip(study.Parts)) AssertSame(found, wanted);

        string named = Two.Replace("  source: {limit: 300, canonical: true, r", "  name: other\n  source: {limit: 300, canonical: true, r", StringComparison.Ordinal);
        Assert.That(StudyFile.Parse(named, "study.yaml").Parts.Select(p => p.Name), Is.EqualTo((string[])["chemgpt", "other", "painn"]));
        Assert.That(() => StudyFile.Parse("families:\n- family: painn\n  name: ../painn", "study.yaml"),
            Throws.TypeOf<InputException>().With.Message.Contains("3: families[0].name: '../painn'"));
        Assert.That(() => new StudyPlan { Parts = StudyFile.Parse("families: [painn, painn]", "study.yaml").Parts }.Check(),
            Throws.TypeOf<InputException>().With.Message.Contains("painn twice").And.Message.Contains("name"));
    }

    [TestCase("familys: [painn]", "1: familys: unknown key", "did you mean families?")]
    [TestCase("families:\n- family: chemgpt\n  serch: {}", "3: families[0].serch: unknown key", "did you mean search?")]
    [TestCase("families:\n- family: chemgpt\n  search: {probe_epochs: 2}", "3: families[0].search.probe_epochs: unknown key", "did you mean probeEpochs?")]
    [TestCase("families:\n- family: chemgpt\n  training:\n    schedule: {warmup_step: 2}", "4: families[0].training.schedule.warmup_step: unknown key", "did you mean warmupSteps?")]
    [TestCase("families:\n- family: chemgpt\n  model: {wdth: 2}", "3: families[0].model.wdth: unknown key", "did you mean width?")]
    [TestCase("families:\n- family: chemgtp", "2: families[0].family: 'chemgtp'", "did you mean chemgpt?")]
    [TestCase("families: [painn]\nflops: [many]", "2: flops: 'many'", "a number")]
    [TestCase("families: [painn]\nseed: 1.5", "2: seed: '1.5'", "a whole number")]
    [TestCase("families:\n- family: chemgpt\n  model: {width: 64}", "3: families[0].model.width: given", "shapes say it")]
    [TestCase("families:\n- family: painn\n  training: {learningRate: 1}", "3: families[0].training.learningRate: given", "learningRates")]
    [TestCase("families:\n- family: painn\n  training: {attention: bfloat16}", "3: families[0].training.attention: given for painn", "")]
    [TestCase("families:\n- family: painn\n  grid: {subsets: [a]}", "3: families[0].grid.subsets: 'a'", "a whole number")]
    [TestCase("families:\n- family: painn\n  search: {epochs: 1}", "3: families[0].search.epochs: 1", "at least 2")]
    [TestCase("families:\n- family: painn\n  source: {molecules: x.smi}", "families[0].source.molecules: given for painn", "frames")]
    [TestCase("flops: 1e11\nfamilies:\n- family: painn\n  grid: {}", "4: families[0].grid: given beside flops", "budgets alone")]
    [TestCase("flops: 1e11\nfamilies:\n- family: painn\n  batchSizes: [4, 8]", "4: families[0].batchSizes: several", "one batch size")]
    [TestCase("seed: 1", "no families", "chemgpt")]
    [TestCase("families:\n- family: painn\n  shapes: [wide]", "3: families[0].shapes: 'wide'", "2x32")]
    public void A_mistake_is_told_by_file_line_and_key(string yaml, string place, string expected) =>
        Assert.That(() => StudyFile.Parse(yaml, "study.yaml"),
            Throws.TypeOf<InputException>().With.Message.StartWith("study.yaml").And.Message.Contains(place).And.Message.Contains(expected));

    [Test]
    public void The_studies_of_the_repository_are_the_default_ones()
    {
        foreach ((string name, double[] budgets) in ((string, double[])[])[("default", []), ("budgets", [1e11, 3e11, 1e12])])
        {
            StudyFile study = StudyFile.Read(Path.Combine(Repository.Root, "docs", "studies", name + ".yaml"));
            Assert.That(study.Budgets, Is.EqualTo(budgets));
            foreach ((StudyPartPlan part, string family) in study.Parts.Zip((string[])["chemgpt", "painn"], (p, f) => (p, f)))
                AssertSame(part, budgets.Length > 0 ? StudyPartPlan.ForBudgets(ModelFamily.Named(family)) : StudyPartPlan.Of(ModelFamily.Named(family)));
        }
    }

    [Test]
    public void Paths_begin_in_the_folder_of_the_file()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["study.yaml"], "families:\n- family: schnet\n  source: {frames: [../a.npz, b.npz], units: eV}");
        Assert.That(StudyFile.Read(folder["study.yaml"]).Parts[0].Source.Frames,
            Is.EqualTo(new[] { Path.Combine(Path.GetDirectoryName(folder.Path)!, "a.npz"), folder["b.npz"] }));
        Assert.That(() => StudyFile.Read(folder["none.yaml"]), Throws.TypeOf<InputException>());
    }

    [Test]
    public void A_study_writes_itself_and_the_file_makes_it_again_on_the_same_data_alone()
    {
        using var folder = new TemporaryFolder();
        StudyFile study = StudyFile.Parse("""
            flops: [4e8, 1e9]
            families:
            - family: chemgpt
              source: {limit: 300}
              model: {heads: 4, positions: 128}
              validation: 20
              shapes: [1x4, 1x8, 1x12, 1x16, 1x20]
              learningRates: [1e-2]
              batchSizes: 8
            """, "study.yaml");
        string first = folder["first"], second = folder["second"];
        Prepare(study, first);
        string written = Path.Combine(first, StudyFile.FileName);
        Assert.That(File.ReadAllText(written), Does.Contain("fingerprint: "));
        Prepare(StudyFile.Read(written), second);
        Assert.That(File.ReadAllText(Path.Combine(second, StudyFile.FileName)), Is.EqualTo(File.ReadAllText(written)));
        Assert.That(Runs(second), Is.EqualTo(Runs(first)).And.Length.EqualTo(5));

        File.WriteAllText(written, File.ReadAllText(written).Replace("limit: 300", "limit: 290", StringComparison.Ordinal));
        Assert.That(() => Prepare(StudyFile.Read(written), folder["third"]), Throws.TypeOf<InputException>().With.Message.Contains("other data (fingerprint"));

        // All that comes before the first training.
        static void Prepare(StudyFile file, string directory) =>
            StudySubmission.Run(file, directory, new SlurmOptions(), call => ["worker", call.Directory], submit: false, new StudyObserver());

        static string[] Runs(string directory) => [.. SweepPlan.Read(Path.Combine(directory, "chemgpt", "budgets")).Runs.Select(r => $"{r.Name} {r.Experiment.Id}")];
    }

    private static void AssertSame(StudyPartPlan found, StudyPartPlan wanted)
    {
        Assert.That(found.Outline.Model, Is.EqualTo(wanted.Outline.Model));
        Assert.That(found.Outline.Training, Is.EqualTo(wanted.Outline.Training));
        Assert.That(Lists(found), Is.EqualTo(Lists(wanted)));
        Assert.That(Bare(found), Is.EqualTo(Bare(wanted)));
    }

    private static string Lists(StudyPartPlan part) => string.Create(CultureInfo.InvariantCulture,
        $"{string.Join(' ', part.Shapes)}; {string.Join(' ', part.LearningRates)}; {string.Join(' ', part.BatchSizes)}; "
        + $"{string.Join(' ', part.Subsets)}; {string.Join(' ', part.Source.Frames)}");

    private static StudyPartPlan Bare(StudyPartPlan part) =>
        part with
        {
            Outline = null!,
            Estimator = part.Estimator ?? UsualEstimator.For(part.Outline.Training),
            Shapes = [],
            LearningRates = [],
            BatchSizes = [],
            Subsets = [],
            Source = part.Source with { Frames = [], Molecules = [] },
        };
}
