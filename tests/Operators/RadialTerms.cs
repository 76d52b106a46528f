using ChemScale.Engine.Operators.Radial;
using static TorchSharp.torch;

namespace ChemScale.Tests.Operators;

/// <summary>The sums of absolute terms of the radial basis and cutoff: those of an edge vector's absolute values.</summary>
internal static class RadialTerms
{
    /// <param name="vectors">(E, 3) absolute values, differentiable</param>
    /// <param name="functions">Basis and cutoff function.</param>
    /// <returns>Of distances, directions, envelope and radial basis.</returns>
    public static Tensor[] Of(Tensor vectors, in RadialFunctions functions)
    {
        Tensor squares = vectors.square().sum(-1, keepdim: true), d = squares.detach().sqrt();
        Tensor distances = AbsoluteTerms.Function(squares, d, 0.5 / d, 0.25 / d.pow(3));
        Tensor directions = vectors * AbsoluteTerms.Function(squares, 1 / d, 0.5 / d.pow(3), 0.75 / d.pow(5));
        return [distances, directions, Envelope(distances, d, functions), Radial(distances, d, functions)];
    }

    private static Tensor Envelope(Tensor distances, Tensor d, in RadialFunctions functions)
    {
        double c = functions.Cutoff, p = functions.Power, w = Math.PI / c;
        Tensor one = ones_like(d);
        if (p == 0) return AbsoluteTerms.Function(distances, one, w / 2 * one, w * w / 2 * one);
        Tensor x = (d / c).clamp(max: 1), value = one, first = zeros_like(d), second = zeros_like(d);
        (double, double)[] terms = [((p + 1) * (p + 2) / 2, p), (p * (p + 2), p + 1), (p * (p + 1) / 2, p + 2)];
        foreach ((double factor, double n) in terms)
        {
            value = value + factor * x.pow(n);
            first = first + factor * n / c * x.pow(n - 1);
            second = second + factor * n * (n - 1) / (c * c) * x.pow(n - 2);
        }
        return AbsoluteTerms.Function(distances, value, first, second);
    }

    private static Tensor Radial(Tensor distances, Tensor d, in RadialFunctions functions)
    {
        if (functions.Exponents is { } exponents)
        {
            // e^(b (d - o)^2): a difference's terms are d and o.
            Tensor phi = (exponents * (d - functions.Centers).square()).exp(), b = exponents.abs(), reach = d + functions.Centers;
            return AbsoluteTerms.Function(distances, phi, 2 * b * reach * phi, (4 * b.square() * reach.square() + 2 * b) * phi);
        }
        // sin(w d) / d: a sine counts as 1, for its argument has the error of a distance.
        Tensor w = functions.Centers;
        return AbsoluteTerms.Function(
            distances, 1 / d * ones_like(w), w / d + 1 / d.square(), w.square() / d + 2 * w / d.square() + 2 / d.pow(3));
    }
}
