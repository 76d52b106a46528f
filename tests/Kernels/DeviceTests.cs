using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;
using NUnit.Framework;

namespace ChemScale.Tests.Kernels;

/// <summary>Launches, and what goes wrong with them.</summary>
public unsafe class DeviceTests
{
    private static readonly KernelMethod Scale = KernelMethod.Of(ScaleBy);

    [Test]
    public void A_launch_reads_and_writes_the_memory_it_is_given([Values] bool warps)
    {
        KernelDevice device = warps ? CpuDevice.Warps : CpuDevice.Scalar;
        double[] x = [.. Enumerable.Range(0, 1000).Select(i => (double)i)];
        Run(device, x, 3);
        Assert.That(x, Is.EqualTo(Enumerable.Range(0, 1000).Select(i => 3.0 * i)));
    }

    [Test]
    public void Launches_may_come_from_any_thread()
    {
        double[] sums = new double[8];
        Parallel.For(0, sums.Length, t =>
        {
            double[] x = [.. Enumerable.Repeat(t + 1.0, 100)];
            Run(CpuDevice.Scalar, x, 2);
            sums[t] = x.Sum();
        });
        Assert.That(sums, Is.EqualTo(Enumerable.Range(1, 8).Select(t => 200.0 * t)));
    }

    [Test]
    public void A_group_for_each_item_is_one() =>
        Assert.That(CpuDevice.Scalar.GroupPer(17, 128), Is.EqualTo(new LaunchShape(17, 1)));

    [Test]
    public void More_elements_than_indices_reach_are_refused()
    {
        KernelException e = Assert.Throws<KernelException>(() => KernelArgument.Of(new DeviceArray<float>(64, 1L << 31)))!;
        Assert.That(e.Fault, Is.EqualTo(KernelFault.BadArgument));
        Assert.That(e.Message, Does.Contain("2,147,483,648"));
        // A strided loop whose index wrapped round would pass its own test and write before the array.
        Assert.That(() => KernelArgument.Of(new DeviceArray<float>(64, int.MaxValue - 1000)), Throws.TypeOf<KernelException>());
        Assert.That(() => KernelArgument.Of(new DeviceArray<float>(64, int.MaxValue - (1 << 20))), Throws.Nothing);
    }

    [Test]
    public void A_missing_argument_is_told_by_the_kernels_name()
    {
        KernelException e = Assert.Throws<KernelException>(() => CpuDevice.Scalar.Launch(Scale, new LaunchShape(1, 1), 3.0))!;
        Assert.That(e.Message, Does.Contain("DeviceTests.ScaleBy takes 2 arguments, not 1"));
    }

    [Test]
    public void An_argument_of_another_type_is_told_by_the_parameters_name()
    {
        KernelException number = Assert.Throws<KernelException>(
            () => CpuDevice.Scalar.Launch(Scale, new LaunchShape(1, 1), KernelArgument.Of(DeviceArray<double>.Empty), 3f))!;
        Assert.That(number.Fault, Is.EqualTo(KernelFault.BadArgument));
        Assert.That(number.Message, Does.Contain("DeviceTests.ScaleBy takes Double for factor, not Single"));
        KernelException array = Assert.Throws<KernelException>(
            () => CpuDevice.Scalar.Launch(Scale, new LaunchShape(1, 1), KernelArgument.Of(DeviceArray<float>.Empty), 3.0))!;
        Assert.That(array.Message, Does.Contain("takes ArrayView<Double> for x, not ArrayView<Single>"));
    }

    [Test]
    public void A_kernel_that_no_family_lists_is_refused_where_warps_are()
    {
        // Nothing is wrong with it but that nobody asks for eight lanes a column.
        Type sums = typeof(IKernelFamily).Assembly.GetType("ChemScale.Kernels.Sums.ColumnSums", throwOnError: true)!;
        KernelMethod stray = KernelMethod.Of(sums, "Run", typeof(float), typeof(Pack1<float>), typeof(EightLanes));
        KernelException e = Assert.Throws<KernelException>(() => Sum(CpuDevice.Warps))!;
        Assert.That(e.Fault, Is.EqualTo(KernelFault.BadKernel));
        Assert.That(e.Message, Does.Contain("no family lists kernel ColumnSums.Run<Single, Pack1<Single>, EightLanes>"));

        void Sum(KernelDevice device)
        {
            KernelArgument nothing = KernelArgument.Of(DeviceArray<Pack1<float>>.Empty);
            device.Launch(stray, device.Cover(1), 0, nothing, nothing);
        }
    }

    [Test]
    public void A_machine_without_a_driver_says_so()
    {
        if (CudaDriver.Find().Absence is null) Assert.Ignore("this machine has a driver");
        KernelException e = Assert.Throws<KernelException>(() => CudaDevice.Of(0))!;
        Assert.That(e.Fault, Is.EqualTo(KernelFault.NoDriver));
        Assert.That(e.Message, Does.Contain("NVIDIA driver"));
    }

    private static void Run(KernelDevice device, double[] x, double factor)
    {
        fixed (double* p = x)
            device.Launch(Scale, device.Cover(x.Length), KernelArgument.Of(new DeviceArray<double>((nint)p, x.Length)), factor);
    }

    private static void ScaleBy(ArrayView<double> x, double factor)
    {
        for (int i = Grid.GlobalIndex.X; i < x.IntLength; i += Grid.DimX * Group.DimX) x[i] = factor * x[i];
    }
}
