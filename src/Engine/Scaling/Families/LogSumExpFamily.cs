namespace ChemScale.Engine.Scaling.Families;

/// <summary>
/// Sums of powers, L = sum over terms of exp(o) R^-e, as log L = logsumexp(o_k - e_k log R_k): stable at any size (Hoffmann et al. 2022,
/// arXiv 2203.15556, appendix D.3).
/// </summary>
internal sealed class LogSumExpFamily : ScalingFamily
{
    private static readonly double[] GridExponents = [0.03, 0.07, 0.13, 0.2, 0.3, 0.4, 0.55, 0.8, 1.2];

    private readonly Term[] terms;
    private readonly ParameterInfo[] parameters;

    // Exponent and Input are -1 for a constant.
    private readonly record struct Term(int Offset, int Exponent, int Input);

    private LogSumExpFamily(string name, string formula, int inputs, ParameterInfo[] parameters, Term[] terms)
    {
        Name = name;
        Formula = formula;
        Inputs = inputs;
        this.parameters = parameters;
        this.terms = terms;
    }

    /// <summary>L = alpha R^-beta.</summary>
    public static LogSumExpFamily PowerLaw { get; } = new("power-law", "L = alpha R^-beta", 1,
        [ParameterInfo.Logarithmic("alpha", "a"), ParameterInfo.Linear("beta")], [new Term(0, 1, 0)]);

    /// <summary>L = alpha R^-beta + E.</summary>
    public static LogSumExpFamily PowerLawWithFloor { get; } = new("power-law-with-floor", "L = alpha R^-beta + E", 1,
        [ParameterInfo.Logarithmic("alpha", "a"), ParameterInfo.Linear("beta"), ParameterInfo.Logarithmic("E", "e")],
        [new Term(0, 1, 0), new Term(2, -1, -1)]);

    /// <summary>L = E + A / N^alpha + B / D^beta; resources are N and D.</summary>
    public static LogSumExpFamily Chinchilla { get; } = new("chinchilla", "L = E + A / N^alpha + B / D^beta", 2,
        [
            ParameterInfo.Logarithmic("A", "a"), ParameterInfo.Logarithmic("B", "b"), ParameterInfo.Logarithmic("E", "e"),
            ParameterInfo.Linear("alpha"), ParameterInfo.Linear("beta"),
        ],
        [new Term(0, 3, 0), new Term(1, 4, 1), new Term(2, -1, -1)]);

    /// <summary>L = A / N^alpha + B / D^beta: no irreducible loss.</summary>
    public static LogSumExpFamily ChinchillaWithoutFloor { get; } = new("chinchilla-without-floor", "L = A / N^alpha + B / D^beta", 2,
        [
            ParameterInfo.Logarithmic("A", "a"), ParameterInfo.Logarithmic("B", "b"), ParameterInfo.Linear("alpha"),
            ParameterInfo.Linear("beta"),
        ],
        [new Term(0, 2, 0), new Term(1, 3, 1)]);

    public override string Name { get; }

    public override string Formula { get; }

    public override int Inputs { get; }

    public override IReadOnlyList<ParameterInfo> Parameters => parameters;

    public override IReadOnlyList<VanishingTerm> Vanishing =>
        terms.Length == 1 ? [] : [.. terms.Where(t => t.Exponent < 0).Select(t => new VanishingTerm(t.Offset, parameters[t.Offset].Name))];

    public override double LogLoss(ReadOnlySpan<double> theta, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        Span<double> shares = stackalloc double[terms.Length];
        double top = double.NegativeInfinity, sum = 0;
        for (int k = 0; k < terms.Length; k++)
        {
            Term term = terms[k];
            shares[k] = theta[term.Offset] - (term.Exponent < 0 ? 0 : theta[term.Exponent] * logResources[term.Input]);
            if (shares[k] > top) top = shares[k];
        }
        for (int k = 0; k < terms.Length; k++) sum += shares[k] = shares[k] == top ? 1 : Math.Exp(shares[k] - top);
        if (!gradient.IsEmpty) Differentiate(shares, 1 / sum, logResources, gradient, hessian);
        return top + Math.Log(sum);
    }

    public override IEnumerable<double[]> Starts(ScalingData data)
    {
        int[] powers = [.. Enumerable.Range(0, terms.Length).Where(k => terms[k].Exponent >= 0)];
        int combinations = (int)Math.Pow(GridExponents.Length, powers.Length);
        for (int c = 0; c < combinations; c++)
        {
            double[] theta = new double[parameters.Length];
            for (int k = 0, rest = c; k < powers.Length; k++, rest /= GridExponents.Length)
                theta[terms[powers[k]].Exponent] = GridExponents[rest % GridExponents.Length];
            if (SolveOffsets(data, theta)) yield return theta;
        }
    }

    // Given exponents, the sizes of the terms are linear in the loss: least squares on relative errors, negative ones made small.
    private bool SolveOffsets(ScalingData data, double[] theta)
    {
        int m = terms.Length;
        double[] scale = new double[m], normal = new double[m * (m + 1)], row = new double[m];
        for (int k = 0; k < m; k++) scale[k] = terms[k].Exponent < 0 ? 0 : theta[terms[k].Exponent] * data.MeanLogResource(terms[k].Input);
        for (int i = 0; i < data.Count; i++)
        {
            ReadOnlySpan<double> x = data.LogResources(i);
            for (int k = 0; k < m; k++)
                row[k] = Math.Exp(scale[k] - (terms[k].Exponent < 0 ? 0 : theta[terms[k].Exponent] * x[terms[k].Input]) - data.LogLoss[i]);
            for (int k = 0; k < m; k++)
            {
                for (int j = 0; j < m; j++) normal[k * (m + 1) + j] += data.Weight[i] * row[k] * row[j];
                normal[k * (m + 1) + m] += data.Weight[i] * row[k];
            }
        }
        double[]? sizes = Elimination.Solve(normal, m);
        if (sizes is null || sizes.Any(s => !double.IsFinite(s)) || sizes.Max() <= 0) return false;
        double small = 1e-3 * sizes.Max();
        for (int k = 0; k < m; k++) theta[terms[k].Offset] = Math.Log(Math.Max(sizes[k], small)) + scale[k];
        return true;
    }

    // d log sum exp(t_k) = sum p_k dt_k; the second derivative is the covariance of the dt_k under the shares p_k.
    private void Differentiate(Span<double> shares, double inverseSum, ReadOnlySpan<double> logResources, Span<double> gradient,
        Span<double> hessian)
    {
        int n = parameters.Length;
        gradient.Clear();
        hessian.Clear();
        for (int k = 0; k < terms.Length; k++)
        {
            Term term = terms[k];
            double p = shares[k] * inverseSum;
            gradient[term.Offset] += p;
            hessian[term.Offset * n + term.Offset] += p;
            if (term.Exponent < 0) continue;
            double x = -logResources[term.Input];
            gradient[term.Exponent] += p * x;
            hessian[term.Exponent * n + term.Exponent] += p * x * x;
            hessian[term.Offset * n + term.Exponent] += p * x;
            hessian[term.Exponent * n + term.Offset] += p * x;
        }
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++) hessian[i * n + j] -= gradient[i] * gradient[j];
        }
    }
}
