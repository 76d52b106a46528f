using System.Text.Json;
using System.Text.Json.Nodes;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Stores;
using ChemScale.Engine.Studies.Runs;
using ChemScale.Engine.Training.Checkpoints;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Exchange;

/// <summary>
/// SchNet and PaiNN as a folder of a schnetpack (2.x) state_dict, the shape of the model, and a script that makes it. In eV and Angstrom.
/// </summary>
internal static class SchNetPackFolder
{
    public const string ConfigFile = "config.json";

    private const string Weights = "model.safetensors", Script = "load_model.py", Format = "schnetpack";
    private const string Table = "representation.embedding.weight", Head = "output_modules.0.outnet.1.", References = "postprocessors.1.atomref", Mean = "postprocessors.1.mean";
    private const string Gaussian = "GaussianRBF", Bessel = "BesselRBF", Cosine = "CosineCutoff";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Whether a config.json is one of these folders'.</summary>
    public static bool Is(string path)
    {
        using JsonDocument document = JsonPlace.Document(File.ReadAllBytes(path), path);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("format", out JsonElement format)
            && format.ValueKind == JsonValueKind.String && format.ValueEquals(Format);
    }

    public static ExchangeReport Write(string run, NewFolder folder, Action<string> warn)
    {
        using ForceField model = TrainedForceField.Open(run, warn);
        if (model.Config is not RadialForceFieldConfig config || (model.Config is not (PaiNNConfig or SchNetConfig)))
            throw new InputException(run, $"the run of a {model.Config.Title}", "one of a SchNet or PaiNN, which schnetpack has");
        if (config.CutoffFunction != CutoffKind.Cosine) throw new InputException(run, "a polynomial cutoff", "the cosine cutoff, which schnetpack has");
        Experiment experiment = new RunDirectory(run).ReadExperiment();
        KeyValuePair<string, Tensor>[] tensors =
        [
            .. model.PublishedWeights.Select(w => KeyValuePair.Create(w.Name, (Tensor)w.Weight)), .. model.PublishedBuffers.Select(b => KeyValuePair.Create(b.Name, b.Values)),
            KeyValuePair.Create(References, model.ReferenceEnergies),
        ];
        folder.Write(Weights, stream => SafetensorsWriter.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" }));
        var json = new JsonObject
        {
            ["format"] = Format,
            ["representation"] = config.Title,
            ["n_atom_basis"] = config is PaiNNConfig painn ? painn.Features : ((SchNetConfig)config).Features,
            ["n_interactions"] = config is PaiNNConfig p ? p.Interactions : ((SchNetConfig)config).Interactions,
            ["n_rbf"] = config.RadialFunctions,
            ["radial_basis"] = config.RadialBasis == RadialBasisKind.Gaussian ? Gaussian : Bessel,
            ["cutoff_fn"] = Cosine,
            ["cutoff"] = config.Cutoff,
            ["max_z"] = config.MaxAtomicNumber + 1,
            ["energy_unit"] = "eV",
            ["distance_unit"] = "Ang",
            ["dtype"] = Scalars.Format(experiment.Training.Dtype),
            ["experiment"] = experiment.Id,
        };
        if (config is SchNetConfig schNet) json["n_filters"] = schNet.FilterWidth;
        if (config is PaiNNConfig norm) json["epsilon"] = norm.NormEpsilon;
        folder.Write(ConfigFile, json.ToJsonString(Readable) + "\n");
        folder.Write(Script, LoadScript);
        return new ExchangeReport("", ExchangeFormat.SchNetPack, experiment.Id, model.ParameterCount, []);
    }

    public static ExchangeReport Read(ImportRequest request, Action<string> warn, CancellationToken stop)
    {
        string place = Path.Combine(request.Folder, ConfigFile);
        RadialForceFieldConfig config = ReadConfig(place, request.Units, out EnergyUnit unit);
        using WeightFile file = WeightFile.Find(request.Folder, Weights, "pytorch_model.bin", "model.pt", "state_dict.pt");
        using Tensor table = file.Read(Table) ?? throw new InputException(file.Path, $"no tensor '{Table}'", "the state_dict of a schnetpack model");
        bool wide = table.dtype == ScalarType.Float64;
        using ForceField model = config.Create(dtype: wide ? ScalarType.Float64 : ScalarType.Float32);
        ForceFieldWeights.Load(model, file.Read, file.Path);
        string[] known = [.. model.PublishedWeights.Select(w => w.Name), .. model.PublishedBuffers.Select(b => b.Name), References, Mean];
        // What cutoffs keep follows from the cutoff.
        string? more = file.Names.FirstOrDefault(n => !known.Contains(n) && !n.StartsWith("representation.cutoff", StringComparison.Ordinal));
        if (more is not null) throw new InputException(file.Path, $"a tensor '{more}'", $"those of a {config.Title} and one energy");
        using (no_grad())
        {
            using Tensor? references = file.Read(References), mean = file.Read(Mean);
            if (references is not null) Add(references, file.Path, model.ReferenceEnergies);
            // An energy an atom, of whatever element.
            if (mean is not null) model.ReferenceEnergies.add_(mean.to(ScalarType.Float64).sum());
            if (unit != EnergyUnit.ElectronVolt)
            {
                model.ReferenceEnergies.mul_(unit.ElectronVolts);
                foreach ((_, var weight) in model.PublishedWeights.Where(w => w.Name.StartsWith(Head, StringComparison.Ordinal))) weight.mul_(unit.ElectronVolts);
            }
        }
        ModelSpec spec = ModelSpec.Of(config);
        Experiment experiment = spec.Family.Defaults with { Model = spec };
        experiment = experiment with { Training = experiment.Training with { Dtype = wide ? Precision.Float64 : Precision.Float32 } };
        experiment = ImportedRun.Write(request, file.Path, model, experiment, new Dictionary<string, byte[]>(), warn, stop);
        return new ExchangeReport(Path.GetFullPath(request.Output), ExchangeFormat.SchNetPack, experiment.Id, model.ParameterCount,
            unit == EnergyUnit.ElectronVolt ? [] : [$"energies in {unit.Name} became eV"]);
    }

    private static void Add(Tensor references, string path, Tensor target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor flat = references.to(ScalarType.Float64).reshape(-1);
        if (flat.numel() != target.numel()) throw new InputException(path, $"'{References}' of {flat.numel()} numbers", $"{target.numel()}, a number for each row of the element table");
        target.add_(flat);
    }

    private static RadialForceFieldConfig ReadConfig(string path, EnergyUnit? asked, out EnergyUnit unit)
    {
        using JsonDocument document = JsonPlace.Document(File.ReadAllBytes(path), path);
        JsonPlace root = new(path, "", document.RootElement);
        JsonPlace stated = root.Optional("energy_unit"), length = root.Optional("distance_unit");
        EnergyUnit? found = stated.IsNull ? null : EnergyUnit.Parse(stated.Text(), $"{path}: energy_unit");
        if (found is not null && asked is not null && found != asked) throw stated.Wrong(asked.Name);
        unit = found ?? asked ?? EnergyUnit.ElectronVolt;
        if (!length.IsNull) length.OneOf("Ang", "Angstrom", "A");
        root.Required("cutoff_fn", Cosine).OneOf(Cosine);
        int features = Count("n_atom_basis"), interactions = Count("n_interactions");
        JsonPlace filters = root.Optional("n_filters"), elements = root.Optional("max_z"), epsilon = root.Optional("epsilon");
        RadialForceFieldConfig config = root.Required("representation", "SchNet or PaiNN").OneOf("SchNet", "PaiNN") == "PaiNN"
            ? new PaiNNConfig { Features = features, Interactions = interactions, NormEpsilon = epsilon.IsNull ? 1e-8 : epsilon.Number() }
            : new SchNetConfig
            {
                Features = features,
                Interactions = interactions,
                Filters = filters.IsNull || filters.Integer(1, 1 << 20) == features ? 0 : (int)filters.Integer(1, 1 << 20),
            };
        config = config with
        {
            Cutoff = root.Required("cutoff", "a number of Angstrom").Number(),
            RadialFunctions = Count("n_rbf"),
            RadialBasis = root.Required("radial_basis", Gaussian).OneOf(Gaussian, Bessel) == Gaussian ? RadialBasisKind.Gaussian : RadialBasisKind.Bessel,
            MaxAtomicNumber = elements.IsNull ? 99 : (int)elements.Integer(2, 1000) - 1,
        };
        config.Validate(path);
        return config;

        int Count(string key) => (int)root.Required(key, "a count").Integer(1, 1 << 20);
    }

    private const string LoadScript = """
        # Makes the schnetpack model of this folder: model = load(), or python load_model.py to see it.
        import json
        import pathlib

        import schnetpack as spk
        import torch
        from safetensors.torch import load_file


        def load(folder=pathlib.Path(__file__).parent):
            folder = pathlib.Path(folder)
            config = json.loads((folder / "config.json").read_text())
            shape = {key: config[key] for key in ("n_atom_basis", "n_interactions", "n_filters", "epsilon") if key in config}
            if config["max_z"] != 100:
                shape["nuclear_embedding"] = torch.nn.Embedding(config["max_z"], config["n_atom_basis"])
            representation = getattr(spk.representation, config["representation"])(
                radial_basis=getattr(spk.nn, config["radial_basis"])(n_rbf=config["n_rbf"], cutoff=config["cutoff"]),
                cutoff_fn=spk.nn.CosineCutoff(config["cutoff"]),
                **shape,
            )
            model = spk.model.NeuralNetworkPotential(
                representation=representation,
                input_modules=[spk.atomistic.PairwiseDistances()],
                output_modules=[
                    spk.atomistic.Atomwise(n_in=config["n_atom_basis"], output_key="energy"),
                    spk.atomistic.Forces(energy_key="energy", force_key="forces"),
                ],
                postprocessors=[
                    spk.transform.CastTo64(),
                    spk.transform.AddOffsets("energy", add_mean=False, add_atomrefs=True, zmax=config["max_z"]),
                ],
            ).to(getattr(torch, config["dtype"]))
            # Energies of atoms are large: float32 would take digits from them.
            model.postprocessors[1].atomref = model.postprocessors[1].atomref.double()
            missing, unexpected = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
            missing = [name for name in missing if not name.endswith((".mean", "cutoff_fn.cutoff", "cutoff"))]
            if missing or unexpected:
                raise SystemExit(f"another schnetpack: missing {missing}, unexpected {unexpected}")
            return model.eval()


        if __name__ == "__main__":
            print(load())

        """;
}
