namespace ChemScale.Engine.Simulation;

/// <summary>Where a simulation is.</summary>
/// <param name="Step">Done.</param>
/// <param name="TotalSteps">At most.</param>
/// <param name="Energy">eV: total of a dynamics, potential of a relaxation.</param>
/// <param name="Temperature">K; null in a relaxation.</param>
/// <param name="MaximumForce">eV/A.</param>
public sealed record SimulationProgress(long Step, long TotalSteps, double Energy, double? Temperature, double MaximumForce);
