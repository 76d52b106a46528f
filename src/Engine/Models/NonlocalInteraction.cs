using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Segments;
using ChemScale.Engine.Operators.SpookyNet;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>Attention among all atoms of a frame, whatever their distance.</summary>
internal sealed class NonlocalInteraction
{
    private readonly Tensor omega;
    private readonly ResidualMlp query;
    private readonly ResidualMlp key;
    private readonly ResidualMlp value;

    /// <param name="at">Where its tensors go.</param>
    /// <param name="features">F</param>
    /// <param name="randomFeatures">m</param>
    /// <param name="init">Makes the parameters and the random directions.</param>
    public NonlocalInteraction(ModulePath at, int features, int randomFeatures, ParameterInit init)
    {
        query = new ResidualMlp(at.At("resblock_q"), features, init);
        key = new ResidualMlp(at.At("resblock_k"), features, init);
        value = new ResidualMlp(at.At("resblock_v"), features, init);
        omega = at.AddBuffer("attention.omega", OrthogonalDirections(features, randomFeatures, init));
    }

    public static long Count(long features) => 3 * ResidualMlp.Count(features);

    /// <param name="x">(atoms, F)</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <param name="slots">The same frames.</param>
    /// <returns>(atoms, F)</returns>
    public Tensor Forward(Tensor x, Tensor frameOfAtom, FrameSlots slots)
    {
        using DisposeScope scope = NewDisposeScope();
        return FrameAttention.Apply(query.Forward(x), key.Forward(x), value.Forward(x), omega, frameOfAtom, slots).MoveToOuterDisposeScope();
    }

    /// <summary>Normal directions made orthogonal in blocks of F, each with the length of a normal vector: less variance at equal cost.</summary>
    private static Tensor OrthogonalDirections(int features, int count, ParameterInit init)
    {
        using var gradients = no_grad();
        using DisposeScope scope = NewDisposeScope();
        var blocks = new List<Tensor>();
        for (int made = 0; made < count; made += features)
        {
            (Tensor q, Tensor _) = linalg.qr(init.Normal(features, features));
            Tensor lengths = init.Normal(features, features).norm(0, keepdim: true);
            blocks.Add((q * lengths).narrow(1, 0, Math.Min(features, count - made)));
        }
        // The columns of a decomposition come column by column.
        return cat(blocks, 1).contiguous().DetachFromDisposeScope();
    }
}
