namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Lines refused for one reason.</summary>
/// <param name="Reason">One line.</param>
/// <param name="Count">How many.</param>
/// <param name="Examples">The first few, each <c>file:line: text</c>.</param>
public sealed record RefusedLines(string Reason, long Count, IReadOnlyList<string> Examples);
