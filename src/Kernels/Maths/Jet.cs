namespace ChemScale.Kernels.Maths;

/// <summary>A function's value and its first two derivatives at a point. What a kernel does not use is not computed.</summary>
public struct Jet<T>
    where T : unmanaged
{
    public T Value;
    public T First;
    public T Second;
}
