namespace ChemScale.Engine.Atoms.Store;

/// <summary>What one side of a frame store holds.</summary>
/// <param name="Frames">Frames.</param>
/// <param name="Atoms">Atoms of all of them.</param>
/// <param name="Largest">Atoms of the largest frame; 0 where there is none.</param>
public sealed record FrameCounts(long Frames, long Atoms, int Largest);
