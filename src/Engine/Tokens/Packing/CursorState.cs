namespace ChemScale.Engine.Tokens.Packing;

/// <summary>Where a <see cref="BatchCursor"/> stands: all that resuming needs.</summary>
/// <param name="Epoch">Epochs completed.</param>
/// <param name="Position">Molecules of the present epoch that were handed out.</param>
/// <param name="Seed">Seed of the order.</param>
/// <param name="Documents">Molecules of the subset: another subset is another order.</param>
public sealed record CursorState(long Epoch, long Position, long Seed, long Documents);
