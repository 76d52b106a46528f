namespace ChemScale.Kernels.Attention;

/// <summary>The numbers of one attention.</summary>
/// <param name="Heads">Number of heads.</param>
/// <param name="HeadWidth">Values of a head, d.</param>
/// <param name="Window">Keys that a query sees at most, its own included; 0: all before it.</param>
/// <param name="Scale">Of the scores.</param>
public readonly record struct AttentionSettings(int Heads, int HeadWidth, int Window, double Scale);
