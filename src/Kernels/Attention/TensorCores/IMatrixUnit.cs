namespace ChemScale.Kernels.Attention.TensorCores;

/// <summary>What multiplies matrices of bfloat16 and adds in float32: a warp together, each lane with its share.</summary>
internal interface IMatrixUnit
{
    /// <summary>Dynamic shared memory that a warp needs for it.</summary>
    static abstract int SharedBytes { get; }

    /// <summary>Two numbers rounded to the nearest bfloat16, ties to even: the first in the low half.</summary>
    static abstract uint Pack(float first, float second);

    /// <summary>sum + a b^T, of 16 x 16 each. Every lane of the warp must reach it together.</summary>
    static abstract Accumulator MultiplyAdd(Accumulator sum, Fragment a, Fragment b);

    /// <summary>e^x, to 2^-20 of itself for x of 0 or less; 0 for minus infinity.</summary>
    static abstract float Exp(float x);
}
