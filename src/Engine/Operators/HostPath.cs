using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Whether an operation with a cache-sized form takes it: on the CPU, unless another is asked for.</summary>
internal static class HostPath
{
    public static bool Chosen(Tensor tensor) => OperatorModes.Current switch
    {
        OperatorMode.Host => true,
        OperatorMode.Auto => tensor.device_type == DeviceType.CPU,
        _ => false,
    };
}
