namespace ChemScale.Kernels.Device;

/// <summary>How many threads run a kernel. No groups: nothing to do, and nothing is launched.</summary>
/// <param name="Groups">Thread groups (CUDA: blocks).</param>
/// <param name="GroupSize">Threads of a group.</param>
/// <param name="SharedBytes">Dynamic shared memory of a group.</param>
public readonly record struct LaunchShape(int Groups, int GroupSize, int SharedBytes = 0);
