namespace ChemScale.Engine.Atoms.Preparation;

/// <summary>A frame that waits in the spool for its place.</summary>
/// <param name="Key">Its place in the order.</param>
/// <param name="Offset">Where it starts in the spool: also its order of arrival.</param>
/// <param name="Validation">True where it is held out.</param>
internal readonly record struct SpooledFrame(ulong Key, long Offset, bool Validation);
