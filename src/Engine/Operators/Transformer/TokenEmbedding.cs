using ChemScale.Engine.Operators.Differentiation;
using ChemScale.Engine.Operators.Runs;
using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>Rows of two tables, added: those of the tokens and those of their places in their molecules.</summary>
internal static class TokenEmbedding
{
    /// <param name="ids">(T) int64</param>
    /// <param name="positions">(T) int64</param>
    /// <param name="tokens">(V, h)</param>
    /// <param name="places">(P, h)</param>
    /// <returns>(T, h)</returns>
    public static Tensor Apply(Tensor ids, Tensor positions, Tensor tokens, Tensor places) =>
        !OperatorModes.UseKernels(tokens) && TokenEmbeddingHost.Has(tokens, places) && OperatorModes.UseHost(tokens)
            ? OperationFunction.Apply(new TokenEmbeddingHost(ids, positions), tokens, places)[0]!
            : TokenEmbeddingComposed.Apply(ids, positions, tokens, places);
}
