using static TorchSharp.torch;

namespace ChemScale.Engine.Operators;

/// <summary>
/// The passes of SchNet's convolution m for given inputs h, phi, f, W1, b1, W2, b2. With S the sum over atoms of m . g, the gradient of S
/// is the backward pass and the gradient of S's derivative along a direction the double backward pass.
/// </summary>
internal interface IContinuousFilterPasses
{
    /// <summary>h, phi, f, W1, b1, W2, b2</summary>
    const int Inputs = 7;

    /// <param name="keep">
    /// Whether s, k and t may be returned too, for the passes to come: of the size of the pairs, but to make them is most of the work.
    /// </param>
    /// <returns>m (atoms, filters), and the layers kept; none where they are made again.</returns>
    (Tensor Sum, Tensor[] Layers) Forward(bool keep);

    /// <param name="gradient">(atoms, filters) g</param>
    /// <returns>By all inputs.</returns>
    Tensor[] Backward(Tensor gradient);

    /// <param name="gradient">(atoms, filters) g</param>
    /// <param name="alongFeatures">(atoms, filters) h', or null: zero</param>
    /// <param name="alongRadial">As phi, or null.</param>
    /// <param name="alongEnvelope">As f, or null.</param>
    /// <returns>By all inputs, and by g.</returns>
    Tensor[] DoubleBackward(Tensor gradient, Tensor? alongFeatures, Tensor? alongRadial, Tensor? alongEnvelope);
}
