using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Perf.Measuring;

/// <summary>What the device does at best, measured by the library's own operations.</summary>
/// <param name="Copy">Bytes read and written a second by a large copy.</param>
/// <param name="Matrix">FLOP/s of a large square matrix product in float32.</param>
/// <param name="MatrixBfloat16">The same in bfloat16, on CUDA.</param>
internal sealed record Rates(double Copy, double Matrix, double? MatrixBfloat16)
{
    private const int Repeats = 9;

    public static Rates Measure(RunSettings settings, Stopclock clock)
    {
        // Copies must not fit the caches; products must be long beside a launch. Quick runs only show that all works.
        long values = settings.Sizes(1L << 22, 1L << 25, 1L << 28);
        int side = settings.Sizes(256, 1024, 8192);
        double copy = Copying(values, settings.Device, clock), matrix = Multiplying(side, ScalarType.Float32, settings.Device, clock);
        return new Rates(copy, matrix, settings.Cuda ? Multiplying(side, ScalarType.BFloat16, settings.Device, clock) : null);
    }

    private static double Copying(long values, Device device, Stopclock clock)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor from = ones(values, device: device), to = zeros_like(from);
        return 2.0 * sizeof(float) * values / Median(clock, () => to.copy_(from));
    }

    private static double Multiplying(int side, ScalarType type, Device device, Stopclock clock)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable noGradient = no_grad();
        Tensor a = randn(side, side, device: device).to(type), b = randn(side, side, device: device).to(type);
        return 2.0 * side * side * side / Median(clock, () => mm(a, b).Dispose());
    }

    private static double Median(Stopclock clock, Action work)
    {
        work();
        return Summary.Of(Enumerable.Range(0, Repeats).Select(_ => clock.Time(work))).Median;
    }
}
