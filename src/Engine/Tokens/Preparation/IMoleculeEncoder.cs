namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// Turns a molecule as it stands in the input into SELFIES. One per thread; a returned span is valid until the next call.
/// </summary>
internal interface IMoleculeEncoder
{
    /// <summary>Why the last call refused: one line, stable enough to count by.</summary>
    string Reason { get; }

    bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> selfies);
}
