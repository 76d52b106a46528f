namespace ChemScale.Engine.Tokens.Store;

/// <summary>What one side of a store holds.</summary>
/// <param name="Documents">Molecules.</param>
/// <param name="Tokens">Ids, [CLS] and [SEP] included.</param>
/// <param name="Longest">Ids of the longest molecule; 0 where there is none.</param>
public sealed record SplitCounts(long Documents, long Tokens, int Longest);
