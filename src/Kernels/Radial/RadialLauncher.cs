using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>Launches the radial kernels. Shapes are those of the kernels; E = 0 is no launch.</summary>
public static class RadialLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    public static void Forward(
        KernelDevice device, RadialForm form, DeviceArray<T> edgeVectors, DeviceArray<T> centers, DeviceArray<T> exponents,
        DeviceArray<T> distances, DeviceArray<T> directions, DeviceArray<T> envelope, DeviceArray<T> radial)
    {
        T cutoff = TReal.Of(form.Cutoff);
        if (centers.Length % 4 == 0 && radial.IsAligned)
        {
            device.Launch(RadialKernels.Quads<T, TReal>(form), device.Cover(radial.Length / 4),
                KernelArgument.Of(edgeVectors), KernelArgument.Of(centers), KernelArgument.Of(exponents), KernelArgument.Of(cutoff), form.Power,
                KernelArgument.Of(distances), KernelArgument.Of(directions), KernelArgument.Of(envelope), KernelArgument.Of(radial.As<Pack4<T>>()));
        }
        else
        {
            device.Launch(RadialKernels.Singles<T, TReal>(form), device.Cover(radial.Length),
                KernelArgument.Of(edgeVectors), KernelArgument.Of(centers), KernelArgument.Of(exponents), KernelArgument.Of(cutoff), form.Power,
                KernelArgument.Of(distances), KernelArgument.Of(directions), KernelArgument.Of(envelope), KernelArgument.Of(radial));
        }
    }

    public static void Backward(
        KernelDevice device, RadialForm form, DeviceArray<T> edgeVectors, DeviceArray<T> centers, DeviceArray<T> exponents,
        RadialGradients<T> gradients, DeviceArray<T> vectorGradient)
    {
        (Type lanes, int count) = Lanes(device);
        device.Launch(RadialKernels.Backward<T, TReal>(form, lanes), device.Cover(count * (edgeVectors.Length / 3)),
            KernelArgument.Of(edgeVectors), KernelArgument.Of(centers), KernelArgument.Of(exponents), KernelArgument.Of(TReal.Of(form.Cutoff)), form.Power,
            KernelArgument.Of(gradients.Distances), KernelArgument.Of(gradients.Directions), KernelArgument.Of(gradients.Envelope),
            KernelArgument.Of(gradients.Radial), KernelArgument.Of(vectorGradient));
    }

    /// <param name="device">Where.</param>
    /// <param name="form">Basis and cutoff function.</param>
    /// <param name="edgeVectors">(E, 3)</param>
    /// <param name="centers">(K)</param>
    /// <param name="exponents">(K), or empty</param>
    /// <param name="gradients">As in the backward pass.</param>
    /// <param name="cotangent">(E, 3): gradient with respect to the backward pass's result.</param>
    /// <param name="byVectors">(E, 3), written</param>
    /// <param name="byGradients">Written, where not empty. One may be wanted only where its gradient was given.</param>
    public static void DoubleBackward(
        KernelDevice device, RadialForm form, DeviceArray<T> edgeVectors, DeviceArray<T> centers, DeviceArray<T> exponents,
        RadialGradients<T> gradients, DeviceArray<T> cotangent, DeviceArray<T> byVectors, RadialGradients<T> byGradients)
    {
        (Type lanes, int count) = Lanes(device);
        device.Launch(RadialKernels.DoubleBackward<T, TReal>(form, lanes), device.Cover(count * (edgeVectors.Length / 3)),
            KernelArgument.Of(edgeVectors), KernelArgument.Of(centers), KernelArgument.Of(exponents), KernelArgument.Of(TReal.Of(form.Cutoff)), form.Power,
            KernelArgument.Of(gradients.Distances), KernelArgument.Of(gradients.Directions), KernelArgument.Of(gradients.Envelope),
            KernelArgument.Of(gradients.Radial), KernelArgument.Of(cotangent), KernelArgument.Of(byVectors),
            KernelArgument.Of(byGradients.Distances), KernelArgument.Of(byGradients.Directions), KernelArgument.Of(byGradients.Envelope),
            KernelArgument.Of(byGradients.Radial));
    }

    private static (Type Lanes, int Count) Lanes(KernelDevice device) => device.WarpSize > 1 ? (typeof(FourLanes), 4) : (typeof(OneLane), 1);
}
