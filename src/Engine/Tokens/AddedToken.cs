namespace ChemScale.Engine.Tokens;

/// <summary>A token that is looked for in the text before anything else, such as <c>[SEP]</c>.</summary>
/// <param name="Id">Its row in the embedding table.</param>
/// <param name="Text">What is looked for, literally.</param>
/// <param name="Special">Left out when ids are decoded.</param>
/// <param name="Normalized">Looked for after normalization rather than before.</param>
public sealed record AddedToken(ushort Id, string Text, bool Special, bool Normalized);
