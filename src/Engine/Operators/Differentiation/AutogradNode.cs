using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ChemScale.Engine.Operators.Runs;
using TorchSharp;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Differentiation;

/// <summary>One application in the backward graph. Pooled: the native callbacks of a node are made once and serve many applications.</summary>
internal sealed unsafe class AutogradNode
{
    private static readonly ConcurrentBag<AutogradNode> Pool = [];

    // While a graph is alive only native code knows its nodes: without this the collector would take their callbacks away.
    private static readonly ConcurrentBag<AutogradNode> All = [];

    [ThreadStatic]
    private static ReturnedGradients? returned;

    private readonly NativeAutograd.ApplyCallback apply;
    private readonly NativeAutograd.DeleteCallback delete;
    private readonly nint applyPointer, deletePointer;
    private NativeAutograd.NodePointer pointer;
    private bool[] isVariable = [];
    private nint[] saved = [];
    private Tensor?[] held = [];
    private int savedCount;
    private nint* results;
    private int resultCapacity;
    private AutogradFunction? function;
    private AutogradContext? context;
    private RunScope? scope;

    private AutogradNode()
    {
        apply = OnApply;
        delete = OnDelete;
        applyPointer = Marshal.GetFunctionPointerForDelegate(apply);
        deletePointer = Marshal.GetFunctionPointerForDelegate(delete);
        All.Add(this);
    }

    internal NativeAutograd.NodePointer Pointer => pointer;

    internal static AutogradNode Rent(AutogradFunction function, AutogradContext context, Tensor?[] inputs)
    {
        if (!Pool.TryTake(out AutogradNode? node)) node = new AutogradNode();
        node.function = function;
        node.context = context;
        node.scope = RunScope.Current;
        context.Node = node;
        if (node.isVariable.Length != inputs.Length) node.isVariable = new bool[inputs.Length];
        for (int i = 0; i < inputs.Length; i++) node.isVariable[i] = context.IsVariable(inputs[i]);
        if (node.resultCapacity < inputs.Length)
        {
            node.results = (nint*)NativeMemory.Realloc(node.results, (nuint)(inputs.Length * sizeof(nint)));
            node.resultCapacity = inputs.Length;
        }
        node.scope.Nodes.Add(1);
        node.pointer = NativeAutograd.THSAutograd_CSharpNode_ctor(node.applyPointer, node.deletePointer);
        NativeAutograd.Check();
        return node;
    }

    /// <summary>Ties the outputs to this node and saves what the forward pass asked to keep.</summary>
    internal Tensor[] Wrap(NativeAutograd.TensorArray edges, Tensor[] outputs)
    {
        Span<nint> raw = stackalloc nint[outputs.Length];
        for (int i = 0; i < outputs.Length; i++) raw[i] = outputs[i].Handle;
        fixed (nint* r = raw)
        {
            NativeAutograd.THSAutograd_Function_wrapOutputs(
                edges, default, default, new NativeAutograd.TensorArray { Pointer = (nint)r, Count = outputs.Length }, pointer,
                &NativeAutograd.AllocateOutputs);
        }
        NativeAutograd.Check();
        var wrapped = new Tensor[outputs.Length];
        for (int i = 0; i < outputs.Length; i++) wrapped[i] = Tensor.UnsafeCreateTensor(NativeAutograd.OutputHandles[i]);

        Tensor?[] keep = context!.Pending ?? [];
        context.Pending = null;
        if (saved.Length < keep.Length) (saved, held) = (new nint[keep.Length], new Tensor?[keep.Length]);
        savedCount = keep.Length;
        for (int i = 0; i < keep.Length; i++)
        {
            bool isVariable = context.IsVariable(keep[i]);
            saved[i] = isVariable ? NativeAutograd.THSAutograd_SavedVariable_ctor(keep[i]!.Handle, pointer, 0) : 0;
            held[i] = isVariable ? null : keep[i];
        }
        NativeAutograd.Check();
        GC.KeepAlive(keep);
        foreach (Tensor output in outputs) output.Dispose();
        GC.KeepAlive(outputs);
        return wrapped;
    }

