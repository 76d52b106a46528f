namespace ChemScale.Engine.Chemistry.Selfies.V2;

/// <summary>
/// Grammar 2.1 with its default constraints, strict encoding. Two limits are this engine's own: isotopes and charges have at most
/// nine significant digits, and only ASCII digits count as digits. There is no limit on the depth of branches or the length of chains.
/// </summary>
public sealed class SelfiesV2Codec : SelfiesCodec
{
    private readonly SelfiesV2Encoder encoder = new();
    private readonly SelfiesV2Decoder decoder = new();

    public override SelfiesGrammar Grammar => SelfiesGrammar.V2;

    public override bool TryEncode(ReadOnlySpan<char> smiles, out ReadOnlySpan<char> selfies)
    {
        string? refusal = encoder.Encode(smiles);
        Reason = refusal ?? "";
        selfies = refusal is null ? encoder.Text : default;
        return refusal is null;
    }

    public override bool TryDecode(ReadOnlySpan<char> selfies, out ReadOnlySpan<char> smiles)
    {
        string? refusal = decoder.Decode(selfies);
        Reason = refusal ?? "";
        smiles = refusal is null ? decoder.Text : default;
        return refusal is null;
    }
}
