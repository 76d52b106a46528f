using ChemScale.Kernels.SchNet;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>The convolution's inputs or what has their shapes: directions, gradients. Contiguous; null: zero.</summary>
/// <param name="Features">(atoms, padded width)</param>
/// <param name="Radial">(edges, K)</param>
/// <param name="Envelope">(edges, 1)</param>
internal readonly record struct FilterTensors(Tensor? Features, Tensor? Radial, Tensor? Envelope)
{
    public FilterInputs<T> Arrays<T>()
        where T : unmanaged =>
        new(KernelTensors.Array<T>(Features), KernelTensors.Array<T>(Radial), KernelTensors.Array<T>(Envelope));
}
