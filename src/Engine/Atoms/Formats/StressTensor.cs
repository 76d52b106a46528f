namespace ChemScale.Engine.Atoms.Formats;

/// <summary>Stress as files give it: six numbers in Voigt order (xx, yy, zz, yz, xz, xy) or a matrix, and as a virial.</summary>
internal static class StressTensor
{
    private static readonly int[] Voigt = [0, 5, 4, 5, 1, 3, 4, 3, 2];

    /// <summary>(3, 3), symmetric; null where there are neither 6 nor 9 numbers.</summary>
    public static double[]? Matrix(double[] numbers) => numbers.Length switch
    {
        6 => [.. Voigt.Select(index => numbers[index])],
        9 => [.. Enumerable.Range(0, 9).Select(index => (numbers[index] + numbers[index % 3 * 3 + index / 3]) / 2)],
        _ => null,
    };

    /// <summary>The stress that belongs to a virial: -virial / volume.</summary>
    public static double[] FromVirial(double[] virial, double volume) => [.. virial.Select(value => -value / volume)];
}
