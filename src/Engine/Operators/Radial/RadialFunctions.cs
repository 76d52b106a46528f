using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>A radial basis and a cutoff function.</summary>
/// <param name="Centers">(K) offsets in A of Gaussians, or frequencies in 1/A of Bessel functions</param>
/// <param name="Exponents">(K) of the Gaussians in 1/A^2; null: Bessel functions</param>
/// <param name="Cutoff">A</param>
/// <param name="Power">p of the polynomial cutoff, 2 or more; 0: the cosine</param>
public readonly record struct RadialFunctions(Tensor Centers, Tensor? Exponents, double Cutoff, int Power);
