using ChemScale.Kernels.Device;

namespace ChemScale.Kernels.SchNet;

/// <summary>
/// What the weights' gradients need of a launch's edges, to be multiplied afterwards: by W1 inner^T inputs, by b1 the sum of inner, by W2
/// outer^T hidden, by b2 the sum of outer. In the double backward pass each is there twice, for values and derivatives, and the products
/// take both. All empty: no weight wants a gradient.
/// </summary>
/// <param name="Inputs">(edges, K padded) phi</param>
/// <param name="Hidden">(edges, N) ssp(s)</param>
/// <param name="Inner">(edges, N) by s</param>
/// <param name="Outer">(edges, N) by t</param>
public readonly record struct FilterScratch<T>(DeviceArray<T> Inputs, DeviceArray<T> Hidden, DeviceArray<T> Inner, DeviceArray<T> Outer)
    where T : unmanaged;
