using System.Collections.Concurrent;
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

/// <summary>The radial kernels by their type parameters: number type, basis, cutoff function, lanes an edge.</summary>
internal sealed class RadialKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<Key, KernelMethod> Made = new();

    public static IEnumerable<KernelVariant> Variants =>
        from gaussian in (bool[])[true, false]
        from power in (int[])[0, 6]
        let settings = new RadialSettings(gaussian, 1, power)
        from variant in (IEnumerable<KernelVariant>)[.. Of<float, F32>(settings), .. Of<double, F64>(settings)]
        select variant;

    public static KernelMethod Singles<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialForward), nameof(RadialForward.Singles), settings, null);

    public static KernelMethod Quads<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialForward), nameof(RadialForward.Quads), settings, null);

    public static KernelMethod Backward<T, TReal>(RadialSettings settings, Type lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialBackward), nameof(RadialBackward.Run), settings, lanes);

    public static KernelMethod DoubleBackward<T, TReal>(RadialSettings settings, Type lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T> => Make<T, TReal>(typeof(RadialDoubleBackward), nameof(RadialDoubleBackward.Run), settings, lanes);

    private static IEnumerable<KernelVariant> Of<T, TReal>(RadialSettings settings)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        bool wide = typeof(T) == typeof(double);
        yield return new KernelVariant(Singles<T, TReal>(settings), Float64: wide);
        yield return new KernelVariant(Quads<T, TReal>(settings), VectorLoads: true, VectorStores: true, Float64: wide);
        foreach (Type lanes in (Type[])[typeof(OneLane), typeof(FourLanes)])
        {
            yield return new KernelVariant(Backward<T, TReal>(settings, lanes), Float64: wide);
            yield return new KernelVariant(DoubleBackward<T, TReal>(settings, lanes), Float64: wide);
        }
    }

    private static KernelMethod Make<T, TReal>(Type kernels, string name, RadialSettings settings, Type? lanes)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        return Made.GetOrAdd(new Key(typeof(T), kernels, name, settings.Gaussian, settings.Power == 0, lanes), key =>
        {
            Type function = key.Gaussian ? typeof(Gaussian<T, TReal>) : typeof(Bessel<T, TReal>);
            Type cutoff = key.Cosine ? typeof(CosineCutoffFunction<T, TReal>) : typeof(PolynomialCutoffFunction<T, TReal>);
            Type[] arguments = [typeof(T), typeof(TReal), function, cutoff];
            return KernelMethod.Of(key.Kernels, key.Name, key.Lanes is null ? arguments : [.. arguments, key.Lanes]);
        });
    }

    private readonly record struct Key(Type Number, Type Kernels, string Name, bool Gaussian, bool Cosine, Type? Lanes);
}
