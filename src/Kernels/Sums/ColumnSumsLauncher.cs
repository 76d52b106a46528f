using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Sums;

/// <summary>Launches <see cref="ColumnSums"/>.</summary>
public static class ColumnSumsLauncher<T>
    where T : unmanaged, INumber<T>
{
    private static readonly KernelByLanes Kernel =
        new(KernelMethod.Of(ColumnSums.Run<T, OneLane>), KernelMethod.Of(ColumnSums.Run<T, WarpLanes>));

    internal static IEnumerable<KernelVariant> Variants => Kernel.Variants(typeof(T) == typeof(double));

    /// <param name="device">Where.</param>
    /// <param name="matrix">(rows, n); no rows: the sums are zero</param>
    /// <param name="sums">(n), written</param>
    public static void Run(KernelDevice device, DeviceArray<T> matrix, DeviceArray<T> sums)
    {
        int rows = sums.Length == 0 ? 0 : (int)(matrix.Length / sums.Length);
        Kernel.Launch(device, sums.Length, rows, KernelArgument.Of(matrix), KernelArgument.Of(sums));
    }
}
