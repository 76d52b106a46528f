namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// Grammar 1.0.4 with its default constraints. The reference recurses once per branch level and per step of its search for a Kekule
/// structure, and gives up at its interpreter's depth; here too both are refused beyond <see cref="MaximumDepth"/>. Refused as well
/// is what the reference never finishes (an empty branch, a ring that closes on its own atom) and, in a fragment that may be aromatic,
/// a ring label before the first atom. Only ASCII digits count as digits.
/// </summary>
internal sealed class SelfiesV1Codec : SelfiesCodec
{
    /// <summary>Levels of nesting: the reference's interpreter stops at 1,000 frames, of which its callers take a few.</summary>
    public const int MaximumDepth = 990;

    private readonly SelfiesV1Encoder encoder = new();
    private readonly SelfiesV1Decoder decoder = new();

    public override SelfiesGrammar Grammar => SelfiesGrammar.V1;

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
