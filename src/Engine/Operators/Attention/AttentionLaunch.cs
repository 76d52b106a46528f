using System.Numerics;
using ChemScale.Engine.Native;
using ChemScale.Kernels.Attention;
using ChemScale.Kernels.Attention.TensorCores;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using static ChemScale.Engine.Operators.KernelTensors;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Hands tensors to the attention kernels. All contiguous and aligned, of one number type.</summary>
internal static class AttentionLaunch
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
            MatrixAttentionLauncher.Forward(Device(qkv), Form(shape), MatrixTiles(shape, qkv), Array<float>(qkv), Array<float>(output),
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
            AttentionLauncher<T, TReal>.Forward(device, Form(shape), grid, tiles, Array<T>(qkv), Array<T>(output), Array<T>(greatest),
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
            MatrixAttentionLauncher.Backward(Device(qkv), Form(shape), MatrixTiles(shape, qkv), Array<float>(qkv), Array<float>(output),
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
            AttentionLauncher<T, TReal>.Backward(device, Form(shape), grid, tiles, Array<T>(qkv), Array<T>(output), Array<T>(greatest),
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

    private static AttentionForm Form(AttentionShape shape) => new(shape.Heads, shape.HeadWidth, shape.Window, shape.Scale);
}
