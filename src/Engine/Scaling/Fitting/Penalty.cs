using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Scaling.Fitting;

/// <summary>(Strength / 2) (Function - Target)^2, added to an objective.</summary>
internal sealed record Penalty(ISmoothObjective Function, double Target, double Strength);
