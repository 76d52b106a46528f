namespace ChemScale.Engine.Tokens;

/// <summary>
/// The normalizer entry of a tokenizer file: what happens to the text before it is split. ChemGPT's files have
/// none. None of these lengthens a text.
/// </summary>
internal abstract record Normalizer
{
    public abstract string Apply(string text);

    public sealed record Lowercase : Normalizer
    {
        public override string Apply(string text) => text.ToLowerInvariant();
    }

    public sealed record Strip(bool Left, bool Right) : Normalizer
    {
        public override string Apply(string text)
        {
            if (Left) text = text.TrimStart();
            return Right ? text.TrimEnd() : text;
        }
    }

    public sealed record Sequence(IReadOnlyList<Normalizer> Steps) : Normalizer
    {
        public override string Apply(string text) => Steps.Aggregate(text, (done, step) => step.Apply(done));
    }
}
