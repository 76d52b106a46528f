using ChemScale.Engine.Training;
using ChemScale.Engine.Training.Experiments;
using ChemScale.Engine.Training.Runs;

namespace ChemScale.Engine.Studies.Runs;

/// <summary>An experiment and where it runs. The directory is the run's only state.</summary>
public sealed record PlannedRun(string Name, Experiment Experiment, string Directory);

/// <summary>How a planned run ended. Diverged: why, where a loss was not a number; then there is no result.</summary>
public sealed record RunOutcome(PlannedRun Run, TrainingResult? Result, string? Diverged);

/// <summary>A step of one of the runs in progress. Ended: its last, told again when the run has ended or been put aside, at whatever step.</summary>
public readonly record struct RunProgress(PlannedRun Run, StepReport Step, bool Ended = false);
