using System.Numerics;
using System.Runtime.Intrinsics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Lanes;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Engine.Operators.SelfAttention;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>
/// The head on the CPU. A loss is a scalar, so its gradients are known up to that factor when it is: the forward pass makes them where they
/// may be asked for, part by part, while the scores are in the cache.
/// </summary>
internal sealed class HeadLossHost(Tensor targets, PackedRows rows, double epsilon, double scale) : IOperationPasses
{
    public static bool Has(Tensor x, Tensor table) => x.dtype is ScalarType.Float32 or ScalarType.Float64 && table.dtype == x.dtype
        && Vector256.IsHardwareAccelerated && x.size(-1) % Lanes(x.dtype) == 0;

    public Tensor?[] Composed(Tensor?[] inputs) => [HeadLossComposed.Apply(inputs[0]!, inputs[1]!, inputs[2]!, inputs[3]!, targets, epsilon, scale)];

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
            GradientPlace place = RunScope.Current.PlaceOf(inputs[i]!);
            if (place.All is null) by[i] = number == 1 ? kept[i] : kept[i]! * factor;
            else if (factor.dtype == ScalarType.Float32) Put<float>(kept[i]!, (float)number, place);
            else Put(kept[i]!, number, place);
        }
        return by;
    }

    private static unsafe void Put<T>(Tensor from, T factor, GradientPlace place)
        where T : unmanaged, INumber<T>
    {
        using TensorMemory memory = new(from), all = new(place.All);
        T* source = (T*)memory.Address, target = (T*)all.Address + place.Offset;
        bool add = place.Add;
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
