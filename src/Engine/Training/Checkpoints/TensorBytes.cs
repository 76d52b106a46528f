using ChemScale.Engine.Native;
using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>
/// The elements of tensors as little-endian bytes, in row-major order whatever the strides are, a piece at a time: bounded memory on any
/// device.
/// </summary>
internal static class TensorBytes
{
    private const long PieceElements = 4 << 20;

    public static void Write(Tensor tensor, Stream stream)
    {
        using Tensor detached = tensor.detach();
        foreach (Tensor piece in Pieces(detached))
        {
            using Tensor here = piece.cpu();
            using Tensor ordered = here.contiguous();
            using var memory = new TensorMemory(ordered);
            stream.Write(memory.Bytes);
        }
    }

    /// <summary>Overwrites the elements of <paramref name="tensor"/>.</summary>
    public static void Read(Stream stream, Tensor tensor)
    {
        using Tensor detached = tensor.detach();
        foreach (Tensor piece in Pieces(detached))
        {
            using Tensor here = empty(piece.shape, dtype: tensor.dtype);
            using var memory = new TensorMemory(here);
            stream.ReadExactly(memory.Bytes);
            piece.copy_(here);
        }
    }

    /// <summary>Views that hold all elements once, in row-major order; each is disposed of when the next is asked for.</summary>
    private static IEnumerable<Tensor> Pieces(Tensor tensor)
    {
        long elements = tensor.numel();
        if (elements <= PieceElements)
        {
            if (elements > 0) yield return tensor;
        }
        else if (tensor.is_contiguous())
        {
            using Tensor flat = tensor.view(-1);
            for (long start = 0; start < elements; start += PieceElements)
            {
                using Tensor piece = flat.narrow(0, start, Math.Min(PieceElements, elements - start));
                yield return piece;
            }
        }
        else
        {
            for (long i = 0; i < tensor.size(0); i++)
            {
                using Tensor row = tensor.select(0, i);
                foreach (Tensor piece in Pieces(row)) yield return piece;
            }
        }
    }
}
