using ChemScale.Engine.Models;
using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Segments;

namespace ChemScale.Tests.Models;

/// <summary>A SpookyNet reference file: every size is read from the shapes of its weights.</summary>
internal sealed class SpookyNetFixture(string path)
{
    public NpzFile File { get; } = new(path);

    /// <summary>kcal/mol in an eV, as the file was made.</summary>
    public double Unit => File.Doubles("ev_to_kcal").Single();

    public SpookyNet Model()
    {
        long[] radial = File.Shape("w.module.0.local_interaction.radial_s.weight");
        var model = new SpookyNet(new SpookyNetConfig
        {
            Features = (int)radial[0],
            RadialFunctions = (int)radial[1],
            Interactions = Enumerable.Range(0, 100).TakeWhile(t => File.Has($"w.module.{t}.local_interaction.radial_s.weight")).Count(),
            RandomFeatures = (int)File.Shape("c.module.0.nonlocal_interaction.attention.omega")[1],
            MaxAtomicNumber = (int)File.Shape("w.element_bias")[0] - 1,
            Cutoff = File.Doubles("cutoff").Single(),
            Repulsion = File.Has("w.zbl_repulsion_energy._adiv"),
            Electrostatics = File.Has("E_elec_eV"),
        }, dtype: TorchSharp.torch.ScalarType.Float64);
        ForceFieldWeights.Load(model, name => ((string[])["w." + name, "c." + name]).FirstOrDefault(File.Has) is { } found ? File.Tensor(found) : null, path);
        return model;
    }

    public GraphBatch Batch()
    {
        int[] numbers = File.Ints("Z"), receivers = File.Ints("idx_i");
        var rowStarts = new int[numbers.Length + 1];
        foreach (int i in receivers) rowStarts[i + 1]++;
        for (int i = 0; i < numbers.Length; i++) rowStarts[i + 1] += rowStarts[i];
        return new GraphBatch(File.Ints("n_atoms"), numbers, File.Doubles("R"), new EdgeList(rowStarts, File.Ints("idx_j")),
            charges: File.Doubles("Q"), spins: File.Doubles("S"));
    }
}