    internal Tensor?[] Unpack()
    {
        var tensors = new Tensor?[savedCount];
        for (int i = 0; i < savedCount; i++)
        {
            tensors[i] = saved[i] != 0
                ? Tensor.UnsafeCreateTensor(NativeAutograd.THSAutograd_SavedVariable_unpack(saved[i], pointer))
                : held[i];
        }
        NativeAutograd.Check();
        return tensors;
    }

    internal void ReleaseShared()
    {
        NativeAutograd.NodePointer p = pointer;
        pointer.Shared = 0;
        NativeAutograd.THSAutograd_CSharpNode_disposeSharedPtr(p);
    }

    /// <summary>Frees what callbacks on this thread returned. Device threads free theirs at their next callback.</summary>
    internal static void ReleaseReturned() => returned?.Release();

    private NativeAutograd.TensorArray OnApply(nint tensors, int count)
    {
        // The native side has copied what the last callback on this thread returned.
        returned ??= new ReturnedGradients();
        returned.Release();
        using RunScope.Entry run = scope!.Enter();
        using DisposeScope made = torch.NewDisposeScope();
        var gradients = new Tensor?[count];
        for (int i = 0; i < count; i++)
            if (((nint*)tensors)[i] is not 0 and var handle) gradients[i] = Tensor.UnsafeCreateTensor(handle);
        Tensor?[]? inputGradients = Gradients.Within(scope, () => Checked(function!.Backward(context!, gradients)), out bool refuse);
        int n = 0;
        for (int i = 0; i < isVariable.Length && !refuse; i++)
        {
            if (!isVariable[i]) continue;
            results[n] = 0;
            if (inputGradients?[i] is { } gradient)
            {
                // One tensor may be the gradient by several inputs; each answer is a handle of its own.
                Tensor own = System.Array.FindIndex(inputGradients, i + 1, t => ReferenceEquals(t, gradient)) >= 0 ? gradient.alias() : gradient;
                own.DetachFromDisposeScope();
                results[n] = own.DecoupleFromNativeHandle();
                returned.Add(results[n]);
            }
            n++;
        }
        return new NativeAutograd.TensorArray { Pointer = (nint)results, Count = n };
    }

    private Tensor?[] Checked(Tensor?[] answer)
    {
        if (answer.Length < isVariable.Length)
            throw new InvalidOperationException($"{function!.GetType().Name} gave {answer.Length} gradients for {isVariable.Length} inputs");
        for (int i = 0; context!.LeftOut is not null && i < isVariable.Length; i++)
        {
            if (isVariable[i] || answer[i] is null) continue;
            throw new InvalidOperationException($"{function!.GetType().Name}: the gradient by parameter {i} has no place; the loss was computed for a "
                + "trainer's backward pass");
        }
        return answer;
    }

    private void OnDelete()
    {
        for (int i = 0; i < savedCount; i++)
        {
            if (saved[i] != 0) NativeAutograd.THSAutograd_SavedVariable_dispose(saved[i]);
            saved[i] = 0;
            held[i] = null;
        }
        savedCount = 0;
        function = null;
        context = null;
        scope!.Nodes.Add(-1);
        scope = null;
        if (pointer.Weak != 0) NativeAutograd.THSAutograd_CSharpNode_disposeWeakPtr(pointer);
        pointer = default;
        Pool.Add(this);
    }

    /// <summary>Handles returned by backward callbacks of one thread, to be freed once native code has copied them.</summary>
    private sealed class ReturnedGradients
    {
        private readonly List<nint> handles = [];

        public void Add(nint handle) => handles.Add(handle);

        public void Release()
        {
            foreach (nint handle in handles) NativeAutograd.THSTensor_dispose(handle);
            handles.Clear();
        }
    }
}
