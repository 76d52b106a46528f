using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Optimization;

/// <summary>
/// Rounding to bfloat16 up or down at random, right on average. To nearest, a second moment with decay 0.999 would stand still: it moves
/// by a thousandth a step, and bfloat16 tells only every 256th apart. The random numbers follow from update and parameter: no state to
/// save.
/// </summary>
internal sealed class Bfloat16Moments
{
    public void RoundStochastically(Tensor source, Tensor target, long update, int parameter)
    {
        using var generator = new Generator(Seed(update, parameter), source.device);
        using Tensor noise = rand(source.shape, dtype: ScalarType.Float32, device: source.device, generator: generator);
        FusedOps.RoundToBfloat16(source, noise, target);
    }

    private static ulong Seed(long update, int parameter) =>
        unchecked((ulong)update * 0x9E3779B97F4A7C15UL + (ulong)parameter * 0xD1B54A32D192ED03UL);
}
