namespace ChemScale.Engine.Chemistry.Selfies.V1;

/// <summary>
/// Grammar 1.0.4 with its default constraints. The reference recurses once per branch level and per step of its search for a Kekule
/// structure, and gives up at its interpreter's depth; here too both are refused beyond <see cref="MaximumDepth"/>. Refused as well
/// is what the reference never finishes (an empty branch, a ring that closes on its own atom) and, in a fragment that may be aromatic,
/// a ring label before the first atom. Only ASCII digits count as digits.
/// </summary>
public sealed class SelfiesV1Codec : SelfiesCodec
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

/// <summary>Why a SMILES or SELFIES is refused; few and fixed, so that they can be counted by.</summary>
internal static class Refusals
{
    public const string Wildcard = "wildcard atom '*'";
    public const string UnclosedBracket = "bracket atom without ']'";
    public const string Chirality = "chirality other than @ and @@";
    public const string UnknownCharacter = "unknown character";
    public const string DanglingBond = "bond symbol at the end";
    public const string RingLabel = "ring label that is not a number";
    public const string OpenRing = "ring opened and not closed in the same fragment";
    public const string BackwardRing = "ring that does not close on a later atom of its chain";
    public const string EarlyRing = "ring label before the first atom";
    public const string EmptyBranch = "empty branch";
    public const string AromaticSymbol = "aromatic symbol not recognized";
    public const string Kekulization = "no Kekule structure found";
    public const string Depth = "nested too deeply";
    public const string Brackets = "misplaced or missing bracket";
    public const string Symbol = "symbol that cannot be read";
    public const string Hydrogens = "more hydrogens than the atom has bonds";
}
