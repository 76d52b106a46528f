using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens.Conversion;

/// <summary>What a line holds.</summary>
public enum LineForm
{
    Smiles,
    Selfies,

    /// <summary>Token ids, [CLS] and [SEP] included, separated by spaces.</summary>
    Tokens,
}

/// <summary>What <see cref="LineConversion"/> makes of each line.</summary>
public sealed record ConversionOptions
{
    public LineForm From { get; init; } = LineForm.Smiles;

    public LineForm To { get; init; } = LineForm.Selfies;

    public SelfiesGrammar Grammar { get; init; } = SelfiesGrammar.V1;

    /// <summary>Needed where tokens are involved.</summary>
    public Tokenizer? Tokenizer { get; init; }

    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <exception cref="InputException">A conversion that means nothing, or tokens without a tokenizer.</exception>
    public void Validate()
    {
        if (From == To) throw new InputException("to", To.ToString().ToLowerInvariant(), "another form than `from`");
        if ((From == LineForm.Tokens || To == LineForm.Tokens) && Tokenizer is null)
            throw new InputException("tokenizer", "none", "a tokenizer.json, which tokens need");
        if (Tokenizer is not null && Tokenizer.Grammar != Grammar)
            throw new InputException("grammar", Grammar.Name(), Tokenizer.Grammar.Name(), "the tokenizer's grammar and the one asked for differ");
        if (Threads < 1) throw new InputException("threads", $"{Threads}", "1 or more");
    }
}
