using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using ChemScale.Engine.Scaling;
using NUnit.Framework;

namespace ChemScale.Tests.Scaling;

public class ScalingPointsTests
{
    private const string Text = "Model Size,loss,Training FLOP,run,s,w\n"
        + "1e6,3.5,6e12,small,1,2\n1e7,2.5,6e14,large,2,1\n1e8,2.0,6e16,largest,3,1\n";

    [Test]
    public void Named_columns_are_read_and_one_pass_supplies_the_third_resource()
    {
        ScalingPoint first = Read(Text, "Model Size", null, "Training FLOP", weight: "w", seed: "s", name: "run").Kept[0];
        Assert.That(first, Is.EqualTo(new ScalingPoint { N = 1e6, D = 1e6, C = 6e12, Loss = 3.5, Weight = 2, Seed = 1, Name = "small", Fields = first.Fields }));
        Assert.That(Read(Text, "Model Size", null, null).Kept[0].D, Is.Null);
        Assert.That(() => Read(Text, "Model Size", null, null).Kept[0].Of(Resource.Data),
            Throws.TypeOf<InputException>().With.Message.EqualTo("p.csv:2: no data; expected a number above 0"));
    }

    [Test]
    public void Points_left_out_stay_named()
    {
        ScalingPoints points = Read(Text, "Model Size", null, null, name: "run").DropHighest(1).Exclude(p => p.N > 5e7, "too large");
        Assert.That(points.Kept.Single().Name, Is.EqualTo("large"));
        Assert.That(points.Excluded.Select(e => (e.Point.Name, e.Reason)),
            Is.EqualTo(new[] { ("small", "highest losses"), ("largest", "too large") }));
        Assert.That(() => points.DropHighest(1), Throws.TypeOf<InputException>());
    }

    [TestCase("N,loss\n1e6,-1", "p.csv:2:2: \"-1\" under \"loss\"; expected a number above 0")]
    [TestCase("N,loss\n1e6,\n", "p.csv:2:2: an empty cell under \"loss\"")]
    [TestCase("N,loss\n1e6,nan", "p.csv:2:2: \"nan\"")]
    [TestCase("N,loss\nbig,1", "p.csv:2:1: \"big\" under \"N\"")]
    [TestCase("N,loss", "p.csv: no points")]
    [TestCase("n_params,loss\n1,1", "p.csv:1: no column \"N\"; expected one of \"n_params\", \"loss\"")]
    public void A_wrong_table_is_refused_by_its_place(string text, string message) =>
        Assert.That(() => Read(text, "N", null, null), Throws.TypeOf<InputException>().With.Message.StartsWith(message));

    private static ScalingPoints Read(string text, string? n, string? d, string? c, string? weight = null, string? seed = null,
        string? name = null) =>
        ScalingPoints.Of(CsvTable.Parse(text, "p.csv"), n, d, c, "loss", weight, seed, name);
}
