using System.Runtime.Intrinsics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// The layers on the CPU: one parallel region a layer and pass, shared by groups of molecules, so that what goes from one product to the next stays
/// in a core's cache. Kept are inputs, statistics, queries, keys, values, attention and the inner products; the rest is computed again.
/// </summary>
internal sealed class TransformerStackHost : IOperationPasses
{
    // Beyond it a layer's matrices fill whole products of the library's own, and gradients a thread each would fill memory.
    internal const int WidestOfUse = 512;

    private readonly TransformerSettings[] settings;
    private readonly PackedRows rows;

    public TransformerStackHost(IReadOnlyList<TransformerSettings> settings, PackedRows rows)
    {
        // A window no molecule reaches is none.
        this.settings = [.. settings.Select(s => s.Window >= rows.Longest ? s with { Window = 0 } : s)];
        this.rows = rows;
    }

    /// <summary>Whether there is such a pass: widths that are whole vectors.</summary>
    internal static bool Has(int heads, in BlockWeights weights, Tensor x)
    {
        if (x.dtype is not (ScalarType.Float32 or ScalarType.Float64) || weights.Expand.dtype != x.dtype || !Vector256.IsHardwareAccelerated) return false;
        int lanes = Lanes(x.dtype, heads);
        return x.size(-1) % lanes == 0 && weights.Expand.size(0) % lanes == 0;
    }

    public static bool Pays(in BlockWeights weights) => weights.Expand.size(1) <= WidestOfUse;

    public bool PlacesGradients => true;

    public Tensor?[] Composed(Tensor?[] inputs) => [TransformerStackComposed.Apply(settings, rows, inputs[0]!, BlockWeights.Of(inputs))];

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        (Tensor output, Tensor?[] kept) = Of(inputs).Forward(inputs, keep);
        return ([output], kept);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients) => Of(inputs).Backward(inputs, kept, gradients[0]!);

    /// <summary>Half as wide vectors where heads then fill them, a lane each.</summary>
    internal static int Lanes(ScalarType type, int heads)
    {
        int widest = (Vector512.IsHardwareAccelerated ? 64 : 32) / (type == ScalarType.Float32 ? 4 : 8);
        return widest * (type == ScalarType.Float32 ? 4 : 8) == 64 && heads % widest != 0 && heads % (widest / 2) == 0 ? widest / 2 : widest;
    }

    private IStackPasses Of(Tensor?[] inputs)
    {
        var shape = new StackShape(rows, settings, (int)inputs[0]!.size(-1), (int)inputs[8]!.size(0));
        return (inputs[0]!.dtype, Lanes(inputs[0]!.dtype, shape.Heads)) switch
        {
            (ScalarType.Float32, 16) => new StackPasses<SingleLanes16, float>(shape),
            (ScalarType.Float32, _) => new StackPasses<SingleLanes8, float>(shape),
            (ScalarType.Float64, 8) => new StackPasses<DoubleLanes8, double>(shape),
            _ => new StackPasses<DoubleLanes4, double>(shape),
        };
    }
}
