namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>What was predicted.</summary>
/// <param name="Run">Run directory of the model.</param>
/// <param name="Files">Where the frames came from.</param>
/// <param name="Output">The file written.</param>
/// <param name="Frames">Frames in it.</param>
/// <param name="Atoms">Atoms of all of them.</param>
/// <param name="PeriodicFrames">Frames that have a stress.</param>
public sealed record PredictionReport(string Run, IReadOnlyList<string> Files, string Output, long Frames, long Atoms, long PeriodicFrames);
