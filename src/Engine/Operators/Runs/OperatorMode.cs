using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Runs;

/// <summary>Which form of an operation runs. Set once per run; models never branch on it.</summary>
public enum OperatorMode
{
    /// <summary>The fastest form for the device and the operation.</summary>
    Auto,

    /// <summary>Library tensor operations: any order of derivative, any device; the oracle of the other forms.</summary>
    Composed,

    /// <summary>Vectorised C# on the CPU, where it pays.</summary>
    Host,

    /// <summary>Kernels where an operation has them, on CUDA or, for tests, on the CPU; elsewhere as in <see cref="Auto"/>.</summary>
    Kernels,
}

/// <summary>What the mode of the run means for an operation.</summary>
public static class OperatorModes
{
    /// <exception cref="InputException">Not one of auto, composed, host, kernels.</exception>
    public static OperatorMode Parse(string name) =>
        Enum.TryParse(name, ignoreCase: true, out OperatorMode mode) && Enum.IsDefined(mode)
            ? mode
            : throw new InputException("operators", $"'{name}'", "auto, composed, host or kernels");

    /// <summary>Whether an operation that has kernels takes them for such a tensor.</summary>
    internal static bool UseKernels(Tensor tensor) =>
        tensor.dtype is ScalarType.Float32 or ScalarType.Float64
        && (RunScope.Current.Mode == OperatorMode.Kernels
            || (RunScope.Current.Mode == OperatorMode.Auto && tensor.device_type == DeviceType.CUDA));

    /// <summary>Whether an operation that has a host form takes it, where it takes no kernels: on the CPU, unless another is asked for.</summary>
    /// <param name="tensor">What it works on.</param>
    /// <param name="pays">Whether that form is the faster one for such a tensor on a CPU.</param>
    internal static bool UseHost(Tensor tensor, bool pays = true) => RunScope.Current.Mode switch
    {
        OperatorMode.Composed => false,
        OperatorMode.Host => true,
        _ => pays && tensor.device_type == DeviceType.CPU,
    };
}
