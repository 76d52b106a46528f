using static TorchSharp.torch;

namespace ChemScale.Tests.Models.Equivariant;

/// <summary>Random orthogonal matrices (3, 3), float64, acting on columns.</summary>
internal static class Rotations
{
    public static Tensor Proper(int seed)
    {
        var random = new Random(seed);
        double[] q = [.. Enumerable.Range(0, 4).Select(_ => random.NextDouble() - 0.5)];
        double norm = Math.Sqrt(q.Sum(x => x * x));
        double w = q[0] / norm, x = q[1] / norm, y = q[2] / norm, z = q[3] / norm;
        return tensor(new[]
        {
            1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
        }).view(3, 3);
    }

    /// <summary>A rotation after a mirror.</summary>
    public static Tensor Improper(int seed) => Proper(seed) * tensor(new[] { 1.0, 1.0, -1.0 });
}
