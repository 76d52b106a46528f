namespace ChemScale.Tests.Models.Equivariant;

/// <summary>Nodes and weights on [-1, 1], by Newton's method on the Legendre polynomial.</summary>
internal static class GaussLegendre
{
    public static (double[] Nodes, double[] Weights) Rule(int n)
    {
        var nodes = new double[n];
        var weights = new double[n];
        for (int i = 0; i < n; i++)
        {
            double x = Math.Cos(Math.PI * (i + 0.75) / (n + 0.5)), slope = 0;
            for (int step = 0; step < 20; step++)
            {
                double p0 = 1, p1 = x;
                for (int k = 2; k <= n; k++) (p0, p1) = (p1, ((2 * k - 1) * x * p1 - (k - 1) * p0) / k);
                slope = n * (x * p1 - p0) / (x * x - 1);
                x -= p1 / slope;
            }
            nodes[i] = x;
            weights[i] = 2 / ((1 - x * x) * slope * slope);
        }
        return (nodes, weights);
    }
}
