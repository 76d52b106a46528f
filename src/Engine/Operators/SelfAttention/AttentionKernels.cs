using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Kernels.Attention;
using ChemScale.Kernels.Attention.TensorCores;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using static ChemScale.Engine.Operators.Runs.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>The kernels of <see cref="Attention"/> as an autograd function.</summary>
internal sealed class AttentionKernelsFunction(AttentionShape shape) : AutogradFunction
{
    public static Tensor Apply(Tensor qkv, PackedRows rows, int heads, int window, double scale, AttentionPrecision precision)
    {
        using Tensor aligned = AttentionKernels.Aligned(qkv);
        var shape = new AttentionShape(rows, heads, (int)(qkv.size(1) / 3 / heads), window, scale, precision);
        return new AttentionKernelsFunction(shape).Apply([aligned])[0];
    }

    protected internal override Tensor[] Forward(AutogradContext context, Tensor?[] inputs)
    {
        Tensor qkv = inputs[0]!, output = Make(shape.Width), greatest = Make(shape.Heads), inverse = Make(shape.Heads);
        AttentionKernels.Forward(shape, qkv, output, greatest, inverse);
        if (context.NeedsGradient)
        {
            context.Save(qkv, output.detach(), greatest, inverse);
        }
        else
        {
            greatest.Dispose();
            inverse.Dispose();
        }
        return [output];

        Tensor Make(long columns) => empty(shape.Rows.Tokens, columns, dtype: qkv.dtype, device: qkv.device);
    }

    protected internal override Tensor?[] Backward(AutogradContext context, Tensor?[] gradients)
    {
        if (gradients[0] is not { } gradient) return [null];
        Tensor?[] saved = context.Saved();
        Tensor qkv = saved[0]!;
        if (is_grad_enabled())
        {
            // A derivative of this derivative is wanted: the composed form has every order.
            Tensor again = AttentionComposed.Apply(qkv, shape.Rows, shape.Heads, shape.Window, shape.Scale);
            return [.. Gradients.Of([again], [qkv], [gradient], retainGraph: true, createGraph: true)];
        }
        Tensor result = empty_like(qkv);
        using Tensor aligned = AttentionKernels.Aligned(gradient), delta = empty_like(saved[2]!);
        AttentionKernels.Backward(shape, qkv, saved[1]!, saved[2]!, saved[3]!, aligned, delta, result);
        return [result];
    }
}

/// <summary>Hands tensors to the attention kernels. All contiguous and aligned, of one number type.</summary>
internal static class AttentionKernels
{
    /// <summary>The tensor itself, contiguous, or a copy where its memory does not begin at a multiple of 16 bytes.</summary>
    public static Tensor Aligned(Tensor tensor)
    {
        Tensor contiguous = tensor.contiguous();
        if (TensorMemory.IsAligned(contiguous)) return contiguous;
        using (contiguous) return contiguous.clone();
    }

    public static void Forward(AttentionShape shape, Tensor qkv, Tensor output, Tensor greatest, Tensor inverse)
    {
        if (shape.Rows.Tokens == 0) return;
        if (shape.Precision == AttentionPrecision.Bfloat16)
        {
            MatrixAttentionLauncher.Forward(Device(qkv), Settings(shape), MatrixTiles(shape, qkv), Array<float>(qkv), Array<float>(output),
                Array<float>(greatest), Array<float>(inverse));
        }
        else if (qkv.dtype == ScalarType.Float32)
        {
            Run<float, F32>();
        }
        else
        {
            Run<double, F64>();
        }

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T>
        {
            (KernelDevice device, AttentionGrid grid, DeviceArray<int> tiles) = Place(shape, qkv);
            AttentionLauncher<T, TReal>.Forward(device, Settings(shape), grid, tiles, Array<T>(qkv), Array<T>(output), Array<T>(greatest),
                Array<T>(inverse));
        }
    }

    public static void Backward(
        AttentionShape shape, Tensor qkv, Tensor output, Tensor greatest, Tensor inverse, Tensor outputGradient, Tensor delta,
        Tensor gradient)
    {
        if (shape.Rows.Tokens == 0) return;
        if (shape.Precision == AttentionPrecision.Bfloat16)
        {
            MatrixAttentionLauncher.Backward(Device(qkv), Settings(shape), MatrixTiles(shape, qkv), Array<float>(qkv), Array<float>(output),
                Array<float>(greatest), Array<float>(inverse), Array<float>(outputGradient), Array<float>(delta), Array<float>(gradient));
        }
        else if (qkv.dtype == ScalarType.Float32)
        {
            Run<float, F32>();
        }
        else
        {
            Run<double, F64>();
        }

        void Run<T, TReal>()
            where T : unmanaged, INumber<T>
            where TReal : struct, IReal<T>
        {
            (KernelDevice device, AttentionGrid grid, DeviceArray<int> tiles) = Place(shape, qkv);
            AttentionLauncher<T, TReal>.Backward(device, Settings(shape), grid, tiles, Array<T>(qkv), Array<T>(output), Array<T>(greatest),
                Array<T>(inverse), Array<T>(outputGradient), Array<T>(delta), Array<T>(gradient));
        }
    }

    private static (KernelDevice, AttentionGrid, DeviceArray<int>) Place(AttentionShape shape, Tensor qkv)
    {
        KernelDevice device = Device(qkv);
        AttentionGrid grid = AttentionGrid.Of(device, shape.Heads, shape.HeadWidth, shape.Rows.Longest, (int)qkv.element_size());
        return (device, grid, Array<int>(shape.Rows.Tiles(grid.RowsPerTile, qkv.device)));
    }

    private static DeviceArray<int> MatrixTiles(AttentionShape shape, Tensor qkv) =>
        Array<int>(shape.Rows.Tiles(MatrixAttentionLauncher.RowsPerTile, qkv.device));

    private static AttentionSettings Settings(AttentionShape shape) => new(shape.Heads, shape.HeadWidth, shape.Window, shape.Scale);
}
