using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>ssp(x) = ln(1 + e^x) - ln 2: SchNet's activation.</summary>
public static class ShiftedSoftplus
{
    // From here on the library takes x itself: where that is exact in float64, and e^x still fits float32.
    private const int Threshold = 40;

    public static Tensor Apply(Tensor x)
    {
        using Tensor softplus = nn.functional.softplus(x, 1, Threshold);
        return softplus - Math.Log(2);
    }
}
