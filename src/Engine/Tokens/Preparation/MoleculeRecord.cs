namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>An encoded molecule within its block.</summary>
/// <param name="Line">Line or index it came from.</param>
/// <param name="Key">Its place in the store's order.</param>
/// <param name="Start">First of its ids in the block.</param>
/// <param name="Length">How many.</param>
internal readonly record struct MoleculeRecord(long Line, ulong Key, int Start, int Length);
