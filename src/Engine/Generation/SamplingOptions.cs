namespace ChemScale.Engine.Generation;

/// <summary>How molecules are drawn from a language model.</summary>
public sealed record SamplingOptions
{
    /// <summary>How many sequences.</summary>
    public int Count { get; init; } = 10;

    /// <summary>Divides the scores; 0 takes the likeliest token.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Draw from the k likeliest tokens only; 0: from all.</summary>
    public int TopK { get; init; }

    public long Seed { get; init; }

    /// <summary>A sequence that has not ended by then is given up as unfinished.</summary>
    public int MaximumTokens { get; init; } = 512;

    /// <summary>Sequences decoded side by side; does not change what is drawn.</summary>
    public int BatchSize { get; init; } = 64;

    /// <exception cref="InputException">A key out of range.</exception>
    public void Validate()
    {
        if (Count < 1) throw new InputException("count", $"{Count}", "1 or more");
        if (!(Temperature >= 0) || double.IsInfinity(Temperature)) throw new InputException("temperature", $"{Temperature}", "0 or more");
        if (TopK < 0) throw new InputException("top-k", $"{TopK}", "0 (all tokens) or more");
        if (MaximumTokens < 2) throw new InputException("max-tokens", $"{MaximumTokens}", "2 or more");
        if (BatchSize < 1) throw new InputException("batch", $"{BatchSize}", "1 or more");
    }
}
