using ChemScale.Engine;
using ChemScale.Engine.Estimation.Curves;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class CurveTableTests
{
    [Test]
    public void Wide_long_and_single_tables_of_the_same_losses_give_the_same_curves()
    {
        IReadOnlyList<LossCurve> wide = Of("epoch,a,b\n0,4,5\n1,3,\n2,2,4\n");
        IReadOnlyList<LossCurve> rows = Of("run,epoch,loss\na,0,4\nb,0,5\na,1,3\na,2,2\nb,2,4\n");
        LossCurve single = Of("epoch,my loss\n0,4\n1,3\n2,2\n", new CurveColumns { Loss = "my loss" }).Single();
        Assert.That(wide.Select(c => c.Name), Is.EqualTo(new[] { "a", "b" }));
        for (int i = 0; i < 2; i++)
        {
            Assert.That(rows[i].Name, Is.EqualTo(wide[i].Name));
            Assert.That(rows[i].Epochs, Is.EqualTo(wide[i].Epochs));
        }
        Assert.That(single.Epochs, Is.EqualTo(wide[0].Epochs));
        Assert.That(wide[1].Epochs.Select(e => e.Epoch), Is.EqualTo(new[] { 0, 2 }), "an empty cell was not measured");
    }

    [Test]
    public void Several_losses_of_an_epoch_are_its_mini_batches()
    {
        LossCurve curve = Of("run;epoch;loss\na;0;4\na;0;2\na;1;2\na;1;1\n").Single();
        Assert.That(curve.Steps.Select(s => s.Step), Is.EqualTo(new long[] { 0, 1, 2, 3 }));
        Assert.That(curve.StepsPerEpoch, Is.EqualTo(2));
        Assert.That(curve.Epochs.Select(e => e.Mean), Is.EqualTo(new[] { 3, 1.5 }));
    }

    [Test]
    public void Named_columns_and_steps_without_epochs_are_read()
    {
        LossCurve curve = Of("trial,iteration,nll\nx,10,4\nx,20,3\nx,30,nan\n",
            new CurveColumns { Run = "trial", Step = "iteration", Loss = "nll", StepsPerEpoch = 2 }).Single();
        Assert.That(curve.Steps.Select(s => s.Step), Is.EqualTo(new long[] { 10, 20, 30 }));
        Assert.That(curve.EpochLength, Is.EqualTo(1.5));
        Assert.That(curve.Diverged, Is.True);
    }

    [Test]
    public void Lightnings_columns_are_one_run()
    {
        LossCurve curve = Of("epoch,step,train_loss_step,train_loss_epoch,val_loss\n0,0,3,,\n0,1,1,,\n0,1,,2,2.5\n").Single();
        Assert.That(curve.Name, Is.EqualTo("curves"));
        Assert.That(curve.Steps, Has.Count.EqualTo(2));
        Assert.That(curve.LastValidationLoss, Is.EqualTo(2.5));
    }

    [TestCase("a,b\n1,2", "curves.csv:1: no column run, epoch or step: a, b")]
    [TestCase("run,loss\na,2", "curves.csv:1: no column epoch or step: run, loss")]
    [TestCase("run,epoch,points\na,0,2", "curves.csv:1: no column of losses")]
    [TestCase("epoch,a\n0,high", "curves.csv:2:2: \"high\" under \"a\"")]
    [TestCase("epoch,a,b\n0,1,\n1,1,", "no losses of run \"b\"")]
    [TestCase("run,step,loss\na,2,1\na,1,1", "curves.csv:3:2: \"1\" under \"step\"")]
    [TestCase("run,epoch,loss\na,2,1\na,1,1", "curves.csv:3:2: \"1\" under \"epoch\"")]
    [TestCase("epoch,a\n,1", "curves.csv:2:1: an empty cell under \"epoch\"")]
    public void A_wrong_table_is_refused_by_line_and_column(string text, string message) =>
        Assert.That(() => Of(text), Throws.TypeOf<InputException>().With.Message.Contains(message));

    private static IReadOnlyList<LossCurve> Of(string text, CurveColumns? columns = null) => CurveTable.Of(CsvTable.Parse(text, "curves.csv"), columns ?? new CurveColumns());
}
