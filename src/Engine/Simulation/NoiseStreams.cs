namespace ChemScale.Engine.Simulation;

/// <summary>Streams of random numbers under one seed, so that none is used twice.</summary>
internal static class NoiseStreams
{
    public const ulong InitialMomenta = 0;

    /// <summary>The first of those of the steps.</summary>
    public const ulong Steps = 1;
}
