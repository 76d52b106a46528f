using System.Runtime.InteropServices;

namespace ChemScale.Kernels.Maths;

/// <summary>Four neighbours in memory. As an array's element its float32 form moves in one 16-byte instruction.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct Pack4<T>
    where T : unmanaged
{
    public T X;
    public T Y;
    public T Z;
    public T W;
}
