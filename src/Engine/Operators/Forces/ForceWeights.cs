using System.Numerics;
using System.Runtime.InteropServices;
using ChemScale.Engine.Native;
using ChemScale.Engine.Operators.Lanes;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Forces;

/// <summary>
/// Copies of a model's weights, laid out for products that read rows. Widths are filled up to whole vectors by zeros, which all that passes
/// do leaves without effect.
/// </summary>
internal sealed unsafe class ForceWeights<TLanes, T> : IDisposable
    where TLanes : unmanaged, ILanes<TLanes, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly List<nint> blocks = [];

    /// <summary>Up to whole vectors.</summary>
    public static int Whole(int width) => (width + TLanes.Count - 1) / TLanes.Count * TLanes.Count;

    /// <summary>Zeros, for as long as this lives.</summary>
    public T* Take(long count)
    {
        nuint bytes = Workspace.Size<T>(Math.Max(1, count));
        void* block = NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(block, bytes);
        blocks.Add((nint)block);
        return (T*)block;
    }

    /// <summary>A matrix of blocks, each filled up by itself.</summary>
    /// <param name="weight">(outputs, inputs)</param>
    /// <param name="outputBlock">Outputs of a block.</param>
    /// <param name="inputBlock">Inputs of a block.</param>
    /// <param name="kept">Which blocks of outputs; null: all.</param>
    public DenseWeights<T> Dense(Tensor weight, int outputBlock, int inputBlock, int[]? kept = null)
    {
        int outputs = (int)weight.size(0), inputs = (int)weight.size(1);
        kept ??= [.. Enumerable.Range(0, outputs / outputBlock)];
        int outputWidth = Whole(outputBlock), inputWidth = Whole(inputBlock), inputBlocks = inputs / inputBlock;
        int n = kept.Length * outputWidth, k = inputBlocks * inputWidth;
        var dense = new DenseWeights<T>(k, n, Take((long)k * n), Take((long)k * n));
        using Tensor contiguous = weight.detach().contiguous();
        using TensorMemory memory = new(contiguous);
        for (int o = 0; o < kept.Length; o++)
        {
            for (int i = 0; i < inputBlocks; i++)
            {
                T* from = (T*)memory.Address + (long)kept[o] * outputBlock * inputs + i * inputBlock;
                Products<TLanes, T>.Transpose(outputBlock, inputBlock, from, inputs, dense.Forward + (long)i * inputWidth * n + o * outputWidth, n);
                T* backward = dense.Backward + (long)o * outputWidth * k + i * inputWidth;
                for (int r = 0; r < outputBlock; r++) Copy(from + (long)r * inputs, inputBlock, backward + (long)r * k);
            }
        }
        return dense;
    }

    /// <summary>A vector of blocks, each filled up by itself.</summary>
    public VectorWeights<T> Vector(Tensor values, int block, int[]? kept = null)
    {
        kept ??= [.. Enumerable.Range(0, (int)values.numel() / block)];
        T* to = Take((long)kept.Length * Whole(block));
        using Tensor contiguous = values.detach().contiguous();
        using TensorMemory memory = new(contiguous);
        for (int o = 0; o < kept.Length; o++) Copy((T*)memory.Address + (long)kept[o] * block, block, to + (long)o * Whole(block));
        return new VectorWeights<T>(to);
    }

    /// <summary>(1 + K, outputs): the bias, then the transposed weights of K radial functions.</summary>
    public VectorWeights<T> Radial(Tensor weight, Tensor bias, int outputBlock, int[] kept)
    {
        int functions = (int)weight.size(1), width = Whole(outputBlock), n = kept.Length * width;
        T* to = Take((1L + functions) * n);
        using Tensor rows = weight.detach().contiguous(), row = bias.detach().contiguous();
        using TensorMemory memory = new(rows), biases = new(row);
        for (int o = 0; o < kept.Length; o++)
        {
            long start = (long)kept[o] * outputBlock;
            Copy((T*)biases.Address + start, outputBlock, to + o * width);
            Products<TLanes, T>.Transpose(outputBlock, functions, (T*)memory.Address + start * functions, functions, to + n + o * width, n);
        }
        return new VectorWeights<T>(to);
    }

    public void Dispose()
    {
        foreach (nint block in blocks) NativeMemory.AlignedFree((void*)block);
        blocks.Clear();
    }

    private static void Copy(T* from, int count, T* to) => new ReadOnlySpan<T>(from, count).CopyTo(new Span<T>(to, count));
}

/// <summary>A layer's matrix both ways round.</summary>
/// <param name="inputs">K</param>
/// <param name="outputs">N</param>
/// <param name="forward">(K, N)</param>
/// <param name="backward">(N, K)</param>
internal readonly unsafe struct DenseWeights<T>(int inputs, int outputs, T* forward, T* backward)
    where T : unmanaged
{
    public int Inputs { get; } = inputs;

    public int Outputs { get; } = outputs;

    /// <summary>(inputs, outputs)</summary>
    public T* Forward { get; } = forward;

    /// <summary>(outputs, inputs)</summary>
    public T* Backward { get; } = backward;
}

/// <summary>Numbers one after another, the weights' own.</summary>
/// <param name="at">Of the first.</param>
internal readonly unsafe struct VectorWeights<T>(T* at)
    where T : unmanaged
{
    public T* At { get; } = at;
}
