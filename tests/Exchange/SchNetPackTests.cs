using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Exchange;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Tests.Models.ForceFields;
using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Tests.Exchange;

public sealed class SchNetPackTests
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void Make() => folder = new TemporaryFolder();

    [TearDown]
    public void Remove() => folder.Dispose();

    [Test, Category("Data")]
    public void A_published_model_comes_in_with_its_energies_and_goes_out_and_in_unchanged()
    {
        string weights = ReferenceData.Require("fixtures/painn_1_weights.npz");
        var recorded = new NpzFile(ReferenceData.Require("fixtures/painn_1_expected16.npz"));
        using DisposeScope scope = NewDisposeScope();
        var file = new NpzFile(weights);
        string source = Directory.CreateDirectory(folder["source"]).FullName;
        // Its state_dict is in kcal/mol.
        File.WriteAllBytes(Path.Combine(source, "pytorch_model.bin"),
            TorchFile.Of(file.Names.Where(n => !n.EndsWith("atomref", StringComparison.Ordinal)).Select(n => (n, file.Shape(n), file.Doubles(n).Select(v => (float)v).ToArray()))));
        File.WriteAllText(Path.Combine(source, "config.json"), """
            {"format": "schnetpack", "representation": "PaiNN", "n_atom_basis": 128, "n_interactions": 3, "n_rbf": 20, "radial_basis": "GaussianRBF", "cutoff_fn": "CosineCutoff",
             "cutoff": 5.0, "energy_unit": "kcal/mol", "distance_unit": "Ang"}
            """);
        ExchangeReport report = ModelExchange.Import(new ImportRequest { Folder = source, Output = folder["run"] }, Fail);
        Assert.That(report.Notes, Has.One.Contains("kcal/mol"));
        Same(folder["run"]);

        ModelExchange.Export(folder["run"], ExchangeFormat.SchNetPack, folder["out"], Fail);
        Assert.That(Directory.GetFiles(folder["out"]).Select(Path.GetFileName), Is.EquivalentTo((string[])["config.json", "model.safetensors", "load_model.py"]));
        ModelExchange.Import(new ImportRequest { Folder = folder["out"], Output = folder["again"] }, Fail);
        Same(folder["again"]);

        void Same(string run)
        {
            using ForceField model = TrainedForceField.Open(run, Fail);
            int[] numbers = recorded.Ints("Z");
            double[] positions = recorded.Doubles("R");
            int atoms = numbers.Length;
            TestFrame[] frames = [.. Enumerable.Range(0, (int)recorded.Shape("R")[0]).Select(f => new TestFrame(numbers,
                [.. Enumerable.Range(f * atoms, atoms).Select(a => positions[(3 * a)..(3 * a + 3)])]))];
            using GraphBatch batch = TestFrame.Batch(model.Config.Cutoff, frames);
            ForceFieldOutput output = model.Evaluate(batch);
            double unit = EnergyUnit.KilocaloriePerMole.ElectronVolts;
            Expect.Close(output.Energies / unit, recorded.Tensor("E"), absolute: 2e-2);
            Expect.Close(output.Forces!.view(-1, atoms, 3) / unit, recorded.Tensor("F"), absolute: 5e-3);
        }
    }

    [Test]
    public void Every_tensor_of_a_model_goes_out_under_its_published_name_and_comes_in_again([Values("SchNet", "PaiNN")] string kind)
    {
        using DisposeScope scope = NewDisposeScope();
        ForceFieldConfig config = kind == "PaiNN" ? new PaiNNConfig { Features = 8, Interactions = 2, RadialBasis = RadialBasisKind.Bessel }
            : new SchNetConfig { Features = 8, Filters = 6, Interactions = 2, Cutoff = 4 };
        using ForceField model = config.Create(3, ScalarType.Float64);
        using (no_grad()) model.ReferenceEnergies.copy_(arange(100, dtype: ScalarType.Float64));
        string run = Run("run", model);
        ModelExchange.Export(run, ExchangeFormat.SchNetPack, folder["out"], Fail);
        ModelExchange.Import(new ImportRequest { Folder = folder["out"], Output = folder["again"] }, Fail);
        using ForceField again = TrainedForceField.Open(folder["again"], Fail);
        Assert.That(again.Config, Is.EqualTo(config));
        Dictionary<string, Tensor> expected = model.state_dict();
        foreach ((string name, Tensor tensor) in again.state_dict()) Expect.Close(tensor, expected[name], message: name);

        string path = Path.Combine(folder["out"], "config.json");
        JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
        json["n_interactions"] = 1;
        File.WriteAllText(path, json.ToJsonString());
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = folder["out"], Output = folder["other"] }, Fail),
            Refused.With("representation.interactions.1").Or.Message.Contains("shape"));
        json["representation"] = "Allegro";
        File.WriteAllText(path, json.ToJsonString());
        Assert.That(() => ModelExchange.Import(new ImportRequest { Folder = folder["out"], Output = folder["other"] }, Fail), Refused.With("SchNet"));
    }

    [Test]
    public void Models_that_schnetpack_does_not_have_are_refused()
    {
        using ForceField polynomial = new SchNetConfig { Features = 4, Interactions = 1, CutoffFunction = CutoffKind.Polynomial }.Create();
        Assert.That(() => ModelExchange.Export(Run("polynomial", polynomial), ExchangeFormat.SchNetPack, folder["out"], Fail), Refused.With("polynomial"));
        Assert.That(() => ModelExchange.Export(folder["polynomial"], ExchangeFormat.HuggingFace, folder["out"], Fail), Refused.With("schnet"));
        Assert.That(Directory.Exists(folder["out"]), Is.False);
    }

    private string Run(string name, ForceField model)
    {
        string weights = folder.Write(name + ".bin", "weights");
        var experiment = new ChemScale.Engine.Training.Experiments.Experiment { Model = ChemScale.Engine.Training.Experiments.ModelSpec.Of(model.Config) };
        bool wide = model.parameters().First().dtype == ScalarType.Float64;
        if (wide) experiment = experiment with { Training = new() { Dtype = ChemScale.Engine.Training.Experiments.Precision.Float64 } };
        ImportedRun.Write(new ImportRequest { Folder = folder.Path, Output = folder[name] }, weights, model, experiment, new Dictionary<string, byte[]>(), Fail, default);
        return folder[name];
    }

    private static void Fail(string warning) => Assert.Fail(warning);
}
