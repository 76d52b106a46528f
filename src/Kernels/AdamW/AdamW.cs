using System.Numerics;
using ChemScale.Kernels.Device;
using ChemScale.Kernels.Maths;
using ILGPU;

namespace ChemScale.Kernels.AdamW;

/// <summary>
/// w *= 1 - lr wd;  m += (1 - b1)(g - m);  v = b2 v + (1 - b2) g^2;  w -= lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + epsilon), over
/// many arrays at once; moments below the normal range are zero. A group takes a chunk of one of them, found by its address in a table. Four numbers at a time, where all four
/// arrays are so aligned.
/// </summary>
internal static class AdamWStep
{
    /// <param name="memory">All memory.</param>
    /// <param name="packs">The same.</param>
    /// <param name="chunks">(chunks, 5): addresses of w, g, m and v, and elements</param>
    /// <param name="keep">1 - lr wd</param>
    /// <param name="rest1">1 - b1</param>
    /// <param name="beta2">b2</param>
    /// <param name="rest2">1 - b2</param>
    /// <param name="step">lr / (1 - b1^t)</param>
    /// <param name="root">sqrt(1 - b2^t)</param>
    /// <param name="epsilon">Added to the root.</param>
    public static void Run<T, TReal>(
        ArrayView<Pack1<T>> memory, ArrayView<Pack4<T>> packs, ArrayView<long> chunks, T keep, T rest1, T beta2, T rest2, T step, T root,
        T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
    {
        int size = Interop.SizeOf<T>();
        for (int chunk = Grid.IdxX; chunk < chunks.IntLength / 5; chunk += Grid.DimX)
        {
            long w = chunks[5 * chunk] / size, g = chunks[5 * chunk + 1] / size;
            long m = chunks[5 * chunk + 2] / size, v = chunks[5 * chunk + 3] / size;
            int length = (int)chunks[5 * chunk + 4], fours = ((w | g | m | v) & 3) == 0 ? length / 4 : 0;
            for (int i = Group.IdxX; i < fours; i += Group.DimX)
            {
                Update<T, TReal, Pack4<T>>(
                    packs, w / 4 + i, g / 4 + i, m / 4 + i, v / 4 + i, keep, rest1, beta2, rest2, step, root, epsilon);
            }
            for (int i = 4 * fours + Group.IdxX; i < length; i += Group.DimX)
                Update<T, TReal, Pack1<T>>(memory, w + i, g + i, m + i, v + i, keep, rest1, beta2, rest2, step, root, epsilon);
        }
    }

    private static void Update<T, TReal, TPack>(
        ArrayView<TPack> memory, long w, long g, long m, long v, T keep, T rest1, T beta2, T rest2, T step, T root, T epsilon)
        where T : unmanaged, INumber<T>
        where TReal : struct, IReal<T>
        where TPack : unmanaged, IPack<T, TPack>
    {
        TPack gradient = memory[g], first = memory[m];
        TPack second = TPack.Map<NormalOrZero<T, TReal>>(memory[v] * beta2 + gradient * rest2 * gradient);
        first = TPack.Map<NormalOrZero<T, TReal>>(first + (gradient - first) * rest1);
        memory[m] = first;
        memory[v] = second;
        memory[w] = memory[w] * keep - first * step / (TPack.SqrtOf<TReal>(second, T.Zero) / TPack.Of(root) + TPack.Of(epsilon));
    }
}

/// <summary>The table of an AdamW update: which pieces of which arrays its groups take.</summary>
public sealed class AdamWChunks
{
    internal const int Columns = 5;

    // Long enough that the table is small beside what it points to, short enough that one large table of embeddings feeds every group.
    private const int Elements = 4096;

    private readonly List<long> rows = [];
    private readonly List<object?> owners = [];

    /// <summary>(chunks, 5): addresses of w, g, m and v, and elements. To be copied to the device.</summary>
    public long[] Rows => [.. rows];

    /// <summary>Whose arrays the addresses point into: the table's array holds them as its own.</summary>
    public IReadOnlyList<object?> Owners => owners;

    /// <summary>Adds a parameter; all four arrays have its length.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public unsafe void Add<T>(DeviceArray<T> parameter, DeviceArray<T> gradient, DeviceArray<T> first, DeviceArray<T> second)
        where T : unmanaged
    {
        long length = parameter.Length;
        if (gradient.Length != length || first.Length != length || second.Length != length)
            throw new ArgumentException($"{length} weights, {gradient.Length} gradients, {first.Length} and {second.Length} moments");
        owners.AddRange([parameter.Owner, gradient.Owner, first.Owner, second.Owner]);
        for (long start = 0; start < length; start += Elements)
        {
            long offset = start * sizeof(T);
            rows.AddRange(
                [parameter.Address + offset, gradient.Address + offset, first.Address + offset, second.Address + offset,
                    Math.Min(Elements, length - start)]);
        }
    }
}

/// <summary>The AdamW update by number type.</summary>
internal sealed class AdamWKernels : IKernelFamily
{
    public static IEnumerable<KernelVariant> Variants => [AdamWLauncher<float, F32>.Variant, AdamWLauncher<double, F64>.Variant];
}

/// <summary>Launches the AdamW update.</summary>
public static class AdamWLauncher<T, TReal>
    where T : unmanaged, INumber<T>
    where TReal : struct, IReal<T>
{
    private const int GroupSize = 256;

    private static readonly KernelMethod Kernel = KernelMethod.Of(AdamWStep.Run<T, TReal>);

    internal static KernelVariant Variant => new(Kernel, VectorLoads: true, VectorStores: true, Float64: typeof(T) == typeof(double));

    /// <param name="device">Where.</param>
    /// <param name="chunks">(chunks, 5): <see cref="AdamWChunks"/>, on the device</param>
    /// <param name="update">t: which update of these parameters it is, from 1.</param>
    /// <param name="learningRate">lr</param>
    /// <param name="beta1">b1, decay of the first moment.</param>
    /// <param name="beta2">b2, decay of the second moment.</param>
    /// <param name="weightDecay">wd</param>
    /// <param name="epsilon">Added to the root of the second moment.</param>
    public static void Run(
        KernelDevice device, DeviceArray<long> chunks, long update, double learningRate, double beta1, double beta2, double weightDecay,
        double epsilon)
    {
        // What depends on these alone is computed in float64.
        double first = 1 - Math.Pow(beta1, update), second = 1 - Math.Pow(beta2, update);
        device.Launch(Kernel, device.GroupPer(chunks.Length / AdamWChunks.Columns, GroupSize),
            KernelArgument.Memory<Pack1<T>>(), KernelArgument.Memory<Pack4<T>>(), KernelArgument.Of(chunks),
            Number(1 - learningRate * weightDecay), Number(1 - beta1), Number(beta2), Number(1 - beta2), Number(learningRate / first),
            Number(Math.Sqrt(second)), Number(epsilon));

        static KernelArgument Number(double x) => KernelArgument.Of(TReal.Of(x));
    }
}
