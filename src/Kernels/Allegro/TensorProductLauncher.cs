using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Allegro;

/// <summary>Launches the tensor product kernels. Shapes are those of the kernels; an empty result is no launch.</summary>
/// <param name="device">Where.</param>
/// <param name="terms">The terms.</param>
/// <param name="channels">U</param>
public sealed class TensorProductLauncher<T>(KernelDevice device, ProductTerms<T> terms, int channels)
    where T : unmanaged, INumber<T>
{
    public void ByEdges(DeviceArray<long> receivers, DeviceArray<T> ofEdges, DeviceArray<T> ofAtoms, DeviceArray<T> result)
    {
        if (Fours(ofEdges, ofAtoms, result)) Run<Pack4<T>>(4, TensorProductKernels<T, Pack4<T>>.ByEdges, receivers, ofEdges, ofAtoms,
            result);
        else Run<Pack1<T>>(1, TensorProductKernels<T, Pack1<T>>.ByEdges, receivers, ofEdges, ofAtoms, result);
    }

    public void ByReceivers(DeviceArray<long> rowStarts, DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result)
    {
        if (Fours(left, right, result)) Run<Pack4<T>>(4, TensorProductKernels<T, Pack4<T>>.ByReceivers, rowStarts, left, right, result);
        else Run<Pack1<T>>(1, TensorProductKernels<T, Pack1<T>>.ByReceivers, rowStarts, left, right, result);
    }

    private void Run<TPack>(
        int width, KernelMethod kernel, DeviceArray<long> index, DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result)
        where TPack : unmanaged =>
        device.Launch(kernel, device.Cover(result.Length / width),
            KernelArgument.Of(terms.Starts), KernelArgument.Of(terms.First), KernelArgument.Of(terms.Second),
            KernelArgument.Of(terms.Values),
            terms.Firsts, terms.Seconds, channels / width, KernelArgument.Of(index),
            KernelArgument.Of(left.As<TPack>()), KernelArgument.Of(right.As<TPack>()), KernelArgument.Of(result.As<TPack>()));

    private bool Fours(DeviceArray<T> left, DeviceArray<T> right, DeviceArray<T> result) =>
        channels % 4 == 0 && left.IsAligned && right.IsAligned && result.IsAligned;
}
