using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.Radial;

/// <summary>Launches the radial kernels. Without edges nothing is launched.</summary>
public static class RadialLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    /// <param name="device">Where.</param>
    /// <param name="inputs">What is read.</param>
    /// <param name="outputs">Written.</param>
    public static void Forward(KernelDevice device, RadialInputs<T> inputs, RadialOutputs<T> outputs)
    {
        DeviceArray<T> radial = outputs.Radial;
        DeviceArray<T> centers = inputs.Centers, exponents = inputs.ExponentsOrCenters;
        bool quads = centers.Length % 4 == 0 && centers.IsAligned && exponents.IsAligned && radial.IsAligned;
        device.Launch(
            quads ? RadialKernels.Quads<T, TReal>(inputs.Settings) : RadialKernels.Singles<T, TReal>(inputs.Settings),
            device.Cover(quads ? radial.Length / 4 : radial.Length),
            KernelArgument.Of(inputs.EdgeVectors), Row(centers), Row(exponents), Cutoff(inputs), inputs.Settings.Power,
            KernelArgument.Of(outputs.Distances), KernelArgument.Of(outputs.Directions), KernelArgument.Of(outputs.Envelope), Row(radial));

        KernelArgument Row(DeviceArray<T> row) => quads ? KernelArgument.Of(row.As<Pack4<T>>()) : KernelArgument.Of(row);
    }

    /// <param name="device">Where.</param>
    /// <param name="inputs">As in the forward pass.</param>
    /// <param name="gradients">With respect to the four outputs.</param>
    /// <param name="vectorGradient">(E, 3), written</param>
    public static void Backward(KernelDevice device, RadialInputs<T> inputs, RadialOutputs<T> gradients, DeviceArray<T> vectorGradient)
    {
        (Type lanes, int count) = Lanes(device);
        device.Launch(
            RadialKernels.Backward<T, TReal>(inputs.Settings, lanes), device.Cover(count * inputs.Edges),
            KernelArgument.Of(inputs.EdgeVectors), KernelArgument.Of(inputs.Centers), KernelArgument.Of(inputs.ExponentsOrCenters),
            Cutoff(inputs), inputs.Settings.Power,
            KernelArgument.Of(gradients.Distances), KernelArgument.Of(gradients.Directions), KernelArgument.Of(gradients.Envelope),
            KernelArgument.Of(gradients.Radial), KernelArgument.Of(vectorGradient));
    }

    /// <param name="device">Where.</param>
    /// <param name="inputs">As in the forward pass.</param>
    /// <param name="gradients">As in the backward pass.</param>
    /// <param name="cotangent">(E, 3): gradient with respect to the backward pass's result.</param>
    /// <param name="byVectors">(E, 3), written</param>
    /// <param name="byGradients">Written, where not empty. One may be wanted only where its gradient was given.</param>
    public static void DoubleBackward(
        KernelDevice device, RadialInputs<T> inputs, RadialOutputs<T> gradients, DeviceArray<T> cotangent,
        DeviceArray<T> byVectors, RadialOutputs<T> byGradients)
    {
        (Type lanes, int count) = Lanes(device);
        device.Launch(
            RadialKernels.DoubleBackward<T, TReal>(inputs.Settings, lanes), device.Cover(count * inputs.Edges),
            KernelArgument.Of(inputs.EdgeVectors), KernelArgument.Of(inputs.Centers), KernelArgument.Of(inputs.ExponentsOrCenters),
            Cutoff(inputs), inputs.Settings.Power,
            KernelArgument.Of(gradients.Distances), KernelArgument.Of(gradients.Directions), KernelArgument.Of(gradients.Envelope),
            KernelArgument.Of(gradients.Radial), KernelArgument.Of(cotangent), KernelArgument.Of(byVectors),
            KernelArgument.Of(byGradients.Distances), KernelArgument.Of(byGradients.Directions), KernelArgument.Of(byGradients.Envelope),
            KernelArgument.Of(byGradients.Radial));
    }

    private static KernelArgument Cutoff(RadialInputs<T> inputs) => KernelArgument.Of(TReal.Of(inputs.Settings.Cutoff));

    private static (Type Lanes, int Count) Lanes(KernelDevice device) =>
        device.WarpSize > 1 ? (typeof(FourLanes), FourLanes.Count) : (typeof(OneLane), OneLane.Count);
}
