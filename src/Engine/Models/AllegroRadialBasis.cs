using ChemScale.Engine.Models.ForceFields;
using ChemScale.Engine.Operators.Radial;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace ChemScale.Engine.Models;

/// <summary>
/// Bessel functions of the distance with learned frequencies, b_k(d) = (2 / cutoff) sin(w_k d / cutoff) / d, w_k = k pi at first;
/// shifted and scaled to mean 0 and variance 1 over the distances up to the cutoff, as they were at first.
/// </summary>
internal sealed class AllegroRadialBasis
{
    /// <summary>Distances that mean and variance are taken over.</summary>
    private const int Samples = 4000;

    private readonly double cutoff;
    private readonly Parameter frequencies;

    public AllegroRadialBasis(ModulePath at, double cutoff, int count, ScalarType dtype, Device? device)
    {
        this.cutoff = cutoff;
        double[] initial = [.. Enumerable.Range(1, count).Select(k => k * Math.PI)];
        (double[] means, double[] inverseDeviations) = Moments(cutoff, initial);
        frequencies = at.Add("func.radial_basis.basis.basis.bessel_weights", new Parameter(Values(initial)));
        Mean = at.AddBuffer("mean", Values(means));
        InverseDeviation = at.AddBuffer("inv_std", Values(inverseDeviations));

        Tensor Values(double[] values) => tensor(values, dtype: dtype, device: device).DetachFromDisposeScope();
    }

    /// <summary>(K) w</summary>
    public Parameter Frequencies => frequencies;

    /// <summary>(K)</summary>
    public Tensor Mean { get; }

    /// <summary>(K)</summary>
    public Tensor InverseDeviation { get; }

    /// <param name="distances">(edges, 1) A</param>
    /// <param name="envelope">(edges, 1)</param>
    /// <returns>(edges, K)</returns>
    public Tensor Forward(Tensor distances, Tensor envelope)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor basis = BesselBasis.Apply(distances, frequencies / cutoff);
        return ((basis * (InverseDeviation * (2 / cutoff)) - Mean * InverseDeviation) * envelope).MoveToOuterDisposeScope();
    }

    private static (double[] Means, double[] InverseDeviations) Moments(double cutoff, double[] frequencies)
    {
        var means = new double[frequencies.Length];
        var inverse = new double[frequencies.Length];
        for (int k = 0; k < frequencies.Length; k++)
        {
            double[] values = [.. Enumerable.Range(1, Samples).Select(m => (double)m / Samples)
                .Select(x => 2 / (cutoff * cutoff * x) * Math.Sin(frequencies[k] * x))];
            means[k] = values.Average();
            inverse[k] = 1 / Math.Sqrt(values.Sum(x => (x - means[k]) * (x - means[k])) / (Samples - 1));
        }
        return (means, inverse);
    }
}
