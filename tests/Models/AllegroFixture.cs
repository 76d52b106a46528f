using ChemScale.Engine.Atoms;
using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models;

/// <summary>An Allegro reference file: hyperparameters under h., weights under w., their gradients under g., constants under c.</summary>
internal sealed class AllegroFixture(string path)
{
    public NpzFile File { get; } = new(path);

    /// <summary>The published linear layer after the last product, which nothing reads.</summary>
    public string UnusedWeight => $"func.allegro.linears.{File.Int("h.num_layers") - 1}.w";

    public AllegroConfig Config => new()
    {
        Elements = string.Join(", ", ElementsOfTypes().Select(Elements.Symbol)),
        Cutoff = File.Doubles("h.r_max").Single(),
        LMax = File.Int("h.l_max"),
        Layers = File.Int("h.num_layers"),
        Features = File.Int("h.env_embed_multiplicity"),
        RadialFunctions = File.Int("h.num_basis"),
        CutoffPower = File.Int("h.PolynomialCutoff_p"),
        TwoBodyWidths = string.Join(", ", File.Ints("h.two_body_latent_mlp_latent_dimensions")),
        LatentWidths = string.Join(", ", File.Ints("h.latent_mlp_latent_dimensions")),
        EnergyWidths = string.Join(", ", File.Ints("h.edge_eng_mlp_latent_dimensions")),
        AverageNeighbors = File.Doubles("h.avg_num_neighbors").Single(),
    };

    public Allegro Model()
    {
        var model = new Allegro(Config, dtype: ScalarType.Float64);
        ForceFieldWeights.Load(model, Find, path);
        return model;

        Tensor? Find(string name) =>
            ((string[])["w." + name, "c." + name]).FirstOrDefault(File.Has) is { } found ? File.Tensor(found) : null;
    }

    public GraphBatch Batch()
    {
        int[] numbers = File.Ints("Z"), receivers = File.Ints("idx_i");
        var rowStarts = new int[numbers.Length + 1];
        foreach (int i in receivers) rowStarts[i + 1]++;
        for (int i = 0; i < numbers.Length; i++) rowStarts[i + 1] += rowStarts[i];
        return new GraphBatch(File.Ints("n_atoms"), numbers, File.Doubles("R"), new EdgeList(rowStarts, File.Ints("idx_j")));
    }

    /// <summary>Atomic numbers by type; a type without atoms in the file gets an element that has none either.</summary>
    private int[] ElementsOfTypes()
    {
        long rows = File.Shape("w.func.allegro.latents.0._forward._weight_0")[0] - File.Int("h.num_basis");
        int[] numbers = File.Ints("Z"), types = File.Ints("types");
        var unused = new Queue<int>(((int[])[1, 6, 7, 8, 9, 16, 17, 35]).Except(numbers));
        return [.. Enumerable.Range(0, (int)rows / 2)
            .Select(type => Array.IndexOf(types, type) is >= 0 and var atom ? numbers[atom] : unused.Dequeue())];
    }
}
