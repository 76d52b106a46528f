namespace ChemScale.Engine.Operators;

/// <summary>A way of cutting host attention into independent tasks. Addresses are of contiguous (T, 3 h), (T, h) and (heads, T) arrays.</summary>
internal unsafe interface IAttentionTask<T>
    where T : unmanaged
{
    static abstract int TasksPerMolecule(int heads);

    static abstract void Forward(AttentionShape shape, int task, T* qkv, T* output, T* logSum);

    static abstract void Backward(AttentionShape shape, int task, T* qkv, T* output, T* logSum, T* outputGradient, T* gradient);
}
