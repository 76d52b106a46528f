using ChemScale.Engine;
using ChemScale.Engine.Models;
using ChemScale.Engine.Studies.Search;
using ChemScale.Engine.Studies.Sweeps;
using ChemScale.Engine.Training.Experiments;
using NUnit.Framework;

namespace ChemScale.Tests.Studies;

public class SearchTests
{
    [Test]
    public void The_default_is_always_among_the_configurations_and_only_once()
    {
        SearchSpace without = SearchSpace.Grid([1e-3], [4]), with = SearchSpace.Grid([5e-5, 1e-3], [8]);
        Assert.That(without.Configurations, Is.EqualTo(new[] { new Configuration(1e-3, 4), Configuration.HuggingFaceDefault }));
        Assert.That(with.Configurations, Is.EqualTo(new[] { Configuration.HuggingFaceDefault, new Configuration(1e-3, 8) }));
    }

    [TestCase(0)]
    [TestCase(-1e-3)]
    [TestCase(double.NaN)]
    public void A_learning_rate_that_is_none_is_refused(double rate) =>
        Assert.That(() => SearchSpace.Grid([rate], [8]), Throws.TypeOf<InputException>());

    [Test]
    public void A_sweep_runs_every_combination()
    {
        var basis = new Experiment
        {
            Model = ModelSpec.Of(new ChemGptConfig { Width = 32 }),
            Data = new DataSpec { Store = "data", Subset = 10 },
            Training = new TrainingSpec { Epochs = 1 },
        };
        var runs = Sweep.Plan(basis, [Variation.Parse("model.width=16,48"), Variation.Parse("training.learningRate=1e-4, 1e-3")], "out");
        Assert.That(runs.Select(r => r.Name), Is.EqualTo(new[]
        {
            "width-16-learningRate-1e-4", "width-16-learningRate-1e-3", "width-48-learningRate-1e-4", "width-48-learningRate-1e-3",
        }));
        Assert.That(runs.Select(r => (((ChemGptConfig)r.Experiment.Model.Config).Width, r.Experiment.Training.LearningRate)),
            Is.EqualTo(new[] { (16, 1e-4), (16, 1e-3), (48, 1e-4), (48, 1e-3) }));
        Assert.That(runs.Select(r => r.Experiment.Id).Distinct().Count(), Is.EqualTo(4));
    }

    [TestCase("model.breadth=1")]
    [TestCase("nothing=1")]
    [TestCase("model.width")]
    [TestCase("model.width=wide")]
    public void A_variation_of_what_is_not_there_is_refused(string text)
    {
        var basis = new Experiment { Model = ModelSpec.Of(new ChemGptConfig()), Training = new TrainingSpec { Epochs = 1 } };
        Assert.That(() => Sweep.Plan(basis, [Variation.Parse(text)], "out"), Throws.TypeOf<InputException>());
    }
}
