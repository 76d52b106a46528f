using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Models.Layers;
using ChemScale.Engine.Operators.Segments;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>One module: a residual block, local and nonlocal interactions, a residual block, and what it adds to the output features.</summary>
internal sealed class SpookyNetInteraction
{
    private readonly ResidualBlock before;
    private readonly LocalInteraction local;
    private readonly NonlocalInteraction nonlocal;
    private readonly ResidualBlock after;
    private readonly ResidualMlp output;

    public SpookyNetInteraction(ModulePath at, SpookyNetConfig config, ParameterInit init)
    {
        before = new ResidualBlock(at.At("residual_pre.stack.0"), config.Features, init);
        local = new LocalInteraction(at.At("local_interaction"), config.Features, config.RadialFunctions, init);
        nonlocal = new NonlocalInteraction(at.At("nonlocal_interaction"), config.Features, config.RandomFeatureCount, init);
        after = new ResidualBlock(at.At("residual_post.stack.0"), config.Features, init);
        output = new ResidualMlp(at.At("resblock"), config.Features, init);
    }

    public static long Count(long features, long radialFunctions) =>
        2 * ResidualBlock.Count(features) + LocalInteraction.Count(features, radialFunctions) + NonlocalInteraction.Count(features)
        + ResidualMlp.Count(features);

    /// <param name="x">(atoms, F)</param>
    /// <param name="edges">Those within the cutoff.</param>
    /// <param name="frameOfAtom">(atoms) int64</param>
    /// <param name="slots">The same frames.</param>
    /// <returns>(atoms, F) each: the atoms' new features, and the module's part of the output.</returns>
    public (Tensor Features, Tensor Output) Forward(Tensor x, in SpookyNetEdges edges, Tensor frameOfAtom, FrameSlots slots)
    {
        using DisposeScope scope = NewDisposeScope();
        x = before.Forward(x);
        x = after.Forward(x + local.Forward(x, edges) + nonlocal.Forward(x, frameOfAtom, slots));
        return (x.MoveToOuterDisposeScope(), output.Forward(x).MoveToOuterDisposeScope());
    }
}
