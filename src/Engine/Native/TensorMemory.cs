using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace ChemScale.Engine.Native;

/// <summary>
/// The memory of a contiguous tensor, on whichever device it lives: the one place of the engine where addresses come from. It holds its
/// tensor until it is disposed, since nothing else does once only the address is in use: <c>using var memory = new TensorMemory(x)</c>.
/// </summary>
internal readonly unsafe ref partial struct TensorMemory : IDisposable
{
    private readonly Tensor? tensor;

    /// <param name="tensor">null: address 0.</param>
    /// <exception cref="ArgumentException">Not contiguous.</exception>
    public TensorMemory(Tensor? tensor)
    {
        this.tensor = tensor;
        if (tensor is null) return;
        if (!tensor.is_contiguous()) throw new ArgumentException("the tensor is not contiguous");
        Address = THSTensor_data(tensor.Handle);
        GC.KeepAlive(tensor);
    }

    /// <summary>Of the first element.</summary>
    public nint Address { get; }

    /// <summary>A CPU tensor's elements.</summary>
    public Span<byte> Bytes => tensor is null ? default : new((void*)Address, checked((int)(tensor.numel() * tensor.element_size())));

    /// <summary>Whether a tensor's first element lies at a multiple of 16 bytes, as vector loads and stores need.</summary>
    public static bool IsAligned(Tensor tensor)
    {
        using var memory = new TensorMemory(tensor);
        return memory.Address % 16 == 0;
    }

    public void Dispose() => GC.KeepAlive(tensor);

    [LibraryImport("LibTorchSharp")]
    [SuppressGCTransition]
    private static partial nint THSTensor_data(nint tensor);
}
