using ILGPU;

namespace ChemScale.Kernels.Neighbors;

/// <summary>
/// <see cref="PairDistance"/> to an image, and equal to it for the image that is not shifted. Rounded one by one, it is to the bit the
/// distance of the host's lists, and the same both ways round.
/// </summary>
internal static class ImageDistance
{
    /// <param name="positions">(A, 3) A</param>
    /// <param name="boxes">(frames, 21), see <see cref="BoxLayout"/></param>
    /// <param name="box">Where the basis starts.</param>
    /// <param name="i">Receiver.</param>
    /// <param name="j">Sender.</param>
    /// <param name="a">Lattice vectors by which the sender is moved.</param>
    /// <param name="b">Of the second.</param>
    /// <param name="c">Of the third.</param>
    public static double Squared(ArrayView<double> positions, ArrayView<double> boxes, int box, int i, int j, int a, int b, int c)
    {
        double x = positions[3 * j] - positions[3 * i] + Shift(boxes, box, a, b, c);
        double y = positions[3 * j + 1] - positions[3 * i + 1] + Shift(boxes, box + 1, a, b, c);
        double z = positions[3 * j + 2] - positions[3 * i + 2] + Shift(boxes, box + 2, a, b, c);
        return x * x + y * y + z * z;
    }

    /// <summary>One component, the one that <paramref name="box"/> points to, of a sum of lattice vectors.</summary>
    public static double Shift(ArrayView<double> boxes, int box, int a, int b, int c) =>
        a * boxes[box] + b * boxes[box + 3] + c * boxes[box + 6];
}
