using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>
/// Where tests of the category Gpu run: on CUDA; or, with CHEMSCALE_TEST_DEVICE=cpu, with kernels on the CPU, to try the tests themselves.
/// </summary>
internal static class TestDevice
{
    private const string Variable = "CHEMSCALE_TEST_DEVICE";

    /// <summary>The calling test is skipped, with the reason, where there is no device.</summary>
    public static Device Require()
    {
        if (Environment.GetEnvironmentVariable(Variable) == "cpu") return CPU;
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        return CUDA;
    }
}
