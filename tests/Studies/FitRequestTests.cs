using ChemScale.Engine;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Studies.Fits;
using NUnit.Framework;

namespace ChemScale.Tests.Studies;

public class FitRequestTests
{
    private string file = "";

    [SetUp]
    public void MakeFile() => file = Path.Combine(Path.GetTempPath(), $"chemscale-fit-{Guid.NewGuid():N}.csv");

    [TearDown]
    public void RemoveFile() => File.Delete(file);

    [Test, Category("Data")]
    public void The_published_figure_gives_the_reference_optimum()
    {
        FitAnswer answer = new FitRequest
        {
            Sources = [DataFolder.Require("fits/chinchilla_figure4.csv")],
            NColumn = "Model Size",
            CColumn = "Training FLOP",
            Family = "chinchilla",
            DropHighest = 5,
            Resamples = 0,
        }.Run();
        Assert.That(Math.Log(answer.Fit["A"]), Is.EqualTo(6.16924637).Within(1e-6));
        Assert.That(Math.Log(answer.Fit["B"]), Is.EqualTo(7.67015673).Within(1e-6));
        Assert.That(Math.Log(answer.Fit["E"]), Is.EqualTo(0.59730681).Within(1e-6));
        Assert.That(answer.Fit["alpha"], Is.EqualTo(0.34731050).Within(1e-6));
        Assert.That(answer.Fit["beta"], Is.EqualTo(0.36717243).Within(1e-6));
        Assert.That(answer.Fit.Objective, Is.LessThanOrEqualTo(0.00101827401781));
    }

    [Test]
    public void An_exact_power_law_is_found_whatever_the_columns_are_called()
    {
        File.WriteAllLines(file, new double[] { 1e4, 1e5, 1e6, 1e7 }.Select(n => FormattableString.Invariant($"x,{n},{7 * Math.Pow(n, -0.17):R}")).Prepend("name,\"model size\",final"));
        FitAnswer answer = new FitRequest { Sources = [file], NColumn = "model size", LossColumn = "final", Resamples = 50 }.Run();
        Assert.That(answer.Fit["beta"], Is.EqualTo(0.17).Within(1e-9));
        Assert.That(answer.Fit["alpha"], Is.EqualTo(7).Within(1e-6));
        Assert.That(answer.Fit.Resources, Is.EqualTo(new[] { Resource.Parameters }));
    }

    [Test]
    public void Two_resources_that_vary_need_a_choice()
    {
        File.WriteAllLines(file, ["n,d,loss", "1,10,3", "2,30,2", "3,20,1.5", "4,50,1.2"]);
        Assert.That(() => new FitRequest { Sources = [file], NColumn = "n", DColumn = "d" }.Run(),
            Throws.TypeOf<InputException>().With.Message.Contains("--resource"));
    }
}
