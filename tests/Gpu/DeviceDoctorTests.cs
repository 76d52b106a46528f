using ChemScale.Engine.Studies;
using ChemScale.Kernels.Device;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Gpu;

[Category("Gpu")]
public class DeviceDoctorTests
{
    [Test]
    public void The_device_passes_each_step_of_the_doctor()
    {
        Device device = TestDevice.Require();
        IReadOnlyList<Finding> findings = Doctor.Work(device.type == TorchSharp.DeviceType.CPU ? "cpu" : "cuda");
        foreach (Finding finding in findings) TestContext.Out.WriteLine($"{finding.What}: {finding.Found}");
        Assert.That(findings.Where(f => !f.Good), Is.Empty);
        Assert.That(findings, Has.Count.EqualTo(5));
    }

    [Test]
    public void Every_kernel_loads_and_uses_no_more_local_memory_than_it_declares()
    {
        if (TestDevice.Require().type == TorchSharp.DeviceType.CPU) Assert.Ignore("needs a driver");
        List<string> faults = [];
        foreach ((string family, IReadOnlyList<KernelVariant> variants) in KernelFamilies.All())
        {
            foreach (KernelVariant variant in variants)
            {
                CudaFunction function = CudaDevice.Of(0).Load(variant.Kernel);
                if (function.LocalBytes > variant.LocalBytes)
                    faults.Add($"{family} {variant}: {function.LocalBytes} bytes of local memory, {variant.LocalBytes} declared, {function.Registers} registers");
            }
        }
        Assert.That(faults, Is.Empty);
    }
}
