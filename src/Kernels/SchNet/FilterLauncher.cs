using System.Collections.Concurrent;
using System.Numerics;
using System.Runtime.CompilerServices;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// Launches the convolution's kernels. Arrays of atoms, weights and scratch must start at multiples of 16 bytes. There must be edges:
/// without any, all sums are zero and nobody writes them.
/// </summary>
public static class FilterLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    // More fill the last tile of a group better; fewer keep all multiprocessors busy with few atoms.
    private const int MostRows = 8, GroupsWanted = 1024;

    /// <param name="device">Where.</param>
    /// <param name="arrays">Edges by receiver.</param>
    /// <param name="sums">(A, N), written</param>
    public static void Forward(KernelDevice device, in FilterArrays<T> arrays, DeviceArray<T> sums)
    {
        (FilterShape shape, FilterEdges edges, FilterInputs<T> inputs, FilterWeights<T> weights) = arrays;
        (LaunchShape launch, int rows, int tile) = Plan(device, shape, FilterPass.Forward, edges.Atoms);
        device.Launch(FilterKernels.Of<T, TReal>(FilterPass.Forward), launch,
            KernelArgument.Of(inputs.Radial), shape.Radial, KernelArgument.Of(inputs.Envelope), Packs(inputs.Features),
            Packs(weights.Weight1), Packs(weights.Bias1), Packs(weights.Weight2), Packs(weights.Bias2),
            KernelArgument.Of(edges.RowStarts), KernelArgument.Of(edges.Senders), rows, tile, KernelArgument.Of(sums));
    }

    /// <param name="device">Where.</param>
    /// <param name="arrays">Edges by receiver.</param>
    /// <param name="along">h', phi', f'</param>
    /// <param name="sums">(A, N), written</param>
    public static void Tangent(KernelDevice device, in FilterArrays<T> arrays, in FilterInputs<T> along, DeviceArray<T> sums)
    {
        (FilterShape shape, FilterEdges edges, FilterInputs<T> inputs, FilterWeights<T> weights) = arrays;
        (LaunchShape launch, int rows, int tile) = Plan(device, shape, FilterPass.Tangent, edges.Atoms);
        device.Launch(FilterKernels.Of<T, TReal>(FilterPass.Tangent), launch,
            KernelArgument.Of(inputs.Radial), KernelArgument.Of(along.Radial), shape.Radial,
            KernelArgument.Of(inputs.Envelope), KernelArgument.Of(along.Envelope), Packs(inputs.Features), Packs(along.Features),
            Packs(weights.Weight1), Packs(weights.Bias1), Packs(weights.Weight2), Packs(weights.Bias2),
            KernelArgument.Of(edges.RowStarts), KernelArgument.Of(edges.Senders), rows, tile, KernelArgument.Of(sums));
    }

    /// <param name="device">Where.</param>
    /// <param name="arrays">Edges by sender.</param>
    /// <param name="senders">Which to take.</param>
    /// <param name="gradient">(A, N) of the sums</param>
    /// <param name="by">By h, phi and f: whole arrays; written where these senders' rows and edges are</param>
    /// <param name="scratch">Of the edges of these senders; written</param>
    public static void Backward(KernelDevice device, in FilterArrays<T> arrays, FilterSenders senders, DeviceArray<T> gradient,
        in FilterInputs<T> by, in FilterScratch<T> scratch)
    {
        (FilterShape shape, FilterEdges edges, FilterInputs<T> inputs, FilterWeights<T> weights) = arrays;
        (LaunchShape launch, int rows, int tile) = Plan(device, shape, FilterPass.Backward, senders.End - senders.First);
        device.Launch(FilterKernels.Of<T, TReal>(FilterPass.Backward), launch,
            KernelArgument.Of(inputs.Radial), shape.Radial, KernelArgument.Of(inputs.Envelope), Packs(inputs.Features), Packs(gradient),
            Packs(weights.Weight1), Packs(weights.Bias1), Packs(weights.Weight2), Packs(weights.Bias2),
            Packs(weights.Plain2), Packs(weights.Plain1),
            KernelArgument.Of(edges.SenderRowStarts), KernelArgument.Of(edges.SenderEdges), KernelArgument.Of(edges.Senders),
            KernelArgument.Of(edges.Receivers), senders.First, senders.End, rows, tile,
            KernelArgument.Of(by.Features), KernelArgument.Of(by.Radial), Fours(by.Radial, shape.Radial), KernelArgument.Of(by.Envelope),
            Packs(scratch.Inputs), Packs(scratch.Hidden), Packs(scratch.Inner), Packs(scratch.Outer));
    }

    /// <param name="device">Where.</param>
    /// <param name="arrays">Edges by sender.</param>
    /// <param name="senders">Which to take.</param>
    /// <param name="along">h', phi', f'</param>
    /// <param name="gradient">(A, N) of the sums</param>
    /// <param name="by">By h, phi and f: whole arrays; written where these senders' rows and edges are</param>
    /// <param name="scratch">Of the edges of these senders, values and then derivatives; written</param>
    public static void DoubleBackward(KernelDevice device, in FilterArrays<T> arrays, FilterSenders senders, in FilterInputs<T> along,
        DeviceArray<T> gradient, in FilterInputs<T> by, in FilterScratch<T> scratch)
    {
        (FilterShape shape, FilterEdges edges, FilterInputs<T> inputs, FilterWeights<T> weights) = arrays;
        (LaunchShape launch, int rows, int tile) = Plan(device, shape, FilterPass.DoubleBackward, senders.End - senders.First);
        device.Launch(FilterKernels.Of<T, TReal>(FilterPass.DoubleBackward), launch,
            KernelArgument.Of(inputs.Radial), KernelArgument.Of(along.Radial), shape.Radial,
            KernelArgument.Of(inputs.Envelope), KernelArgument.Of(along.Envelope),
            Packs(inputs.Features), Packs(along.Features), Packs(gradient),
            Packs(weights.Weight1), Packs(weights.Bias1), Packs(weights.Weight2), Packs(weights.Bias2),
            Packs(weights.Plain2), Packs(weights.Plain1),
            KernelArgument.Of(edges.SenderRowStarts), KernelArgument.Of(edges.SenderEdges), KernelArgument.Of(edges.Senders),
            KernelArgument.Of(edges.Receivers), senders.First, senders.End, rows, tile,
            KernelArgument.Of(by.Features), KernelArgument.Of(by.Radial), Fours(by.Radial, shape.Radial), KernelArgument.Of(by.Envelope),
            Packs(scratch.Inputs), Packs(scratch.Hidden), Packs(scratch.Inner), Packs(scratch.Outer));
    }

    /// <summary>Rows as packs of four, where they are; else nothing.</summary>
    private static KernelArgument Fours(DeviceArray<T> array, int width) =>
        KernelArgument.Of(DeviceArray<T>.AreFours(width, array) ? array.As<Pack4<T>>() : DeviceArray<Pack4<T>>.Empty);

    private static KernelArgument Packs(DeviceArray<T> array) => KernelArgument.Of(array.As<Pack4<T>>());

    private static (LaunchShape Launch, int Rows, int Tile) Plan(KernelDevice device, FilterShape shape, FilterPass pass, int atoms)
    {
        int rows = Math.Clamp(atoms / GroupsWanted, 1, MostRows);
        int tile = shape.TileEdges(pass, device.LargestSharedBytes, Unsafe.SizeOf<T>());
        bool dual = pass is FilterPass.Tangent or FilterPass.DoubleBackward;
        int threads = Math.Clamp(tile / (dual ? 4 : 8) * (shape.Filters / 4), 32, 256) / 32 * 32;
        return (device.GroupPer((atoms + rows - 1) / rows, threads, shape.Bytes(pass, tile, Unsafe.SizeOf<T>())), rows, tile);
    }
}

/// <summary>The convolution's kernels by number type.</summary>
internal sealed class FilterKernels : IKernelFamily
{
    private static readonly ConcurrentDictionary<(Type Number, FilterPass Pass), KernelMethod> Made = new();

    public static IEnumerable<KernelVariant> Variants =>
        from pass in Enum.GetValues<FilterPass>()
            // The passes that leave something for the weights' gradients store packs.
        from variant in (KernelVariant[])[
            new(Of<float, F32>(pass), VectorLoads: true, VectorStores: pass >= FilterPass.Backward),
            new(Of<double, F64>(pass), VectorLoads: true, VectorStores: pass >= FilterPass.Backward, Float64: true),
        ]
        select variant;

    public static KernelMethod Of<T, TReal>(FilterPass pass)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        return Made.GetOrAdd((typeof(T), pass), key => KernelMethod.Of(
            key.Pass switch
            {
                FilterPass.Forward => typeof(FilterForward),
                FilterPass.Tangent => typeof(FilterTangent),
                FilterPass.Backward => typeof(FilterBackward),
                _ => typeof(FilterDoubleBackward),
            },
            nameof(FilterForward.Run), typeof(T), typeof(TReal)));
    }
}
