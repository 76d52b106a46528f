using NUnit.Framework;

namespace ChemScale.Tests.Gpu;

/// <summary>The same on a few rows: for compute-sanitizer, which watches every memory access.</summary>
[Category("Gpu")]
public sealed class DeviceOperationSmallCasesTests : DeviceOperationTests
{
    private protected override bool Small => true;
}
