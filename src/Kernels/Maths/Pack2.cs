using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>Two neighbours in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack2<T>
    where T : unmanaged
{
    public T X;
    public T Y;
}
