using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Segments;
using static TorchSharp.torch;

namespace ChemScale.Tests.Models.ForceFields;

/// <summary>A reference file: hyperparameters, weights, molecules with their pairs i &lt;- j, results. r = R[j] - R[i], as here.</summary>
internal sealed class ForceFieldFixture(string path)
{
    public NpzFile File { get; } = new(path);

    public ForceField Model()
    {
        string name = Path.GetFileName(path);
        RadialBasisKind basis = name.Contains("bessel", StringComparison.Ordinal) ? RadialBasisKind.Bessel : RadialBasisKind.Gaussian;
        double cutoff = File.Doubles("cutoff").Single();
        int features = File.Int("n_atom_basis"), layers = File.Int("n_interactions"), radial = File.Int("n_rbf");
        int largest = (int)File.Shape("w.representation.embedding.weight")[0] - 1;
        ForceField model = name.StartsWith("schnet", StringComparison.Ordinal)
            ? new SchNet(new SchNetConfig
            {
                Features = features,
                Filters = File.Int("n_filters"),
                Interactions = layers,
                RadialFunctions = radial,
                RadialBasis = basis,
                Cutoff = cutoff,
                MaxAtomicNumber = largest,
            }, dtype: ScalarType.Float64)
            : new PaiNN(new PaiNNConfig
            {
                Features = features,
                Interactions = layers,
                RadialFunctions = radial,
                RadialBasis = basis,
                Cutoff = cutoff,
                MaxAtomicNumber = largest,
            }, dtype: ScalarType.Float64);
        ForceFieldWeights.Load(model, weight => File.Has("w." + weight) ? File.Tensor("w." + weight) : null, path);
        return model;
    }

    public GraphBatch Batch()
    {
        int[] numbers = File.Ints("Z"), receivers = File.Ints("idx_i");
        var rowStarts = new int[numbers.Length + 1];
        foreach (int i in receivers) rowStarts[i + 1]++;
        for (int i = 0; i < numbers.Length; i++) rowStarts[i + 1] += rowStarts[i];
        return new GraphBatch(File.Ints("n_atoms"), numbers, File.Doubles("R"), new EdgeList(rowStarts, File.Ints("idx_j")));
    }
}
