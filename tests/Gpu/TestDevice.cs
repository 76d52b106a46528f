using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

/// <summary>
/// Where tests of the category Gpu run: on CUDA; or, to try the tests themselves, with CHEMSCALE_TEST_DEVICE=cpu, with kernels on the CPU, and with =ptx, on
/// the interpreted device with all its checks.
/// </summary>
internal static class TestDevice
{
    private const string Variable = "CHEMSCALE_TEST_DEVICE";

    /// <summary>The calling test is skipped, with the reason, where there is no device.</summary>
    public static Device Require()
    {
        switch (Environment.GetEnvironmentVariable(Variable))
        {
            case "cpu":
                return CPU;
            case "ptx":
                TestScope.Warps();
                return CPU;
        }
        if (!cuda.is_available()) Assert.Ignore("no CUDA device");
        return CUDA;
    }
}
