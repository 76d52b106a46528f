namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>A line that was refused.</summary>
/// <param name="Line">Line number, from 1; or index, for made molecules.</param>
/// <param name="Reason">Why.</param>
/// <param name="Excerpt">Its text, cut; empty where enough examples are known.</param>
internal readonly record struct Refusal(long Line, string Reason, string Excerpt);
