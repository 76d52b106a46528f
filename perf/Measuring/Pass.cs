namespace ChemScale.Perf.Measuring;

/// <summary>One part of a step that is timed for itself, and what it must do at least, by the formulas of docs/KERNELS.md.</summary>
/// <param name="Name">forward, backward, double backward, step</param>
/// <param name="Bytes">Compulsory traffic of the whole pass; null: not counted.</param>
/// <param name="Flops">Floating-point operations of the whole pass; null: not counted.</param>
/// <param name="Items">What this pass works through; null: what the case says.</param>
internal sealed record Pass(string Name, double? Bytes = null, double? Flops = null, double? Items = null)
{
    public const string Forward = "forward";
    public const string Backward = "backward";
    public const string DoubleBackward = "double backward";
    public const string Step = "step";
}
