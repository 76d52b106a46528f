using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Sums;

/// <summary>Launches <see cref="ColumnSums"/>.</summary>
public static class ColumnSumsLauncher<T>
    where T : unmanaged, INumber<T>
{
    /// <param name="device">Where.</param>
    /// <param name="matrix">(rows, n); no rows: the sums are zero</param>
    /// <param name="sums">(n), written</param>
    public static void Run(KernelDevice device, DeviceArray<T> matrix, DeviceArray<T> sums)
    {
        int rows = sums.Length == 0 ? 0 : (int)(matrix.Length / sums.Length);
        if (DeviceArray<T>.AreFours(sums.Length, matrix, sums)) Launch<Pack4<T>>();
        else Launch<Pack1<T>>();

        void Launch<TPack>()
            where TPack : unmanaged, IPack<T, TPack> =>
            ColumnSumsKernels<T, TPack>.Run.Launch(device, sums.Length / TPack.Count, rows, KernelArgument.Of(matrix.As<TPack>()),
                KernelArgument.Of(sums.As<TPack>()));
    }
}
