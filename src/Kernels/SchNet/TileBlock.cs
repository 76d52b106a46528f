using System.Numerics;
using ChemScale.Kernels.Maths;

namespace ChemScale.Kernels.SchNet;

/// <summary>A thread's share of a product: four columns of eight rows of a tile, kept in registers.</summary>
internal struct TileBlock<T>
    where T : unmanaged, INumber<T>
{
    public Pack4<T> A0;
    public Pack4<T> A1;
    public Pack4<T> A2;
    public Pack4<T> A3;
    public Pack4<T> B0;
    public Pack4<T> B1;
    public Pack4<T> B2;
    public Pack4<T> B3;
}
