using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Layers;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// What a language model ends in: final norm, scores of the next token by the tied table, and their mean cross-entropy. The host form never
/// holds the scores of more than a part of the tokens.
/// </summary>
internal static class HeadLoss
{
    /// <param name="x">(T, h)</param>
    /// <param name="normWeight">(h)</param>
    /// <param name="normBias">(h)</param>
    /// <param name="table">(V, h)</param>
    /// <param name="targets">(T) int64, 0 .. V - 1, or <see cref="CrossEntropy.Ignored"/></param>
    /// <param name="rows">The molecules.</param>
    /// <param name="epsilon">Of the norm.</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <returns>A scalar in nats a token that counts; NaN where none does.</returns>
    public static Tensor Apply(Tensor x, Tensor normWeight, Tensor normBias, Tensor table, Tensor targets, PackedRows rows, double epsilon, double scale)
    {
        if (!OperatorModes.UseKernels(x) && HeadLossHost.Has(x, table) && OperatorModes.UseHost(x, x.size(-1) <= TransformerBlockHost.WidestOfUse))
            return OperationFunction.Apply(new HeadLossHost(targets, rows, epsilon, scale), x, normWeight, normBias, table)[0]!;
        using DisposeScope scope = NewDisposeScope();
        Tensor scores = Scores(LayerNorm.Apply(x, normWeight, normBias, epsilon), table, scale);
        return CrossEntropy.Apply(scores, targets).MoveToOuterDisposeScope();
    }

    /// <param name="hidden">(..., h), after the norm.</param>
    /// <param name="table">(V, h)</param>
    /// <param name="scale">Factor on the scores.</param>
    /// <returns>(..., V)</returns>
    public static Tensor Scores(Tensor hidden, Tensor table, double scale)
    {
        if (scale == 1) return nn.functional.linear(hidden, table);
        // On the narrower side of the product.
        using Tensor scaled = hidden * scale;
        return nn.functional.linear(scaled, table);
    }
}

/// <summary>
/// The head on the CPU. A loss is a scalar, so its gradients are known up to that factor when it is: the forward pass makes them where they
/// may be asked for, part by part, while the scores are in the cache.
/// </summary>
internal sealed class HeadLossHost(Tensor targets, PackedRows rows, double epsilon, double scale) : IOperationPasses
{
    public static bool Has(Tensor x, Tensor table) => x.dtype is ScalarType.Float32 or ScalarType.Float64 && table.dtype == x.dtype
        && Vector256.IsHardwareAccelerated && x.size(-1) % Lanes(x.dtype) == 0;

    public Tensor?[] Composed(Tensor?[] inputs)
    {
        Tensor hidden = LayerNorm.Composed(inputs[0]!, inputs[1]!, inputs[2]!, epsilon);
        return [CrossEntropy.Composed(HeadLoss.Scores(hidden, inputs[3]!, scale), targets)];
    }

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        long[] at = targets.is_contiguous() ? [.. targets.data<long>()] : [.. targets.contiguous().data<long>()];
        IHeadPasses passes = (inputs[0]!.dtype, Lanes(inputs[0]!.dtype)) switch
        {
            (ScalarType.Float32, 16) => new HeadPasses<SingleLanes16, float>(at, rows, epsilon, scale),
            (ScalarType.Float32, _) => new HeadPasses<SingleLanes8, float>(at, rows, epsilon, scale),
            (ScalarType.Float64, 8) => new HeadPasses<DoubleLanes8, double>(at, rows, epsilon, scale),
            _ => new HeadPasses<DoubleLanes4, double>(at, rows, epsilon, scale),
        };
        return passes.Forward(inputs, keep);
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients)
    {
        Tensor factor = gradients[0]!;
        // As a number it is most often one, and then there is nothing to multiply.
        double number = factor.to(ScalarType.Float64).item<double>();
        var by = new Tensor?[inputs.Length];
        for (int i = 0; i < by.Length; i++)
        {
            if (!inputs[i]!.requires_grad) continue;
            (nint place, bool add) = RunScope.Current.PlaceOf(inputs[i]!);
            if (place == 0) by[i] = number == 1 ? kept[i] : kept[i]! * factor;
            else if (factor.dtype == ScalarType.Float32) Put<float>(kept[i]!, (float)number, place, add);
            else Put(kept[i]!, number, place, add);
        }
        return by;
    }

    private static unsafe void Put<T>(Tensor from, T factor, nint place, bool add)
        where T : unmanaged, INumber<T>
    {
        using TensorMemory memory = new(from);
        T* source = (T*)memory.Address, target = (T*)place;
        long count = from.numel(), i = 0;
        for (; i + Vector<T>.Count <= count; i += Vector<T>.Count)
        {
            Vector<T> scaled = Vector.Load(source + i) * factor;
            Vector.Store(add ? Vector.Load(target + i) + scaled : scaled, target + i);
        }
        for (; i < count; i++) target[i] = source[i] * factor + (add ? target[i] : T.Zero);
    }

    private static int Lanes(ScalarType type) => (Vector512.IsHardwareAccelerated ? 64 : 32) / (type == ScalarType.Float32 ? 4 : 8);
}

/// <summary>The head's pass at one number type and vector width.</summary>
internal interface IHeadPasses
{
    /// <returns>The loss, and the gradients by x, the norm's weight and bias, and the table.</returns>
    (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep);
}
