namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>Where a preparation stands.</summary>
/// <param name="Stage">What is being done, in words.</param>
/// <param name="Frames">Frames done in this stage.</param>
/// <param name="Elapsed">Since the start.</param>
public sealed record FramePreparationProgress(string Stage, long Frames, TimeSpan Elapsed);
