namespace ChemScale.Engine.Scaling.Intervals;

/// <summary>What is drawn anew.</summary>
public enum BootstrapKind
{
    /// <summary>Points, with replacement: makes no assumption on the noise.</summary>
    Pairs,

    /// <summary>Residuals of log loss, with replacement, at the same resources: assumes the form and noise of one size.</summary>
    Residuals,
}

public sealed record BootstrapOptions
{
    public BootstrapKind Kind { get; init; } = BootstrapKind.Pairs;

    public int Resamples { get; init; } = 1000;

    /// <summary>Resample k is drawn from stream k of it, whatever thread draws it.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Further starts beside the fit to all points, shaken from it.</summary>
    public int ExtraStarts { get; init; } = 2;
}
