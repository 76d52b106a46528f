using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Training;

public sealed class TrainingRequestTests
{
    private TemporaryFolder folder = null!;
    private string frames = "";
    private string molecules = "";

    [OneTimeSetUp]
    public void Prepare()
    {
        folder = new TemporaryFolder();
        (frames, molecules) = (folder["frames"], folder["molecules"]);
        ModelFamily.Named("painn").Data.Prepare(new DataSource(), frames, new DataObserver());
        ModelFamily.Named("chemgpt").Data.Prepare(new DataSource { Limit = 200 }, molecules, new DataObserver());
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Settings_are_typed_values_or_text_and_overrides_stand_above_them()
    {
        TrainingRequest request = Request(molecules, ("model.width", 32L), ("training.learningRate", "1e-3"), ("training.batchSize", 16), ("training.steps", 3));
        Experiment experiment = (request with
        {
            Overrides = [("model.width", "48"), ("training.clipNorm", "null"), ("training.optimizer.moments", "bfloat16"), ("training.validationInterval", "2 steps")],
        }).Build(folder["run"]);
        var model = (ChemGptConfig)experiment.Model.Config;
        Assert.That((model.Width, experiment.Training.LearningRate, experiment.Training.BatchSize, experiment.Training.Steps, experiment.Training.Epochs),
            Is.EqualTo((48, 1e-3, 16, (long?)3, (int?)null)));
        Assert.That((experiment.Training.Optimizer.Moments, experiment.Training.ValidationInterval), Is.EqualTo((MomentPrecision.Bfloat16, Interval.Steps(2))));
        Assert.That(experiment.Data.Fingerprint, Is.Not.Null);
        Assert.That(Directory.Exists(folder["run"]), Is.False, "a prepared store is prepared");
        Assert.That(Experiment.Parse(experiment.ToYaml(), "again").Id, Is.EqualTo(experiment.Id));
    }

    [Test]
    public void Each_key_of_an_experiment_can_be_set_as_its_file_says_it()
    {
        foreach (ModelFamily family in ModelFamily.All)
        {
            Experiment experiment = (family.Defaults with { Data = new DataSpec { Fingerprint = "abc" } }).Validated();
            string section = "", above = "";
            foreach (string line in experiment.ToYaml().Split('\n').Where(l => l.Contains(':')))
            {
                int indent = line.TakeWhile(c => c == ' ').Count();
                string name = line.Trim().Split(':')[0], value = line[(line.IndexOf(':') + 1)..].Trim().Trim('\'');
                if (value.Length == 0) (section, above) = indent == 0 ? (name, "") : (section, name);
                if (value.Length == 0) continue;
                string key = indent switch { 0 => name, 2 => $"{section}.{name}", _ => $"{section}.{above}.{name}" };
                Assert.That(ExperimentKeys.With(experiment, [(key, value)], "test").Id, Is.EqualTo(experiment.Id), $"{family.Name} {key}");
            }
        }
    }

    [Test]
    public void Data_decide_what_nobody_has_said_and_no_more()
    {
        Assert.That(((ChemGptConfig)Request(molecules).Build(folder["run"]).Model.Config).VocabularySize, Is.Not.EqualTo(684));
        Assert.That(((ChemGptConfig)Request(molecules, ("model.vocabularySize", 700)).Build(folder["run"]).Model.Config).VocabularySize, Is.EqualTo(700));
        Experiment basis = Request(molecules, ("training.epochs", 3)).Build(folder["run"]);
        Experiment again = new TrainingRequest { Basis = basis, Settings = new Dictionary<string, object> { ["seed"] = 7 } }.Build(folder["run"]);
        Assert.That((again with { Seed = 42 }).Id, Is.EqualTo(basis.Id));
        Assert.That(new TrainingRequest { Begun = basis }.Build(folder["run"]).Id, Is.EqualTo(basis.Id));
        Assert.That(Request(molecules, ("data.subset", 60L)).Build(folder["run"]).Data is { Subset: 60, Validation: 60 }, Is.True);
        Assert.That(Request(molecules, ("data.subset", 60L), ("data.validation", 5L)).Build(folder["run"]).Data.Validation, Is.EqualTo(5));
    }

    [Test]
    public void What_a_family_has_no_use_for_is_refused_by_its_key_before_any_data_are_made()
    {
        Assert.Multiple(() =>
        {
            Refused(Request(molecules, ("training.labelLoss.forceWeight", 1.0)), "training.labelLoss.forceWeight", "`model.family` schnet, painn, spookynet, allegro has it");
            Refused(Request(molecules, ("model.features", 8)), "model.features", "schnet, painn, spookynet, allegro has it");
            Refused(Request(molecules, ("model.size", 64), ("model.heads", 8)), "model.size", "`model.heads`");
            Refused(Request(frames) with { Family = "painn", Settings = new Dictionary<string, object> { ["model.size"] = 64 } }, "model.size", "chemgpt has it");
            Refused(Request(frames) with { Family = "schnet", Settings = new Dictionary<string, object> { ["training.attention"] = "bfloat16" } }, "training.attention", "chemgpt");
            Refused(Request(frames), frames, "`model.family` schnet, painn, spookynet, allegro");
            Refused(new TrainingRequest { Source = new DataSource { Frames = ["a.xyz"] } }, "source.frames", "painn");
            Refused(new TrainingRequest { Family = "painn", Source = new DataSource { Molecules = ["a.smi"] } }, "source.molecules", "molecules");
            Refused(new TrainingRequest { Family = "painn", Source = new DataSource { Store = frames, Frames = ["a.xyz"] } }, "source.store", "`source.frames`");
            Refused(new TrainingRequest
            {
                Family = "painn",
                Source = new DataSource { Store = frames, Units = ChemScale.Engine.Atoms.Units.EnergyUnit.Hartree }
            }, "source.units", "`source.frames`");
            Refused(Request(molecules) with
            {
                Source = new DataSource
                {
                    Store = molecules,
                    Grammar = ChemScale.Engine.Chemistry.Selfies.SelfiesGrammar.V2
                }
            }, "source.grammar", "1.0.4");
            Refused(Request(molecules, ("training.batchSize", 0)), "training.batchSize", "at least 1");
            Refused(Request(molecules) with { Overrides = [("model.breadth", "1")] }, "overrides", "model.breadth");
            Refused(new TrainingRequest
            {
                Family = "painn",
                Basis = new TrainingRequest { Source = new DataSource { Store = molecules } }.Build(folder["run"])
            }, "model.family", "chemgpt");
        });
        Assert.That(Directory.Exists(folder["run"]), Is.False);
    }

    private void Refused(TrainingRequest request, string place, string message)
    {
        InputException? e = Assert.Throws<InputException>(() => request.Build(folder["run"]));
        Assert.That(e!.Place, Is.EqualTo(place));
        Assert.That(e.Message, Does.Contain(message));
    }

    private static TrainingRequest Request(string store, params (string Key, object Value)[] settings) => new()
    {
        Source = new DataSource { Store = store },
        Settings = settings.ToDictionary(s => s.Key, s => s.Value),
    };
}
