using ChemScale.Engine;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Statistics;
using ChemScale.Engine.Atoms.Store;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Tasks;
using NUnit.Framework;
using TorchSharp;

namespace ChemScale.Tests.Training.Tasks;

/// <summary>Isolated atoms are what energies are counted from: no frames to train on, and none to hold out.</summary>
public sealed class AtomEnergyTests
{
    private const string Hydrogen = "1\nProperties=species:S:1:pos:R:3 config_type=isolated_atom energy=-13.5\nH 0 0 0\n";
    private const string Oxygen = "1\nProperties=species:S:1:pos:R:3:forces:R:3 config_type=IsolatedAtom energy=-2040\nO 0 0 0 0 0 0\n";

    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void Isolated_atoms_are_on_neither_side_and_give_the_reference_energies()
    {
        FramePreparationReport report = Prepare(Hydrogen + Waters(20) + Oxygen + Hydrogen);
        Assert.That(report.Store.Train.Frames + report.Store.Validation.Frames, Is.EqualTo(20));
        Assert.That(report.Read, Is.EqualTo(23));
        Assert.That(report.IsolatedAtoms, Is.EqualTo(new Dictionary<int, double> { [1] = -13.5, [8] = -2040 }));
        Assert.That(References(null), Is.EqualTo((-13.5, -2040.0)));
        Assert.That(References("from-frames"), Is.EqualTo((-13.5, -2040.0)));
        Assert.That(References("H=-1 O=-2"), Is.EqualTo((-1.0, -2.0)));
        (double h, double o) = References("fit");
        Expect.Close(2 * h + o, -2070, absolute: 0.2, message: "of water alone");
        Expect.Apart(h, -13.5, by: 1, message: "a single composition tells its elements not apart");
    }

    [Test]
    public void Without_an_isolated_atom_of_each_element_a_fit_is_made_or_what_is_missing_is_named()
    {
        Prepare(Hydrogen + Waters(20));
        (double h, double o) = References(null);
        Expect.Close(2 * h + o, -2070, absolute: 0.2);
        Assert.That(() => References("from-frames"), Throws.TypeOf<InputException>().With.Message.Contains("isolated atom of O"));
        Assert.That(() => References("O=-2"), Throws.TypeOf<InputException>().With.Message.Contains("isolated atom of H"));
    }

    [Test]
    public void Atoms_of_two_energies_are_refused_and_charged_or_periodic_ones_are_frames()
    {
        Assert.That(() => Prepare(Hydrogen + Waters(3) + Hydrogen.Replace("-13.5", "-13.6")), Throws.TypeOf<InputException>().With.Message.Contains("an isolated H of -13.6 eV"));
        string proton = Oxygen.Replace("config_type", "charge=1 config_type"), crystal = Oxygen.Replace("config_type=IsolatedAtom", "Lattice=\"5 0 0 0 5 0 0 0 5\"");
        FramePreparationReport report = Prepare(Waters(10) + proton + crystal);
        Assert.That(report.IsolatedAtoms, Is.Empty);
        Assert.That(report.Store.Train.Frames + report.Store.Validation.Frames, Is.EqualTo(12));
    }

    [Test]
    public void A_file_of_energies_stands_in_the_experiment_as_one_line()
    {
        const string line = "H=-13.5 O=-2040.25";
        Assert.That(AtomEnergies.Resolve(folder.Write("a.txt", "# eV\nO  -2040.25\nH=-13.5 # of PBE\n")), Is.EqualTo(line));
        Assert.That(AtomEnergies.Resolve(folder.Write("a.json", "{\"O\": -2040.25, \"H\": -13.5}")), Is.EqualTo(line));
        Assert.That(AtomEnergies.Resolve(folder.Write("a.xyz", Hydrogen + Oxygen.Replace("-2040", "-2040.25"))), Is.EqualTo(line));
        Assert.That(AtomEnergies.Resolve("O=-2040.25,H=-13.5"), Is.EqualTo(line));
        Experiment a = Experiment("O=-2040.25,H=-13.5"), b = Experiment(folder["a.json"]);
        Assert.That(b.Id, Is.EqualTo(a.Id));
        Assert.That(b.ToYaml(), Does.Contain(line));
        Assert.That(Experiment(null).Id, Is.Not.EqualTo(a.Id));
        foreach (string wrong in (string[])["nowhere.txt", "H=x", "H=1 H=2", "Hx=1", "=", folder.Write("b.txt", "H\n"), folder.Write("b.json", "[]")])
            Assert.That(() => AtomEnergies.Resolve(wrong), Throws.TypeOf<InputException>(), wrong);
    }

