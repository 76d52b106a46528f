using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Radial;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Sums;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>One step of <see cref="DeviceCheck"/>: how far it was from what it should give.</summary>
/// <param name="What">Its name.</param>
/// <param name="Error">Largest difference over the largest expected value; 0: equal.</param>
/// <param name="Allowed">The most that it may be.</param>
public sealed record DeviceStep(string What, double Error, double Allowed)
{
    public bool Right => Error <= Allowed;
}

/// <summary>
/// What a device must do before anything is trained on it: library operations with two derivatives, a kernel on a tensor's memory, and an
/// operation whose kernels are autograd functions. Runs on the CPU too.
/// </summary>
public static class DeviceCheck
{
    private const int Rows = 257, Width = 96;
    private const double Cutoff = 5;

    /// <summary>The steps, first things first; each runs when it is asked for, and may throw.</summary>
    public static IReadOnlyList<(string What, Func<DeviceStep> Run)> Steps(Device device) =>
    [
        ("float64", () => Library("float64", device, ScalarType.Float64, 1e-10)),
        ("float32", () => Library("float32", device, ScalarType.Float32, 1e-4)),
        ("launch", () => Launch(device)),
        ("operation", () => Operation(device)),
        ("release", () => Release(device)),
    ];

    /// <summary>y = tanh(x W), its gradients by x and W, and those of the gradients' squares, against the CPU in float64.</summary>
    private static DeviceStep Library(string what, Device device, ScalarType type, double allowed)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor x = Normal(1, Rows, Width), weight = Normal(2, Width, Width) / Math.Sqrt(Width);
        Tensor[] expected = Values(x, weight), found = Values(x.to(type).to(device), weight.to(type).to(device));
        return new DeviceStep(what, Apart(found, expected), allowed);

        static Tensor[] Values(Tensor x, Tensor weight)
        {
            Tensor[] leaves = [x.detach().requires_grad_(), weight.detach().requires_grad_()];
            Tensor y = leaves[0].matmul(leaves[1]).tanh();
            IList<Tensor> first = Gradients.Of([y.square().sum()], leaves, retainGraph: true, createGraph: true);
            IList<Tensor> second = Gradients.Of([first[0].square().sum() + first[1].square().sum()], leaves);
            return [y, .. first, .. second];
        }
    }

    /// <summary>A kernel that sums columns of whole numbers: exact in float32 in any order.</summary>
    private static DeviceStep Launch(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor matrix = arange(Rows * Width, dtype: ScalarType.Int64).remainder(17).view(Rows, Width);
        Tensor there = matrix.to(ScalarType.Float32).to(device), sums = zeros(Width, dtype: ScalarType.Float32, device: there.device);
        ColumnSumsLauncher<float>.Run(KernelTensors.Device(there), KernelTensors.Array<float>(there), KernelTensors.Array<float>(sums));
        return new DeviceStep("launch", Apart([sums], [matrix.sum([0L])]), 0);
    }

    /// <summary>Radial basis and cutoff by kernels: outputs, gradient, and the gradient's gradient, against the composed form on the CPU.</summary>
    private static DeviceStep Operation(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = Normal(3, 2000, 3);
        return new DeviceStep("operation", Apart(Radial(vectors.to(device), OperatorMode.Kernels), Radial(vectors, OperatorMode.Composed)), 1e-10);
    }

    /// <summary>Backward passes on libtorch's own threads leave no graph behind, and repeat to the last bit.</summary>
    private static DeviceStep Release(Device device)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor vectors = Normal(4, 500, 3).to(device);
        Tensor[] first = Radial(vectors, OperatorMode.Kernels);
        int before = AutogradFunction.LiveNodes;
        double apart = 0;
        for (int repeat = 0; repeat < 50; repeat++)
        {
            using DisposeScope inner = NewDisposeScope();
            apart = Math.Max(apart, Apart(Radial(vectors, OperatorMode.Kernels), first));
        }
        return new DeviceStep("release", apart + Math.Max(0, AutogradFunction.LiveNodes - before), 0);
    }

    private static Tensor[] Radial(Tensor vectors, OperatorMode mode)
    {
        using RunScope.Entry run = new RunScope(mode).Enter();
        Tensor centers = linspace(0, Cutoff, 20, dtype: vectors.dtype, device: vectors.device);
        Tensor leaf = vectors.detach().requires_grad_();
        var f = RadialBasisCutoff.Of(leaf, new RadialFunctions(centers, full_like(centers, -8), Cutoff, 0));
        Tensor value = (f.Radial * f.Envelope).square().sum() + (f.Distances * f.Directions).pow(3).sum();
        Tensor first = Gradients.Of([value], [leaf], retainGraph: true, createGraph: true)[0];
        Tensor second = Gradients.Of([first.square().sum()], [leaf])[0];
        return [.. ((Tensor[])[f.Radial, f.Envelope, first, second]).Select(t => t.detach())];
    }

    private static double Apart(Tensor[] found, Tensor[] expected) => found.Zip(expected, (f, e) =>
    {
        Tensor exact = e.detach().cpu().to(ScalarType.Float64);
        Tensor apart = f.detach().cpu().to(ScalarType.Float64) - exact;
        // NaN is as far as can be.
        return apart.isfinite().all().item<bool>()
            ? apart.abs().max().item<double>() / Math.Max(exact.abs().max().item<double>(), double.Epsilon)
            : double.PositiveInfinity;
    }).Max();

    private static Tensor Normal(ulong seed, params long[] shape)
    {
        using Generator generator = new(seed);
        return randn(shape, dtype: ScalarType.Float64, generator: generator);
    }
}

/// <summary>Devices that operators can run on.</summary>
public static class Devices
{
    /// <summary>One line on the NVIDIA driver and its devices, and whether there is one.</summary>
    public static (bool Present, string Description) Cuda()
    {
        CudaDriver driver = CudaDriver.Find();
        if (driver.Absence is { } absence) return (false, absence);
        string version = $"CUDA {driver.Version / 1000}.{driver.Version % 1000 / 10}";
        return (true, version + ": " + string.Join("; ", driver.Devices.Select(d =>
            $"{d.Name} (sm_{d.Major}{d.Minor}, {d.Memory / (1 << 30)} GiB)")));
    }

    /// <summary>What the kernel compiler can target.</summary>
    public static string Compiler() => string.Join("; ", CompilerDevices.List());
}
