using System.Numerics;

namespace ChemScale.Kernels.Maths;

/// <summary>A function of one number, as a type parameter: <see cref="IPack{T,TSelf}.Map{TFunction}"/> takes it of each value.</summary>
public interface IFunction<T>
    where T : unmanaged, INumber<T>
{
    static abstract T At(T x);
}
