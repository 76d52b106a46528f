using ChemScale.Engine;
using ChemScale.Engine.Operators.Runs;
using NUnit.Framework;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

public class OperatorModeTests
{
    [TearDown]
    public void Reset() => TestScope.Reset();

    [TestCase("auto", OperatorMode.Auto)]
    [TestCase("Composed", OperatorMode.Composed)]
    [TestCase("host", OperatorMode.Host)]
    [TestCase("kernels", OperatorMode.Kernels)]
    public void Each_mode_has_a_name(string name, OperatorMode mode) => Assert.That(OperatorModes.Parse(name), Is.EqualTo(mode));

    [TestCase("fast")]
    [TestCase("7")]
    public void Another_name_is_refused(string name) =>
        Assert.That(() => OperatorModes.Parse(name), Throws.TypeOf<InputException>().With.Message.Contains("host or kernels"));

    [TestCase(OperatorMode.Auto, ScalarType.Float32, false)]
    [TestCase(OperatorMode.Host, ScalarType.Float32, false)]
    [TestCase(OperatorMode.Kernels, ScalarType.Float32, true)]
    [TestCase(OperatorMode.Kernels, ScalarType.Float64, true)]
    [TestCase(OperatorMode.Kernels, ScalarType.BFloat16, false)]
    public void On_the_CPU_kernels_run_only_when_asked_for(OperatorMode mode, ScalarType dtype, bool expected)
    {
        TestScope.Mode(mode);
        using Tensor tensor = zeros(1, dtype: dtype);
        Assert.That(OperatorModes.UseKernels(tensor), Is.EqualTo(expected));
    }

    [Test]
    public void A_kernel_takes_no_tensor_of_another_type_or_layout()
    {
        using Tensor tensor = zeros(4, 3), turned = tensor.t();
        Assert.That(() => KernelTensors.Array<double>(tensor), Throws.ArgumentException.With.Message.Contains("Float64"));
        Assert.That(() => KernelTensors.Array<float>(turned), Throws.ArgumentException.With.Message.Contains("contiguous"));
        Assert.That(KernelTensors.Array<float>(tensor).Length, Is.EqualTo(12));
        Assert.That(KernelTensors.Array<float>(null).Length, Is.Zero);
    }
}
