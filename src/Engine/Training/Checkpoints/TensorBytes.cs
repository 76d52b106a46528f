using static TorchSharp.torch;

namespace ChemScale.Engine.Training.Checkpoints;

/// <summary>The elements of tensors as little-endian bytes, in row-major order, a piece at a time: bounded memory on any device.</summary>
internal static class TensorBytes
{
    private const long PieceElements = 4 << 20;

    public static void Write(Tensor tensor, Stream stream)
    {
        using Tensor detached = tensor.detach();
        using Tensor contiguous = detached.contiguous();
        using Tensor flat = contiguous.view(-1);
        foreach ((long start, long length) in Pieces(tensor.numel()))
        {
            using Tensor piece = flat.narrow(0, start, length);
            using Tensor here = piece.cpu();
            stream.Write(here.bytes);
        }
    }

    /// <summary>Overwrites the elements of <paramref name="tensor"/>, which must be contiguous.</summary>
    public static void Read(Stream stream, Tensor tensor)
    {
        using Tensor detached = tensor.detach();
        using Tensor flat = detached.view(-1);
        foreach ((long start, long length) in Pieces(tensor.numel()))
        {
            using Tensor piece = flat.narrow(0, start, length);
            using Tensor here = empty(length, dtype: tensor.dtype);
            stream.ReadExactly(here.bytes);
            piece.copy_(here);
        }
    }

    private static IEnumerable<(long Start, long Length)> Pieces(long elements)
    {
        for (long start = 0; start < elements; start += PieceElements) yield return (start, Math.Min(PieceElements, elements - start));
    }
}
