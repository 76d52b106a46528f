using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Evaluation;
using ChemScale.Engine.Studies.Runs;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Evaluation;

public sealed class ForceFieldEvaluationTests
{
    private TemporaryFolder folder = null!;
    private string run = null!;

    [OneTimeSetUp]
    public void Make()
    {
        folder = new TemporaryFolder();
        run = SmallForceField.Train(folder["run"]);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Predictions_read_back_as_the_model_gives_them()
    {
        Frame charged = SmallForceField.Molecules(1)[0] with { Charge = 1, Spin = 2 };
        Frame[] frames = [.. SmallForceField.Molecules(5), SmallForceField.Crystal(6), charged];
        PredictionOptions options = Options(Saved("frames.xyz", frames), folder["predicted.extxyz"]) with { BatchAtoms = 9 };
        List<string> warnings = [];
        PredictionReport report = ForceFieldPrediction.Run(options, warnings.Add);
        Assert.That(warnings, Has.Count.EqualTo(1).And.Some.Contains("charge 1, spin 2"), "of the last frame, which PaiNN cannot know");
        Assert.That((report.Frames, report.Atoms, report.PeriodicFrames), Is.EqualTo((7, frames.Sum(f => f.Atoms), 1)));
        Frame[] read = [.. ExtXyzReader.Read(report.Output)];
        using ForceField model = TrainedForceField.Open(run, Unwarned);
        for (int i = 0; i < frames.Length; i++)
        {
            FramePrediction expected = FramePrediction.Of(model, frames[i], stress: true);
            Expect.Close(read[i].Energy, expected.Energy, absolute: 1e-10);
            Expect.Close(read[i].Forces, expected.Forces, absolute: 1e-10);
            if (expected.Stress is null) Assert.That(read[i].Stress, Is.Null);
            else Expect.Close(read[i].Stress, expected.Stress, absolute: 1e-10);
            Assert.That(read[i].Positions, Is.EqualTo(frames[i].Positions));
            Assert.That(Kept(read[i]), Is.EqualTo(Kept(frames[i])));
        }
    }

    private static (string?, double, double) Kept(Frame frame) => (frame.ConfigType, frame.Charge, frame.Spin);

    [Test]
    public void Geometries_without_labels_or_units_are_enough_for_predictions()
    {
        string file = folder.Write("plain.xyz", "2\n\nO 0 0 0\nH 0 0 1\n");
        PredictionOptions options = Options(file, folder["plain.extxyz"]) with { Read = new FrameReadOptions { GeometryOnly = true } };
        Assert.That(ForceFieldPrediction.Run(options, Unwarned).Frames, Is.EqualTo(1));
        Assert.That(ExtXyzReader.Read(options.Output).Single().HasForces);
    }

    [Test]
    public void Errors_are_those_of_the_labels_that_are_there()
    {
        Frame[] frames = [.. SmallForceField.Molecules(9), SmallForceField.Crystal(4), SmallForceField.Crystal(6) with { Stress = null }];
        frames[1] = frames[1] with { Energy = null };
        frames[2] = frames[2] with { Forces = null };
        frames[3].Forces![4] = double.NaN;
        EvaluationReport report = Evaluate(frames, "errors");
        using ForceField model = TrainedForceField.Open(run, Unwarned);
        FramePrediction[] predictions = [.. frames.Select(f => FramePrediction.Of(model, f, stress: true))];
        double[] energies = [.. frames.Zip(predictions).Where(p => p.First.HasEnergy).Select(p => p.Second.Energy - p.First.Energy!.Value)];
        (int Element, double Error)[] forces =
        [
            .. frames.Zip(predictions).Where(p => p.First.Forces is not null)
                .SelectMany(p => p.First.Forces!.Select((f, i) => (p.First.AtomicNumbers[i / 3], p.Second.Forces[i] - f)))
                .Where(e => !double.IsNaN(e.Item2)),
        ];
        Assert.Multiple(() =>
        {
            Assert.That((report.Frames, report.FramesWithoutEnergy, report.FramesWithoutForces), Is.EqualTo((11, 1, 1)));
            Assert.That((report.MissingForceComponents, report.PeriodicFrames, report.PeriodicFramesWithoutStress), Is.EqualTo((1, 2, 1)));
            Expect.Close(report.Energy!.ElectronVolt.Mae, energies.Average(Math.Abs), absolute: 1e-10);
            Expect.Close(report.Energy.ElectronVolt.Rmse, Math.Sqrt(energies.Average(e => e * e)), absolute: 1e-10);
            Expect.Close(report.Energy.KilocaloriePerMole.Mae, 23.060548 * energies.Average(Math.Abs), relative: 1e-07);
            Expect.Close(report.Forces!.ElectronVoltPerAngstrom.Mae, forces.Average(f => Math.Abs(f.Error)), absolute: 1e-10);
            Assert.That(report.Forces.ElectronVoltPerAngstrom.Count, Is.EqualTo(forces.Length));
            Assert.That(report.ForcesByElement.Keys, Is.EqualTo(forces.Select(f => f.Element).Distinct().Order().Select(Elements.Symbol)));
            foreach (IGrouping<int, (int Element, double Error)> group in forces.GroupBy(f => f.Element))
            {
                double mae = group.Average(f => Math.Abs(f.Error));
                Expect.Close(report.ForcesByElement[Elements.Symbol(group.Key)].Mae, mae, absolute: 1e-10);
            }
            Expect.Close(report.Stress!.ElectronVoltPerCubicAngstrom.Mae, predictions[9].Stress!.Zip(frames[9].Stress!, (a, b) => Math.Abs(a - b)).Average(), absolute: 1e-10);
            Assert.That(report.ByConfigType.Select(t => (t.Name, t.Frames)), Is.EqualTo(new[] { ("even", 7L), ("odd", 4L) }));
            Assert.That(report.Shift, Is.Null);
        });
    }

    [Test]
    public void The_offset_taken_away_is_the_median_error()
    {
        Frame[] frames = SmallForceField.Molecules(9);
        EvaluationReport plain = Evaluate(frames, "plain", shift: true);
        EvaluationReport moved = Evaluate([.. frames.Select(f => f with { Energy = f.Energy - 100 })], "moved", shift: true);
        Expect.Close(moved.Energy!.ElectronVolt.Mae, 100, absolute: 5.0);
        Expect.Close(moved.Shift!.Offset - plain.Shift!.Offset, 100, absolute: 1e-9);
        Expect.Close(moved.Shift.Energy.ElectronVolt.Mae, plain.Shift.Energy.ElectronVolt.Mae, absolute: 1e-9);
        Expect.AtMost(plain.Shift.Energy.ElectronVolt.Mae, plain.Energy!.ElectronVolt.Mae);
        Assert.That((plain.Shift.Exact, plain.Shift.Frames), Is.EqualTo((true, 9)));
    }

    [Test]
    public void The_files_hold_what_the_report_says()
    {
        Frame[] frames = SmallForceField.Molecules(6);
        frames[5] = frames[5] with { Energy = null };
        EvaluationReport report = Evaluate(frames, "files");
        string output = Path.GetDirectoryName(report.Page)!;
        string[] names = ["errors.json", "frames.extxyz", "parity.csv", "parity.html"];
        Assert.That(Directory.GetFiles(output).Select(Path.GetFileName), Is.EquivalentTo(names));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "errors.json")));
        Assert.That(json.RootElement.GetProperty("forces").GetProperty("electronVoltPerAngstrom").GetProperty("mae").GetDouble(),
            Is.EqualTo(report.Forces!.ElectronVoltPerAngstrom.Mae));
        Assert.That(json.RootElement.GetProperty("page").GetString(), Is.EqualTo("parity.html"), "wherever the folder is moved to");
        string[][] rows = [.. File.ReadAllLines(Path.Combine(output, "parity.csv")).Select(line => line.Split(','))];
        rows = [.. rows.Where(row => row[0] == "force_ev_per_angstrom")];
        double mean = rows.Average(cells => Math.Abs(Number(cells[6]) - Number(cells[5])));
        Expect.Close(mean, report.Forces.ElectronVoltPerAngstrom.Mae, absolute: 1e-12, message: "few points: all are there");
        XElement page = XDocument.Parse(File.ReadAllText(report.Page)).Root!;
        Assert.That(page.Descendants("figure").Count(), Is.EqualTo(3));
        string path = Path.Combine(output, "frames.extxyz");
        var plain = new FrameReadOptions { EnergyKey = "energy", ForcesKey = "forces" };
        Frame[] references = [.. ExtXyzReader.Read(path)], predictions = [.. ExtXyzReader.Read(path, plain)];
        Assert.That(references.Take(5).Select(f => f.Energy), Is.EqualTo(frames.Take(5).Select(f => f.Energy)));
        Assert.That(references[5].HasEnergy, Is.False, "a prediction is not taken for a label");
        Assert.That(references.Select(f => f.Forces), Is.EqualTo(frames.Select(f => f.Forces)));
        double mae = predictions.Take(5).Zip(frames, (p, f) => Math.Abs(p.Energy!.Value - f.Energy!.Value)).Average();
        Expect.Close(mae, report.Energy!.ElectronVolt.Mae, absolute: 1e-10);
    }

    [Test]
    public void Elements_the_model_never_saw_are_told_of_once()
    {
        Frame[] frames = [.. SmallForceField.Molecules(2).Select(f => f with { AtomicNumbers = [9, 9, .. f.AtomicNumbers[2..]] })];
        List<string> warnings = [];
        ForceFieldPrediction.Run(Options(Saved("fluorine.xyz", frames), folder["fluorine.extxyz"]), warnings.Add);
        Assert.That(warnings, Has.Count.EqualTo(1).And.One.Contains("no F"));
    }

    [Test]
    public void Batches_leave_no_tensors_behind()
    {
        long few = Growth(3), many = Growth(30);
        Assert.That(many, Is.EqualTo(few), "what opening a model leaves to the finalizer, and nothing for each batch");

        long Growth(int frames)
        {
            long before = TensorCount.Now;
            Evaluate(SmallForceField.Molecules(frames), "tensors");
            return TensorCount.Now - before;
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    private static void Unwarned(string message) => Assert.Fail(message);

    private PredictionOptions Options(string file, string output) => new() { Run = run, Files = [file], Output = output };

    private EvaluationReport Evaluate(Frame[] frames, string name, bool shift = false)
    {
        string file = Saved(name + ".xyz", frames);
        return ForceFieldEvaluation.Run(
            new EvaluationOptions { Run = run, Files = [file], Output = folder[name], ShiftEnergies = shift, BatchAtoms = 10 }, Unwarned);
    }

    private string Saved(string name, Frame[] frames)
    {
        using var text = new StreamWriter(folder[name]);
        var writer = new ExtXyzWriter(text);
        foreach (Frame frame in frames) writer.Write(frame);
        return folder[name];
    }
}
