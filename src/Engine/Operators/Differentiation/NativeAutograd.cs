using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>The exports of TorchSharp's shim that its own custom functions use, called without its per-call delegates and caches.</summary>
internal static unsafe partial class NativeAutograd
{
    private const string Shim = "LibTorchSharp";

    [StructLayout(LayoutKind.Sequential)]
    internal struct NodePointer
    {
        public nint Shared;
        public nint Weak;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct TensorArray
    {
        public nint Pointer;
        public long Count;
    }

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate TensorArray ApplyCallback(nint tensors, int count);

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    internal delegate void DeleteCallback();

    [LibraryImport(Shim)]
    internal static partial NodePointer THSAutograd_CSharpNode_ctor(nint apply, nint delete);

    [LibraryImport(Shim)]
    internal static partial void THSAutograd_CSharpNode_disposeSharedPtr(NodePointer node);

    [LibraryImport(Shim)]
    internal static partial void THSAutograd_CSharpNode_disposeWeakPtr(NodePointer node);

    [LibraryImport(Shim)]
    internal static partial void THSAutograd_CSharpNode_setNextEdges(NodePointer node, TensorArray variables, byte isExecutable);

    [LibraryImport(Shim)]
    internal static partial void THSAutograd_Function_wrapOutputs(
        TensorArray variables, TensorArray nonDifferentiable, TensorArray dirty, TensorArray outputs, NodePointer node,
        delegate* unmanaged[Cdecl]<nuint, nint*> allocate);

    [LibraryImport(Shim)]
    internal static partial nint THSAutograd_SavedVariable_ctor(nint tensor, NodePointer node, byte isInplaceOnView);

    [LibraryImport(Shim)]
    internal static partial void THSAutograd_SavedVariable_dispose(nint saved);

    [LibraryImport(Shim)]
    internal static partial nint THSAutograd_SavedVariable_unpack(nint saved, NodePointer node);

    [LibraryImport(Shim)]
    internal static partial void THSTensor_dispose(nint tensor);

    /// <summary>Output handles that the shim's wrapOutputs writes, one buffer per thread.</summary>
    [ThreadStatic]
    private static nint* outputHandles;

    [ThreadStatic]
    private static int outputCapacity;

    internal static nint* OutputHandles => outputHandles;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static nint* AllocateOutputs(nuint count)
    {
        if ((int)count > outputCapacity)
        {
            outputHandles = (nint*)NativeMemory.Realloc(outputHandles, count * (nuint)sizeof(nint));
            outputCapacity = (int)count;
        }
        return outputHandles;
    }

    internal static void Check() => torch.CheckForErrors();
}
