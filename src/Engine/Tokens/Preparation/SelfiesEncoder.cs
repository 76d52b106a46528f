namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Input that is SELFIES already: checked for its form only.</summary>
internal sealed class SelfiesEncoder : IMoleculeEncoder
{
    public string Reason { get; private set; } = "";

    public bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies)
    {
        selfies = molecule;
        for (ReadOnlySpan<char> rest = molecule; rest.Length > 0;)
        {
            int length = rest[0] == '.' ? 1 : BracketSplit.SymbolLength(rest);
            if (length == 0 || length == 2)
            {
                Reason = "not SELFIES: a symbol in brackets expected";
                return false;
            }
            rest = rest[length..];
        }
        return true;
    }
}
