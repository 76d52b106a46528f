namespace ChemScale.Engine.Operators;

/// <summary>The numbers of one attention call. Window 0: unlimited.</summary>
internal sealed record AttentionShape(
    PackedRows Rows, int Heads, int HeadWidth, int Window, double Scale, AttentionPrecision Precision = AttentionPrecision.Weights)
{
    public int Width => Heads * HeadWidth;
}
