using System.Text.Json;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Training.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Benchmarks;

/// <summary>
/// What both sides of the force field comparison train on, in one safetensors file: molecules, edges, labels, weights, and the energies
/// and forces that our side computes with them.
/// </summary>
internal sealed class ForceFieldCase
{
    private const string DataVariable = "CHEMSCALE_DATA";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    private readonly Dictionary<string, Tensor> tensors;

    private ForceFieldCase(Settings values, Dictionary<string, Tensor> tensors)
    {
        Values = values;
        this.tensors = tensors;
    }

    public Settings Values { get; }

    /// <summary>(frames) eV, less the mean of the batch</summary>
    public Tensor Energies => tensors["energies"];

    /// <summary>(atoms, 3) eV/A</summary>
    public Tensor Forces => tensors["forces"];

    public int Atoms => (int)tensors["numbers"].numel();

    public int Edges => (int)tensors["senders"].numel();

    /// <summary>All that is not a tensor.</summary>
    /// <param name="Model">schnet, painn, allegro or spookynet</param>
    /// <param name="Features">F; of Allegro the latent features, a quarter of it channels</param>
    /// <param name="Interactions">Layers.</param>
    /// <param name="Radial">Radial functions.</param>
    /// <param name="Elements">Rows of the element table.</param>
    /// <param name="Cutoff">A</param>
    /// <param name="Threads">Of either side.</param>
    public sealed record Settings(string Model, int Features, int Interactions, int Radial, int Elements, double Cutoff, int Threads)
    {
        public double EnergyWeight { get; init; } = 0.05;

        public double ForceWeight { get; init; } = 0.95;

        public double LearningRate { get; init; } = 5e-4;

        public double WeightDecay { get; init; } = 0.01;

        /// <summary>Steps before the measured ones. Their losses are compared.</summary>
        public int Warmup { get; init; } = 3;

        /// <summary>Of PaiNN's norms.</summary>
        public double Epsilon { get; init; } = new PaiNNConfig().NormEpsilon;

        public ForceField Create(Device? device = null) => Config().Create(seed: 1, device: device);

        /// <summary>At the usual width and interactions Allegro and SpookyNet have what they have by default.</summary>
        private ForceFieldConfig Config() => Model switch
        {
            "schnet" => new SchNetConfig { Features = Features, Interactions = Interactions, RadialFunctions = Radial, Cutoff = Cutoff },
            "painn" => new PaiNNConfig { Features = Features, Interactions = Interactions, RadialFunctions = Radial, Cutoff = Cutoff },
            "allegro" => new AllegroConfig
            {
                LatentWidths = $"{Features}",
                TwoBodyWidths = $"{Features / 2}, {Features}",
                EnergyWidths = $"{Features / 4}",
                Features = Features / 4,
                Layers = Math.Max(1, Interactions - 1),
                Cutoff = Cutoff,
            },
            "spookynet" => new SpookyNetConfig { Features = Features, Interactions = 2 * Interactions, Cutoff = Cutoff, ElectrostaticCutoff = Cutoff },
            _ => throw new ArgumentException($"model '{Model}': schnet, painn, allegro or spookynet"),
        };
    }

    /// <summary>Where frames of real molecules are, or null.</summary>
    public static string? RealFrames(string molecule)
    {
        string? folder = Environment.GetEnvironmentVariable(DataVariable);
        if (folder is null) return null;
        string path = Path.Combine(folder, "rmd17", $"rmd17_{molecule}_train_01.npz");
        return File.Exists(path) ? path : null;
    }

    /// <summary>Frames of a molecule: real ones where they are.</summary>
    public static Frame[] Frames(string molecule, int count)
    {
        var units = new FrameReadOptions { Energy = EnergyUnit.KilocaloriePerMole };
        return RealFrames(molecule) is { } file ? [.. FrameFiles.Read(file, units).Take(count)] : RandomFrames(molecule, count);
    }

    /// <summary>Ethanol on a cubic lattice that repeats, as dense as the liquid (97 A^3 a molecule).</summary>
    /// <param name="side">Molecules along each edge.</param>
    public static Frame Box(int side)
    {
        const double Spacing = 4.595;
        Frame[] molecules = Frames("ethanol", side * side * side);
        var positions = new List<double>();
        for (int m = 0; m < molecules.Length; m++)
        {
            double[] p = molecules[m].Positions, at = [m % side, m / side % side, m / side / side];
            double[] centre = [.. Enumerable.Range(0, 3).Select(k => p.Where((_, i) => i % 3 == k).Average())];
            positions.AddRange(p.Select((x, i) => x - centre[i % 3] + Spacing * at[i % 3]));
        }
        return new Frame
        {
            AtomicNumbers = [.. molecules.SelectMany(f => f.AtomicNumbers)],
            Positions = [.. positions],
            Cell = [side * Spacing, 0, 0, 0, side * Spacing, 0, 0, 0, side * Spacing],
            Periodic = [true, true, true],
        };
    }

