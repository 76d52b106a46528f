using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Attention.TensorCores;
using ChemScale.Kernels.Device;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SelfAttention;

/// <summary>What attention multiplies in. Never chosen for anyone: who wants less than the weights' type says so.</summary>
public enum AttentionPrecision
{
    /// <summary>The type of the weights.</summary>
    Weights,

    /// <summary>
    /// Queries, keys, values and weights of the softmax rounded to bfloat16, sums in float32, on the tensor cores of a CUDA device from
    /// sm_80 on. Results differ from float32 by 2^-7 or so.
    /// </summary>
    Bfloat16,
}

/// <summary>Where a precision is to be had.</summary>
public static class AttentionPrecisions
{
    private const string Key = "training.attention";

    /// <exception cref="InputException">No kernels for heads so wide.</exception>
    public static void RequireWidth(AttentionPrecision precision, int headWidth, string place = Key)
    {
        if (precision == AttentionPrecision.Bfloat16 && !MatrixAttentionLauncher.Has(headWidth))
        {
            throw new InputException(place, $"bfloat16 for heads {headWidth} wide", "heads 16, 32, 64 or 128 wide",
                "width / heads is a head's width; `attention: weights` takes any");
        }
    }

    /// <exception cref="InputException">The mode of the operators has no such attention.</exception>
    public static void RequireOperators(AttentionPrecision precision, OperatorMode mode, string place = Key)
    {
        if (precision == AttentionPrecision.Bfloat16 && mode is (OperatorMode.Composed or OperatorMode.Host))
            throw new InputException(place, $"bfloat16 with operators {mode.ToString().ToLowerInvariant()}", "operators auto or kernels");
    }

    /// <exception cref="InputException">This tensor's type or device, or the mode of the operators, has no such attention.</exception>
    internal static void Require(AttentionPrecision precision, Tensor qkv, int headWidth)
    {
        if (precision == AttentionPrecision.Weights) return;
        RequireWidth(precision, headWidth);
        if (qkv.dtype != ScalarType.Float32) throw new InputException(Key, $"bfloat16 for {qkv.dtype}", "weights in float32");
        RequireOperators(precision, RunScope.Current.Mode);
        if (qkv.device_type is not (DeviceType.CUDA or DeviceType.CPU) || KernelTensors.Device(qkv).MatrixUnits == MatrixUnits.None)
            throw new InputException(Key, $"bfloat16 on {qkv.device}", "a CUDA device from sm_80 on, or `attention: weights`");
    }
}
