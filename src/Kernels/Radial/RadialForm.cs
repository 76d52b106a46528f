namespace ChemScale.Kernels.Radial;

/// <summary>Which radial basis and cutoff function.</summary>
/// <param name="Gaussian">Gaussians; else Bessel functions.</param>
/// <param name="Cutoff">A</param>
/// <param name="Power">p of the polynomial cutoff; 0: the cosine.</param>
public readonly record struct RadialForm(bool Gaussian, double Cutoff, int Power);
