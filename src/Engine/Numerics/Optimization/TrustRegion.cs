namespace ChemScale.Engine.Numerics.Optimization;

/// <summary>Where a minimisation ended.</summary>
/// <param name="Point">(Dimension).</param>
/// <param name="Value">There.</param>
/// <param name="GradientNorm">Largest component of the gradient there.</param>
/// <param name="Iterations">Evaluations made.</param>
internal readonly record struct Minimum(double[] Point, double Value, double GradientNorm, int Iterations);

/// <summary>
/// Newton's method in a trust region with the exact step (Conn, Gould and Toint 2000, algorithm 7.3.4), by eigenvalues of the Hessian: for
/// functions of a few variables, any curvature. Near the minimum, where values no longer tell steps apart, the gradient decides.
/// Holds its buffers: one instance serves one thread.
/// </summary>
internal sealed class TrustRegion(int dimension)
{
    private readonly double[] eigenvalues = new double[dimension];
    private readonly double[] matrix = new double[dimension * dimension];
    private readonly double[] vectors = new double[dimension * dimension];
    private readonly double[] rotated = new double[dimension];
    private readonly double[] step = new double[dimension];
    private double[] x = new double[dimension], trial = new double[dimension];
    private double[] gradient = new double[dimension], trialGradient = new double[dimension];
    private double[] hessian = new double[dimension * dimension], trialHessian = new double[dimension * dimension];

    /// <summary>Stops once no component of the gradient exceeds this.</summary>
    public double Tolerance { get; init; } = 1e-13;

    public int MaximumIterations { get; init; } = 400;

    public double InitialRadius { get; init; } = 1;

    public Minimum Minimize(ISmoothObjective objective, ReadOnlySpan<double> start)
    {
        start.CopyTo(x);
        double value = objective.Evaluate(x, gradient, hessian), radius = InitialRadius;
        if (!double.IsFinite(value)) return new Minimum([.. x], double.PositiveInfinity, double.PositiveInfinity, 1);
        double norm = LargestComponent(gradient);
        int iterations = 1;
        while (norm > Tolerance && iterations < MaximumIterations && radius > 1e-14)
        {
            double predicted = Step(radius, out double length);
            for (int i = 0; i < dimension; i++) trial[i] = x[i] + step[i];
            double trialValue = objective.Evaluate(trial, trialGradient, trialHessian);
            iterations++;
            double trialNorm = double.IsFinite(trialValue) ? LargestComponent(trialGradient) : double.PositiveInfinity;
            double gained = value - trialValue, noise = 1e-14 * Math.Abs(value);
            bool accept;
            if (predicted <= noise && Math.Abs(gained) <= noise)
            {
                accept = trialNorm < norm;
                radius = accept ? Math.Max(radius, 2 * length) : length / 4;
            }
            else
            {
                double ratio = gained / predicted;
                accept = ratio > 1e-4;
                if (!(ratio >= 0.25)) radius = length / 4;
                else if (ratio > 0.75 && length > 0.9 * radius) radius = Math.Min(2 * radius, 1e6);
            }
            if (!accept) continue;
            (x, trial) = (trial, x);
            (gradient, trialGradient) = (trialGradient, gradient);
            (hessian, trialHessian) = (trialHessian, hessian);
            (value, norm) = (trialValue, trialNorm);
        }
        return new Minimum([.. x], value, norm, iterations);
    }

    // Sets step to the minimiser of the quadratic model within the radius; returns the decrease that the model predicts.
    private double Step(double radius, out double length)
    {
        hessian.CopyTo(matrix, 0);
        SymmetricEigen.Decompose(matrix, vectors, dimension);
        double least = double.PositiveInfinity, largest = 0;
        int lowest = 0;
        for (int k = 0; k < dimension; k++)
        {
            eigenvalues[k] = matrix[k * dimension + k];
            largest = Math.Max(largest, Math.Abs(eigenvalues[k]));
            if (eigenvalues[k] < least) (least, lowest) = (eigenvalues[k], k);
            double sum = 0;
            for (int i = 0; i < dimension; i++) sum += vectors[i * dimension + k] * gradient[i];
            rotated[k] = sum;
        }
        double tiny = 1e-15 * Math.Max(largest, 1e-300), shift = least > tiny ? 0 : tiny - least;
        length = Length(shift);
        double extra = 0;
        if (length > radius)
        {
            double low = shift, high = LengthOf(rotated) / radius - least;
            // Newton on 1/radius - 1/length, which is almost straight, kept inside the bracket.
            for (int k = 0; k < 60 && Math.Abs(length - radius) > 1e-3 * radius; k++)
            {
                if (length > radius) low = shift;
                else high = shift;
                double slope = 0;
                for (int j = 0; j < dimension; j++)
                {
                    double d = eigenvalues[j] + shift;
                    slope += rotated[j] * rotated[j] / (d * d * d);
                }
                double next = shift + (length - radius) / radius * length * length / slope;
                shift = next > low && next < high ? next : (low + high) / 2;
                length = Length(shift);
            }
        }
        else if (least < 0)
        {
            // The gradient has no part along the direction of negative curvature: go to the border along it.
            extra = Math.Sqrt(Math.Max(0, radius * radius - length * length));
        }
        double predicted = 0, square = 0;
        step.AsSpan().Clear();
        for (int k = 0; k < dimension; k++)
        {
            double s = -rotated[k] / (eigenvalues[k] + shift);
            if (k == lowest) s += rotated[k] > 0 ? -extra : extra;
            predicted -= rotated[k] * s + 0.5 * eigenvalues[k] * s * s;
            square += s * s;
            for (int i = 0; i < dimension; i++) step[i] += vectors[i * dimension + k] * s;
        }
        length = Math.Sqrt(square);
        return predicted;
    }

    private double Length(double shift)
    {
        double sum = 0;
        for (int k = 0; k < dimension; k++)
        {
            double s = rotated[k] / (eigenvalues[k] + shift);
            sum += s * s;
        }
        return Math.Sqrt(sum);
    }

    private static double LengthOf(double[] vector)
    {
        double sum = 0;
        foreach (double v in vector) sum += v * v;
        return Math.Sqrt(sum);
    }

    private static double LargestComponent(double[] vector)
    {
        double largest = 0;
        foreach (double v in vector) largest = double.IsFinite(v) ? Math.Max(largest, Math.Abs(v)) : double.PositiveInfinity;
        return largest;
    }
}

/// <summary>A function of a few variables with its first two derivatives.</summary>
internal interface ISmoothObjective
{
    int Dimension { get; }

    /// <param name="x">(Dimension).</param>
    /// <param name="gradient">(Dimension), overwritten.</param>
    /// <param name="hessian">(Dimension, Dimension) row by row, overwritten; symmetric.</param>
    /// <returns>The value; infinity or NaN where the function is not defined.</returns>
    double Evaluate(ReadOnlySpan<double> x, Span<double> gradient, Span<double> hessian);
}
