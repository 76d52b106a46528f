using ChemScale.Engine;
using ChemScale.Engine.Scaling;
using ChemScale.Engine.Scaling.Allocation;
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
            Sources = [ReferenceData.Require("fits/chinchilla_figure4.csv")],
            NColumn = "Model Size",
            CColumn = "Training FLOP",
            Family = "chinchilla",
            DropHighest = 5,
            Resamples = 0,
        }.Run();
        Expect.Close(Math.Log(answer.Fit["A"]), 6.16924637, absolute: 1e-6);
        Expect.Close(Math.Log(answer.Fit["B"]), 7.67015673, absolute: 1e-6);
        Expect.Close(Math.Log(answer.Fit["E"]), 0.59730681, absolute: 1e-6);
        Expect.Close(answer.Fit["alpha"], 0.34731050, absolute: 1e-6);
        Expect.Close(answer.Fit["beta"], 0.36717243, absolute: 1e-6);
        Expect.AtMost(answer.Fit.Objective, 0.00101827401781);
    }

    [Test]
    public void Sizes_beyond_what_their_product_can_hold_are_answered()
    {
        File.WriteAllText(file, "n,loss\n1e150,2.6\n1e152,2.4\n1e153,2.3\n1e154,2.2\n1e155,2.1\n1e156,2.0\n");
        FitAnswer answer = new FitRequest { Sources = [file], NColumn = "n", Resamples = 0, Resource = Resource.Parameters }.Run();
        Assert.That(answer.Claim.GradeName, Is.Not.Empty);
    }

    [Test]
    public void A_loss_that_rises_is_brought_down_by_no_amount()
    {
        File.WriteAllText(file, "n,loss\n1e3,2.01\n3e3,2.10\n1e4,2.28\n3e4,2.41\n1e5,2.58\n");
        FitAnswer answer = new FitRequest { Sources = [file], NColumn = "n", Resamples = 0, TargetLosses = [2.2, 1], Resource = Resource.Parameters }.Run();
        Assert.That(answer.Requirements.Select(r => (r.Value, r.Refusal)), Is.All.EqualTo(((double?)null, "the loss rises with N: no more of it brings it down")));
    }

    [Test]
    public void An_exact_power_law_is_found_whatever_the_columns_are_called()
    {
        File.WriteAllLines(file, new double[] { 1e4, 1e5, 1e6, 1e7 }
            .Select(n => FormattableString.Invariant($"x,{n},{7 * Math.Pow(n, -0.17):R}")).Prepend("name,\"model size\",final"));
        FitAnswer answer = new FitRequest { Sources = [file], NColumn = "model size", LossColumn = "final", Resamples = 50 }.Run();
        Expect.Close(answer.Fit["beta"], 0.17, absolute: 1e-9);
        Expect.Close(answer.Fit["alpha"], 7, absolute: 1e-6);
        Assert.That(answer.Fit.Resources, Is.EqualTo(new[] { Resource.Parameters }));
    }

    [Test]
    public void Two_resources_that_vary_need_a_choice()
    {
        File.WriteAllLines(file, ["n,d,loss", "1,10,3", "2,30,2", "3,20,1.5", "4,50,1.2"]);
        Assert.That(() => new FitRequest { Sources = [file], NColumn = "n", DColumn = "d" }.Run(),
            Throws.TypeOf<InputException>().With.Message.Contains("resource"));
    }

    [Test]
    public void Questions_to_a_law_of_one_resource_are_answered_by_the_law()
    {
        Write((n, _) => 7 * Math.Pow(n, -0.17));
        FitAnswer answer = new FitRequest
        {
            Sources = [file],
            NColumn = "n",
            DColumn = "d",
            SeedColumn = "seed",
            NameColumn = "name",
            Resource = Resource.Parameters,
            Resamples = 50,
            Pool = true,
            At = [[1e9], [1e5], [1.1e9]],
            TargetLosses = [0.21, 0.05],
        }.Run();
        Expect.Close(answer.Predictions[0].Loss, 7 * Math.Pow(1e9, -0.17), absolute: 1e-9);
        Expect.Close(answer.Predictions[0].Beyond, 10, absolute: 1e-9);
        Assert.That(answer.Predictions[1].Beyond, Is.EqualTo(1));
        Assert.That(answer.Predictions[2].Loss, Is.Null, "more than ten times beyond the points");
        Assert.That(answer.Predictions[2].Refusal, Does.Contain("11 times beyond the points"));
        Expect.Close(answer.Requirements[0].Value!.Value, Math.Pow(7 / 0.21, 1 / 0.17), relative: 1e-08);
        Assert.That(answer.Requirements[1].Value, Is.Null);
        Assert.That(answer.Requirements[1].Refusal, Does.Contain("times beyond the points"));
        Assert.That(answer.Evidence!.Regime!.WholeRange, Is.True);
        Assert.That(answer.Evidence.SeedNoise!.Groups, Is.EqualTo(16));
        Expect.Below(answer.Evidence.Extrapolation!.Scores[0].LogError!.Value, 1e-6);
        Assert.That(answer.Fit.Points[0].Name, Is.EqualTo("run 0"));
    }

    [Test]
    public void Questions_to_a_law_of_parameters_and_data_are_answered_by_the_law()
    {
        static double Loss(double n, double d) => 0.7 + 50 * Math.Pow(n, -0.33) + 300 * Math.Pow(d, -0.42);
        Write(Loss);
        FitAnswer answer = new FitRequest
        {
            Sources = [file],
            NColumn = "n",
            DColumn = "d",
            Family = "chinchilla",
            Huber = 0,
            Resamples = 50,
            At = [[1e9, 1e9]],
            TargetLosses = [1, 0.6],
            Computes = [1e18, 1e30],
        }.Run();
        Expect.Close(answer.Predictions.Single().Loss, Loss(1e9, 1e9), absolute: 1e-6);
        Assert.That(answer.Optima[1].Optimum, Is.Null);
        Assert.That(answer.Optima[1].Refusal, Does.Contain("times beyond the points"));
        ComputeOptimum optimum = answer.Optima[0].Optimum!;
        foreach (double shift in (double[])[0.9, 1.1])
            Expect.Above(Loss(optimum.Parameters * shift, optimum.Data / shift), Loss(optimum.Parameters, optimum.Data));
        LeastCompute least = answer.LeastComputes[0];
        Expect.Close(Loss(least.Optimum!.Parameters, least.Optimum.Data), 1, absolute: 1e-6);
        Assert.That(answer.LeastComputes[1].Optimum, Is.Null);
        Assert.That(answer.Evidence!.Extrapolation!.Scores.Select(s => s.Form), Is.EqualTo((string[])["chinchilla", "chinchilla-without-floor"]));
        Expect.Above(answer.Evidence.Frontier!.Exponent!.Value, 0);
    }

    [Test]
    public void Weights_come_from_their_column()
    {
        // The odd point counts a thousandth of a thousandth: as good as left out.
        double[] sizes = [1e4, 1e5, 1e6, 1e7, 1e8];
        File.WriteAllLines(file, sizes.Select((n, i) => FormattableString.Invariant($"{n},{(i == 2 ? 5 : 7 * Math.Pow(n, -0.17)):R},{(i == 2 ? 1e-6 : 1)}")).Prepend("n,loss,w"));
        FitAnswer weighted = new FitRequest { Sources = [file], NColumn = "n", WeightColumn = "w", Resamples = 0 }.Run();
        FitAnswer plain = new FitRequest { Sources = [file], NColumn = "n", Resamples = 0 }.Run();
        Expect.Close(weighted.Fit["beta"], 0.17, absolute: 1e-5);
        Expect.Close(weighted.Fit["alpha"], 7, absolute: 1e-4);
        Expect.Apart(plain.Fit["alpha"], 7, by: 0.5);
    }

    /// <summary>A grid of N and D, 1e5 to 1e8, each point with two seeds.</summary>
    private void Write(Func<double, double, double> loss)
    {
        var lines = new List<string> { "name,n,d,seed,loss" };
        foreach (double n in (double[])[1e5, 1e6, 1e7, 1e8])
        {
            foreach (double d in (double[])[1e5, 1e6, 1e7, 1e8])
                foreach (int seed in (int[])[1, 2]) lines.Add(FormattableString.Invariant($"run {lines.Count - 1},{n},{d},{seed},{loss(n, d):R}"));
        }
        File.WriteAllLines(file, lines);
    }
}
