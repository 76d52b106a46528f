using ChemScale.Engine.Operators.Runs;

namespace ChemScale.Perf.Measuring;

/// <summary>A side that a benchmark can measure.</summary>
/// <param name="Name">composed, host, kernels, bfloat16, library or auto</param>
/// <param name="Mode">Set while its step runs.</param>
/// <param name="MemoryBytes">What the case takes of the device with this side at work, estimated from the sizes of its tensors.</param>
internal sealed record SidePlan(string Name, OperatorMode Mode, double MemoryBytes)
{
    public static SidePlan Composed(double bytes) => new("composed", OperatorMode.Composed, bytes);

    public static SidePlan Host(double bytes) => new("host", OperatorMode.Host, bytes);

    public static SidePlan Kernels(double bytes) => new("kernels", OperatorMode.Kernels, bytes);

    public static SidePlan Library(double bytes) => new("library", OperatorMode.Composed, bytes);
}
