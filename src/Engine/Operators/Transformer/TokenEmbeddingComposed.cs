using static TorchSharp.torch;

namespace ChemScale.Engine.Operators.Transformer;

/// <summary>The same by library operations.</summary>
internal static class TokenEmbeddingComposed
{
    public static Tensor Apply(Tensor ids, Tensor positions, Tensor tokens, Tensor places)
    {
        using Tensor token = tokens.index_select(0, ids), place = places.index_select(0, positions);
        return token + place;
    }
}