    [Test]
    public void A_charge_that_the_model_cannot_know_is_refused_and_one_that_goes_with_the_atoms_is_not()
    {
        Frame[] frames = [.. Enumerable.Range(0, 4).Select(i => Water(i))];
        Frame[] ions = [frames[0], frames[1] with { Charge = 1, Spin = 1 }, frames[2]];
        var painn = new PaiNNConfig { Features = 8, Interactions = 1, RadialFunctions = 6, MaxAtomicNumber = 8 };
        var spooky = new SpookyNetConfig { Features = 8, Interactions = 1, RadialFunctions = 6, MaxAtomicNumber = 8 };
        Assert.That(() => Task(painn, ions), Throws.TypeOf<InputException>().With.Message.Contains("charge 1, spin 1").And.Message.Contains("SpookyNet"));
        Assert.That(() => Task(spooky, ions), Throws.Nothing);
        Assert.That(() => Task(painn, [.. ions.Select(f => f with { Charge = 1, Spin = 1 })], frames[3] with { Charge = 1, Spin = 1 }), Throws.Nothing);
        Frame hydroxide = new() { AtomicNumbers = [8, 1], Positions = [0, 0, 0, 1, 0, 0], Charge = -1, Energy = -2050, Forces = new double[6] };
        Assert.That(() => Task(painn, [.. frames, hydroxide]), Throws.Nothing);

        List<string> warnings = [];
        using ForceField model = painn.Create();
        var look = new UnseenElements(model, warnings.Add);
        look.Look(hydroxide);
        look.Look(hydroxide);
        Assert.That(warnings, Has.Count.EqualTo(1).And.Some.Contains("charge -1"));

        void Task(ForceFieldConfig config, Frame[] train, Frame? validation = null)
        {
            using var task = new ForceFieldTask(Of(config), train, [validation ?? frames[3]]);
        }
    }

    [Test]
    public void Errors_of_frames_of_a_kind_count_as_they_are_told_to([Values] ErrorMeasure error)
    {
        Frame[] frames = [Water(0), Water(1) with { ConfigType = "scan" }, Water(2) with { ConfigType = "dimer" }];
        using ForceField model = new PaiNNConfig { Features = 8, Interactions = 1, RadialFunctions = 6, MaxAtomicNumber = 8 }.Create();
        double[] alone = [.. frames.Select(f => Loss([f], new LabelLossSpec { Error = error }))];
        double together = Loss(frames, new LabelLossSpec { Error = error, KindWeights = "scan=5, dimer=0" });
        Expect.Close(together, (alone[0] + 5 * alone[1]) / 3, relative: 1e-12);
        Expect.Close(Loss(frames, new LabelLossSpec { Error = error }), alone.Average(), relative: 1e-12);
        foreach (string wrong in (string[])["scan", "scan=x", "scan=-1", "scan=1 scan=2", "=1", ","])
            Assert.That(() => new LabelLossSpec { KindWeights = wrong }.WeightsByKind(), Throws.TypeOf<InputException>(), wrong);
        Experiment unknown = Of(new PaiNNConfig { Features = 8, MaxAtomicNumber = 8 });
        unknown = unknown with { Training = unknown.Training with { LabelLoss = new LabelLossSpec { KindWeights = "trimer=2" } } };
        Assert.That(() => new ForceFieldTask(unknown, frames, frames), Throws.TypeOf<InputException>().With.Message.Contains("'trimer'").And.Message.Contains("dimer, scan"));

        double Loss(Frame[] some, LabelLossSpec spec)
        {
            using var batch = new LabelledFrames(some, 5, spec, null);
            using ForceFieldOutput output = batch.Evaluate(model, createGraph: false);
            using torch.Tensor loss = batch.Loss(output)!;
            return loss.item<double>();
        }
    }

    private FramePreparationReport Prepare(string text) =>
        FramePreparer.Run(new FramePreparation { Files = [folder.Write("frames.xyz", text)], Output = folder["store"], Overwrite = true, ValidationFrames = 3 });

    private (double Hydrogen, double Oxygen) References(string? atomEnergies)
    {
        using FrameStore store = FrameStore.Open(folder["store"]);
        using var task = new ForceFieldTask(Experiment(atomEnergies), store);
        double[] table = task.ForceField.ReferenceEnergies.data<double>().ToArray();
        return (table[1], table[8]);
    }

    private Experiment Experiment(string? atomEnergies) =>
        Of(new PaiNNConfig { Features = 8, Interactions = 1, RadialFunctions = 6, MaxAtomicNumber = 8 }) with
        { Data = new DataSpec { Store = folder["store"], AtomEnergies = atomEnergies } };

    private static Experiment Of(ForceFieldConfig config) => new() { Model = ModelSpec.Of(config), Training = new TrainingSpec { Steps = 1 } };

    private static Frame Water(int i) => new()
    {
        AtomicNumbers = [8, 1, 1],
        Positions = [0, 0, 0, 0.96 + 0.01 * i, 0, 0, -0.24, 0.93, 0.02 * i],
        Energy = -2070 + 0.01 * i,
        Forces = new double[9],
    };

    private static string Waters(int count)
    {
        using var text = new StringWriter();
        var writer = new ChemScale.Engine.Atoms.Formats.ExtXyz.ExtXyzWriter(text);
        for (int i = 0; i < count; i++) writer.Write(Water(i));
        return text.ToString();
    }
}
