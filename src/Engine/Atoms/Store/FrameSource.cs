namespace ChemScale.Engine.Atoms.Store;

/// <summary>A file that went into a frame store.</summary>
/// <param name="File">Its name, without the folder.</param>
/// <param name="Frames">Frames read from it.</param>
/// <param name="Keys">Under which names its labels stood, one entry for each combination.</param>
/// <param name="Validation">True where its frames were held out by request.</param>
public sealed record FrameSource(string File, long Frames, IReadOnlyList<string> Keys, bool Validation);
