using System.Numerics;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Maths;
using ChemScale.Kernels.Radial;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Radial;

/// <summary><see cref="RadialBasisCutoff"/> in kernels. Centers and exponents are held fixed; nothing is kept.</summary>
/// <param name="settings">Basis and cutoff function.</param>
internal sealed class RadialBasisCutoffKernels(RadialSettings settings) : IOperationPasses
{
    public Tensor?[] Composed(Tensor?[] inputs) => RadialBasisCutoffComposed.Apply(settings, inputs);

    public (Tensor?[] Outputs, Tensor?[] Kept) Forward(Tensor?[] inputs, bool keep)
    {
        Tensor vectors = inputs[0]!;
        Tensor[] outputs = [Make(1), Make(3), Make(1), Make(inputs[1]!.numel())];
        if (vectors.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();
        return (outputs, []);

        Tensor Make(long columns) => empty(vectors.size(0), columns, dtype: vectors.dtype, device: vectors.device);

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Forward(Device(vectors), Inputs<T>(inputs), Outputs<T>(outputs));
    }

    public Tensor?[] Backward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients)
    {
        Tensor byVectors = empty_like(inputs[0]!);
        if (byVectors.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();
        return [byVectors, null, null];

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.Backward(Device(byVectors), Inputs<T>(inputs), Outputs<T>(gradients), Array<T>(byVectors));
    }

    public Tensor?[] DoubleBackward(Tensor?[] inputs, Tensor?[] kept, Tensor?[] gradients, Tensor?[] along)
    {
        Tensor byVectors = empty_like(inputs[0]!);
        Tensor?[] byGradients = [.. gradients.Select(g => g is null ? null : empty_like(g))];
        if (byVectors.dtype == ScalarType.Float32) Run<float, F32>();
        else Run<double, F64>();
        return [byVectors, null, null, .. byGradients];

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T> =>
            RadialLauncher<T, TReal>.DoubleBackward(Device(byVectors), Inputs<T>(inputs), Outputs<T>(gradients), Array<T>(along[0]),
                Array<T>(byVectors), Outputs<T>(byGradients));
    }

    private RadialInputs<T> Inputs<T>(Tensor?[] three)
        where T : unmanaged => new(settings, Array<T>(three[0]), Array<T>(three[1]), Array<T>(three[2]));

    private static RadialOutputs<T> Outputs<T>(Tensor?[] four)
        where T : unmanaged => new(Array<T>(four[0]), Array<T>(four[1]), Array<T>(four[2]), Array<T>(four[3]));
}
