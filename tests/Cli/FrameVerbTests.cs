using System.Text.Json;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Embedded;
using ChemScale.Engine.Atoms.Formats.ExtXyz;
using ChemScale.Tests.Studies.Evaluation;
using NUnit.Framework;
using PureHDF;

namespace ChemScale.Tests.Cli;

/// <summary>evaluate and predict from the command line: what they print, and what they refuse in one line.</summary>
public sealed class FrameVerbTests
{
    private const string Two = "2\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1 pbc=\"F F F\"\n";

    private static readonly string[] Bad =
    [
        "cut.npz", "keyless.h5 --units eV", "few.xyz", "noforce.xyz", "alien.xyz", "unstated.npz", "unstated.h5", "collision.xyz",
        "flat.xyz", "wordy.xyz", "empty.xyz", "heavy.xyz", "nowhere.xyz", "frames.pdf", "infinite.xyz",
    ];

    private static string run = "";

    [OneTimeSetUp]
    public void Make()
    {
        run = SmallForceField.Train(Workplace.In("force-field"));
        string good = EmbeddedFrames.ExtractTo(Workplace.In("embedded"), ["methylamine"])[0];
        byte[] npz = File.ReadAllBytes(good);
        Workplace.Write("cut.npz", npz[..(npz.Length / 2)]);
        new H5File { ["molecule"] = new H5Group { ["energies"] = new[] { 1.0 } } }.Write(Workplace.In("keyless.h5"));
        var molecule = new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { 1, 1 }, ["energies"] = new[] { 1.0 } };
        new H5File { ["molecule"] = molecule }.Write(Workplace.In("unstated.h5"));
        using (var unstated = new ChemScale.Engine.Atoms.Formats.Npz.NpzWriter(Workplace.In("unstated.npz")))
        {
            unstated.Add("z", (ReadOnlySpan<int>)[1, 1], 2);
            unstated.Add("R", (ReadOnlySpan<double>)[0, 0, 0, 0, 0, 1], 1, 2, 3);
            unstated.Add("E", (ReadOnlySpan<double>)[-1], 1);
            unstated.Complete();
        }
        Workplace.Write("few.xyz", "3" + Two[1..] + "O 0 0 0 0 0 0\nH 0 0 1 0 0 0\n");
        Workplace.Write("noforce.xyz", Two + "O 0 0 0 0 0 0\nH 0 0 1\n");
        Workplace.Write("alien.xyz", Two + "O 0 0 0 0 0 0\nQq 0 0 1 0 0 0\n");
        Workplace.Write("heavy.xyz", Two + "O 0 0 0 0 0 0\nAu 0 0 1 0 0 0\n");
        Workplace.Write("collision.xyz", Two + "O 0 0 0 0 0 0\nH 0 0 0 0 0 0\n");
        Workplace.Write("infinite.xyz", Two + "O 0 0 0 0 0 0\nH 0 0 inf 0 0 0\n");
        Workplace.Write("wordy.xyz", Two + "O 0 0 0 0 0 0\nH 0 0 up 0 0 0\n");
        string flat = Two.Replace("pbc=\"F F F\"", "pbc=\"T T T\" Lattice=\"3 0 0 0 3 0 3 3 0\"");
        Workplace.Write("flat.xyz", flat + "O 0 0 0 0 0 0\nH 0 0 1 0 0 0\n");
        Workplace.Write("empty.xyz", "");
        Workplace.Write("frames.pdf", "%PDF-1.4\n");
        Workplace.Write("good.xyz", Two + "O 0 0 0 0 0 0.5\nH 0 0 1 0 0 -0.5\n");
    }

    [TestCaseSource(nameof(Bad))]
    public void Frames_that_make_no_sense_are_refused(string arguments)
    {
        string[] words = arguments.Split(' ');
        string file = Workplace.In(words[0]), output = Workplace.In("refused");
        Outcome outcome = BadInputTests.Refused(["evaluate", "--run", run, "--frames", file, .. words[1..], "--out", output]);
        Assert.That(outcome.Error, Does.Contain(words[0]), "the line names the file");
        // Behind a good frame too, which has then been computed.
        BadInputTests.Refused(["evaluate", "--run", run, "--frames", Workplace.In("good.xyz"), file, .. words[1..], "--out", output]);
        Assert.That(Directory.Exists(output), Is.False);
    }

    [TestCase("--run nowhere"), TestCase("--run STORE"), TestCase("--run LANGUAGE"), TestCase("--batch-atoms 0"), TestCase("--threads -1"), TestCase("--threads 2000000000")]
    [TestCase("--limit 0"), TestCase("--units parsec"), TestCase("--length-units eV"), TestCase("--precision float8")]
    [TestCase("--out IMPOSSIBLE"), TestCase("--energy-key nope")]
    public void Evaluations_that_cannot_be_are_refused(string options)
    {
        string[] words = [.. options.Split(' ').Select(w => w switch
        {
            "STORE" => Workplace.Store, "LANGUAGE" => Workplace.CompleteRun, "IMPOSSIBLE" => Workplace.Impossible, _ => w,
        })];
        string[] runs = words.Contains("--run") ? [] : ["--run", run];
        string[] output = words.Contains("--out") ? [] : ["--out", Workplace.In("refused")];
        BadInputTests.Refused(["evaluate", .. runs, "--frames", Workplace.In("good.xyz"), .. output, .. words]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [Test]
    public void Frames_without_any_label_are_refused()
    {
        string file = Workplace.Write("unlabelled.xyz", "2\n\nO 0 0 0\nH 0 0 1\n");
        BadInputTests.Refused(["evaluate", "--run", run, "--frames", file, "--out", Workplace.In("refused")]);
        BadInputTests.Refused(["evaluate", "--run", run, "--out", Workplace.In("refused")]);
        Assert.That(Directory.Exists(Workplace.In("refused")), Is.False);
    }

    [Test]
    public void Predictions_go_to_another_extxyz()
    {
        string file = Workplace.In("good.xyz");
        byte[] before = File.ReadAllBytes(file);
        BadInputTests.Refused(["predict", "--run", run, "--frames", file, "--out", file]);
        BadInputTests.Refused(["predict", "--run", run, "--frames", file, "--out", Workplace.In("predicted.npz")]);
        BadInputTests.Refused(["predict", "--run", run, "--frames", Workplace.In("collision.xyz"), "--out", Workplace.In("predicted.xyz")]);
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(before));
        Assert.That(Directory.GetFiles(Workplace.In(""), "predicted*"), Is.Empty);
    }

    [Test]
    public void Embedded_frames_are_evaluated_and_predicted()
    {
        string file = Path.Combine(Workplace.In("embedded"), "methylamine.npz");
        string[] evaluate = ["evaluate", "--run", run, "--frames", file, "--limit", "20", "--out", Workplace.In("evaluated")];
        Outcome evaluated = CommandLine.Here([.. evaluate, "--json"]);
        Assert.That(evaluated.ExitCode, Is.Zero, evaluated.ToString());
        using JsonDocument report = JsonDocument.Parse(evaluated.Output);
        Assert.That(report.RootElement.GetProperty("frames").GetInt64(), Is.EqualTo(20));
        IEnumerable<string> elements = report.RootElement.GetProperty("forcesByElement").EnumerateObject().Select(p => p.Name);
        Assert.That(elements, Is.EqualTo(new[] { "H", "C", "N" }));
        Outcome table = CommandLine.Here([.. evaluate, "--shift-energies"]);
        Assert.That(table.Output, Does.Contain("meV/atom").And.Contain("on N").And.Contain("methylamine").And.Contain("median offset"));
        string output = Workplace.In("methylamine.extxyz");
        Outcome predicted = CommandLine.Here("predict", "--run", run, "--frames", file, Workplace.In("unstated.npz"), "--out", output);
        Assert.That(predicted.ExitCode, Is.Zero, predicted.ToString());
        Frame[] frames = [.. ExtXyzReader.Read(output)];
        Assert.That(frames, Has.Length.EqualTo(EmbeddedFrames.FramesPerMolecule + 1));
        Assert.That(frames.All(f => f.HasEnergy && f.HasForces));
    }
}
