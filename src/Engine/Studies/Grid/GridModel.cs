namespace ChemScale.Engine.Studies.Grid;

/// <summary>One size of a family of models.</summary>
/// <param name="Name">Shown, and part of the run's name: <c>width 32</c>, <c>2 x 32</c>.</param>
/// <param name="Config">The family's configuration record.</param>
/// <param name="Parameters">N: non-embedding parameters.</param>
/// <param name="Width">What the learning rate is scaled by.</param>
public sealed record GridModel(string Name, object Config, long Parameters, int Width);
