using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Runs;
using ChemScale.Kernels.SchNet;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.SchNet;

/// <summary>
/// Matrices as the convolution's kernels take them: widths of multiples of four, from addresses of multiples of 16 bytes. Filters added
/// this way have zero weights and zero features.
/// </summary>
internal static class FilterPadding
{
    private const int Pack = 4;

    public static int Width(long columns) => checked((int)((columns + Pack - 1) / Pack * Pack));

    /// <param name="matrix">(rows, columns)</param>
    /// <returns>(rows, columns rounded up), perhaps the same memory</returns>
    public static Tensor Columns(Tensor matrix)
    {
        long columns = matrix.size(-1), added = Width(columns) - columns;
        if (added > 0) return nn.functional.pad(matrix, [0, added]);
        Tensor contiguous = matrix.contiguous();
        return TensorMemory.IsAligned(contiguous) ? contiguous : contiguous.clone();
    }

    /// <summary>W1^T, b1, W2^T, b2, W1, W2.</summary>
    public static Tensor[] Weights(Tensor weight1, Tensor bias1, Tensor weight2, Tensor bias2)
    {
        return [Both(weight1.t()), Columns(bias1), Both(weight2.t()), Columns(bias2), Both(weight1), Both(weight2)];

        static Tensor Both(Tensor matrix)
        {
            long rows = matrix.size(0), added = Width(rows) - rows;
            return Columns(added > 0 ? nn.functional.pad(matrix, [0, 0, 0, added]) : matrix);
        }
    }

    /// <param name="padded">(rows, columns rounded up)</param>
    /// <param name="columns">The true number.</param>
    public static Tensor Cut(Tensor padded, long columns) => padded.size(1) == columns ? padded : padded.narrow(1, 0, columns).contiguous();
}

/// <summary>Gradients of the filter network's weights: sums of outer products over edges, chunk by chunk as products of matrices.</summary>
/// <param name="inputs">h, phi, f, W1, b1, W2, b2</param>
/// <param name="copies">1; 2 where values are followed by derivatives.</param>
internal sealed class FilterProducts(Tensor?[] inputs, int copies)
{
    private readonly int width = FilterPadding.Width(inputs[4]!.numel()), radial = FilterPadding.Width(inputs[3]!.size(1));
    private Tensor? byWeight1, byBias1, byWeight2, byBias2;

    /// <summary>Room for what the kernels leave of as many edges: phi, hidden layer, gradients by its input and by the filter.</summary>
    public Tensor[] Scratch(int count)
    {
        return [Make(radial), Make(width), Make(width), Make(width)];

        Tensor Make(int columns) => empty((long)copies * count, columns, dtype: inputs[0]!.dtype, device: inputs[0]!.device);
    }

    public void Add(Tensor[] scratch, int count)
    {
        Product(ref byWeight1, scratch[2], scratch[0]);
        Sum(ref byBias1, scratch[2]);
        Product(ref byWeight2, scratch[3], scratch[1]);
        Sum(ref byBias2, scratch[3]);

        // The biases have no part in the derivatives.
        void Sum(ref Tensor? sum, Tensor values)
        {
            Tensor part = values.narrow(0, 0, count).sum(0, keepdim: false); // sum(0) alone would mean a type
            if (sum is null) sum = part.DetachFromDisposeScope();
            else sum.add_(part);
        }
    }

    /// <returns>By W1, b1, W2, b2; zeros where nothing was added.</returns>
    public Tensor[] Gradients()
    {
        Tensor?[] padded = [byWeight1, byBias1, byWeight2, byBias2];
        var gradients = new Tensor[padded.Length];
        for (int i = 0; i < padded.Length; i++)
        {
            Tensor like = inputs[3 + i]!;
            using Tensor? sum = padded[i];
            if (sum is null) gradients[i] = zeros_like(like);
            else if (like.dim() == 1) gradients[i] = sum.narrow(0, 0, like.size(0)).clone();
            else gradients[i] = sum.narrow(0, 0, like.size(0)).narrow(1, 0, like.size(1)).clone();
        }
        return gradients;
    }

    private static void Product(ref Tensor? sum, Tensor gradient, Tensor input)
    {
        using Tensor transposed = gradient.t();
        if (sum is null) sum = transposed.mm(input).DetachFromDisposeScope();
        else sum.addmm_(transposed, input, 1, 1);
    }
}

/// <summary>The convolution's inputs or what has their shapes: directions, gradients. Contiguous; null: zero.</summary>
/// <param name="Features">(atoms, padded width)</param>
/// <param name="Radial">(edges, K)</param>
/// <param name="Envelope">(edges, 1)</param>
internal readonly record struct FilterTensors(Tensor? Features, Tensor? Radial, Tensor? Envelope)
{
    public FilterInputs<T> Arrays<T>()
        where T : unmanaged =>
        new(KernelTensors.Array<T>(Features), KernelTensors.Array<T>(Radial), KernelTensors.Array<T>(Envelope));
}
