namespace ChemScale.Kernels.SchNet;

/// <summary>The kernels of the convolution.</summary>
internal enum FilterPass
{
    Forward,
    Tangent,
    Backward,
    DoubleBackward,
}
