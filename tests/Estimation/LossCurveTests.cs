using ChemScale.Engine;
using ChemScale.Engine.Estimation.Curves;
using NUnit.Framework;

namespace ChemScale.Tests.Estimation;

public class LossCurveTests
{
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("curves").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(folder, true);

    [Test]
    public void Lightning_rows_become_steps_epochs_and_validations()
    {
        LossCurve curve = LossCurve.ReadCsv(Write(
            "val_loss,step,epoch,train_loss_step,train_loss_epoch\n"
            + ",0,0,4,\n,1,0,2,\n2.5,1,0,,\n,1,0,,3.5\n,2,1,1,\n,3,1,2,\n1.5,3,1,,\n,4,2,1,\n"));
        Assert.That(curve.Steps.Select(s => s.Loss), Is.EqualTo(new[] { 4.0, 2, 1, 2, 1 }));
        Assert.That(curve.StepsPerEpoch, Is.EqualTo(2));
        Assert.That(curve.Epochs, Is.EqualTo(new[] { new EpochLoss(0, 2, 6), new EpochLoss(1, 2, 3), new EpochLoss(2, 1, 1) }));
        Assert.That(curve.ReportedEpochs.Single().Mean, Is.EqualTo(3.5));
        Assert.That(curve.Validation, Is.EqualTo(new[] { new ValidationLoss(0, 1, 2.5), new ValidationLoss(1, 3, 1.5) }));
        Assert.That(curve.LastTrainingLoss, Is.EqualTo(1.5), "the last two steps: the last epoch is partial");
        Assert.That(curve.LastValidationLoss, Is.EqualTo(1.5));
        Assert.That(curve.EpochLength, Is.EqualTo(2.5));
        Assert.That(curve.Diverged, Is.False);
    }

    [Test]
    public void Columns_of_any_name_are_read_and_epochs_may_be_missing()
    {
        LossCurve curve = LossCurve.ReadCsv(Write("iteration;training loss\n10;\"3\"\n20;2\n30;nan\n"),
            new LossColumns { Epoch = null, Step = "iteration", TrainLossStep = "training loss", StepsPerEpoch = 2 }, "mine");
        Assert.That(curve.Name, Is.EqualTo("mine"));
        Assert.That(curve.Steps.Select(s => (s.Epoch, s.Step)), Is.EqualTo(new (int?, long)[] { (null, 10), (null, 20), (null, 30) }));
        Assert.That(curve.EpochLength, Is.EqualTo(1.5));
        Assert.That(curve.Diverged, Is.True);
        Assert.That(curve.Epochs, Is.Empty);
    }

    [TestCase("epoch,step,train_loss_step\n0,0,1\n0,0,1", ":3:2: \"0\" under \"step\"; expected a step after 0")]
    [TestCase("epoch,step,train_loss_step\n1,0,1\n0,1,1", ":3:1: \"0\" under \"epoch\"; expected epoch 1 or later")]
    [TestCase("epoch,step,train_loss_step\n0,,1", ":2:2: an empty cell under \"step\"; expected the number of the step")]
    [TestCase("epoch,step,train_loss_step\n0,0,high", ":2:3: \"high\" under \"train_loss_step\"")]
    [TestCase("epoch,step,train_loss_step\n-1,0,1", ":2:1: \"-1\" under \"epoch\"")]
    [TestCase("time,place\n1,2", ":1: no column of losses: time, place")]
    [TestCase("epoch,step,train_loss_step\n0,0,", ": no losses")]
    public void A_wrong_file_is_refused_by_file_line_and_column(string text, string message) =>
        Assert.That(() => LossCurve.ReadCsv(Write(text)), Throws.TypeOf<InputException>().With.Message.Contains("curve.csv" + message));

    [Test]
    public void A_column_asked_for_by_name_must_be_there() =>
        Assert.That(() => LossCurve.ReadCsv(Write("epoch,loss\n0,1"), new LossColumns { TrainLossEpoch = "Loss!" }),
            Throws.TypeOf<InputException>().With.Message.Contains("no column \"Loss!\""));

    [Test]
    public void A_prefix_holds_whole_epochs_reports_and_validations_only_once_reached()
    {
        var curve = new LossCurve("run",
            [.. Enumerable.Range(0, 6).Select(i => new StepLoss(i / 2, i, 6 - i))],
            [new EpochLoss(0, 1, 5.5), new EpochLoss(1, 1, 3.5), new EpochLoss(2, 1, 1.5)],
            [new ValidationLoss(0, 1, 5), new ValidationLoss(1, 3, 3), new ValidationLoss(2, 5, 1)]);
        LossCurve three = curve.Prefix(3), four = curve.Prefix(4);
        Assert.That(three.Steps, Has.Count.EqualTo(3));
        Assert.That(three.ReportedEpochs, Has.Count.EqualTo(1));
        Assert.That(three.Validation, Has.Count.EqualTo(1));
        Assert.That(four.ReportedEpochs, Has.Count.EqualTo(2));
        Assert.That(four.Validation, Has.Count.EqualTo(2));
        Assert.That(curve.Prefix(0).Length, Is.Zero);
        Assert.That(curve.Prefix(99).Validation, Has.Count.EqualTo(3));
    }

    [Test]
    public void A_curve_of_epochs_alone_is_cut_by_epochs()
    {
        LossCurve curve = LossCurve.ReadCsv(Write("epoch,train_loss_epoch,val_loss\n0,4,4.5\n1,3,3.5\n2,2,2.5\n"));
        Assert.That(curve.Length, Is.EqualTo(3));
        LossCurve two = curve.Prefix(2);
        Assert.That(two.Epochs.Select(e => e.Mean), Is.EqualTo(new[] { 4.0, 3 }));
        Assert.That(two.LastValidationLoss, Is.EqualTo(3.5));
    }

    private string Write(string text)
    {
        string path = Path.Combine(folder, "curve.csv");
        File.WriteAllText(path, text);
        return path;
    }
}
