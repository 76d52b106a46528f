using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Ptx;

namespace ChemScale.Tests;

/// <summary>Scopes that last for the rest of a test, or until the next.</summary>
internal static class TestScope
{
    // One multiprocessor: strided loops go round.
    private static readonly PtxDevice Interpreted = new() { Multiprocessors = 1 };

    public static void Mode(OperatorMode mode) => new RunScope(mode).Enter();

    public static void Device(KernelDevice device) => new RunScope(RunScope.Current.Mode) { CpuKernels = () => device }.Enter();

    /// <summary>Kernels run in full warps: their very PTX, interpreted with all checks.</summary>
    public static void Warps() => Device(Interpreted);

    public static void Scratch(int values) => new RunScope(RunScope.Current.Mode) { ScratchValues = values }.Enter();

    /// <summary>As at the beginning of a test: a scope of its own, that has nothing from any before.</summary>
    public static void Reset()
    {
        RunScope.Default.Enter();
        new RunScope { Nodes = new LiveNodes() }.Enter();
    }
}
