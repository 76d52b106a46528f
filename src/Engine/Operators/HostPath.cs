using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>Whether an operation with a cache-sized form takes it: on the CPU, unless another is asked for.</summary>
internal static class HostPath
{
    public static bool Chosen(Tensor tensor) => OperatorModes.Current switch
    {
        OperatorMode.Composed => false,
        OperatorMode.Host => true,
        _ => tensor.device_type == DeviceType.CPU,
    };
}
