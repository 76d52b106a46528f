using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;
using ChemScale.Tests.Operators;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>Attention in bfloat16 on a device's own tensor cores; without one, where these tests are tried, on the interpreted device.</summary>
[Category("Gpu")]
public sealed class DeviceMatrixAttentionTests : MatrixAttentionCases
{
    private protected override KernelDevice Cpu { get; } = new PtxDevice { Multiprocessors = 1 };

    private protected override Device Place => TestDevice.Require();
}