    public static void Write(string path, Settings settings, string molecule, int count)
    {
        Frame[] frames = Frames(molecule, count);
        using DisposeScope scope = NewDisposeScope();
        using ForceField model = settings.Create();
        using GraphBatch batch = GraphBatches.Build(frames, settings.Cutoff);
        ForceFieldOutput output = model.Evaluate(batch);
        double mean = frames.Average(f => f.Energy!.Value);
        var tensors = new Dictionary<string, Tensor>
        {
            ["atoms_per_frame"] = tensor(frames.Select(f => (long)f.Atoms).ToArray()),
            ["frame_of_atom"] = batch.FrameOfAtom,
            ["numbers"] = batch.AtomicNumbers,
            ["positions"] = batch.Positions,
            ["row_starts"] = batch.Edges.RowStarts,
            ["senders"] = batch.Edges.Senders,
            ["reverse"] = batch.Edges.ReverseEdges!,
            ["receivers"] = batch.Edges.Receivers,
            ["energies"] = tensor(frames.Select(f => f.Energy!.Value - mean).ToArray()),
            ["forces"] = tensor(frames.SelectMany(f => f.Forces!).ToArray()).view(-1, 3),
            ["model_energies"] = output.Energies,
            ["model_forces"] = output.Forces!,
        };
        foreach ((string name, var weight) in model.PublishedWeights) tensors["weights." + name] = weight.detach();
        using FileStream stream = File.Create(path);
        var metadata = new Dictionary<string, string> { ["settings"] = JsonSerializer.Serialize(settings, Json) };
        SafetensorsWriter.Write(stream, tensors, metadata);
    }

    public static ForceFieldCase Read(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        return new ForceFieldCase(
            JsonSerializer.Deserialize<Settings>(file.Metadata["settings"], Json)!,
            file.Entries.Keys.ToDictionary(name => name, name => file.Read(name)));
    }

    public ForceField Model(Device device)
    {
        ForceField model = Values.Create(device);
        ForceFieldWeights.Load(model, name => tensors.GetValueOrDefault("weights." + name)?.clone(), "case");
        return model;
    }

    public GraphBatch Batch(Device device) => new(
        Ints("atoms_per_frame"), Ints("numbers"), tensors["positions"].data<double>().ToArray(),
        new EdgeList(Ints("row_starts"), Ints("senders"), Ints("reverse"), device), device: device);

    /// <summary>Greatest differences from the energies and forces written.</summary>
    public (double Energy, double Force) Differences(ForceFieldOutput output) => (
        (output.Energies.cpu() - tensors["model_energies"]).abs().max().item<double>(),
        (output.Forces!.cpu() - tensors["model_forces"]).abs().max().item<double>());

    private int[] Ints(string name) => [.. tensors[name].data<long>().Select(n => (int)n)];

    /// <summary>As many atoms, and about as many edges within 5 A, as the real molecules; labels are made up.</summary>
    private static Frame[] RandomFrames(string molecule, int count)
    {
        (int atoms, double radius) = molecule == "aspirin" ? (21, 3.05) : (9, 2);
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => RandomFrame(random, atoms, radius))];
    }

    private static Frame RandomFrame(Random random, int atoms, double radius)
    {
        List<double[]> placed = [];
        while (placed.Count < atoms)
        {
            double[] candidate = [.. Enumerable.Range(0, 3).Select(_ => radius * (2 * random.NextDouble() - 1))];
            if (placed.All(p => Math.Sqrt(p.Zip(candidate, (x, y) => (x - y) * (x - y)).Sum()) > 0.9)) placed.Add(candidate);
        }
        return new Frame
        {
            AtomicNumbers = [.. placed.Select(_ => new[] { 1, 6, 8 }[random.Next(3)])],
            Positions = [.. placed.SelectMany(p => p)],
            Energy = random.NextDouble(),
            Forces = [.. Enumerable.Range(0, 3 * atoms).Select(_ => 2 * random.NextDouble() - 1)],
        };
    }
}
