namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Counts refused lines by reason and keeps the first examples of each.</summary>
internal sealed class RefusalCounts
{
    public const int MaximumExamples = 5;

    private readonly Dictionary<string, (long Count, List<string> Examples)> _reasons = new(StringComparer.Ordinal);

    public long Total { get; private set; }

    public void Add(string place, Refusal refusal)
    {
        (long count, List<string> examples) = _reasons.GetValueOrDefault(refusal.Reason, (0, []));
        if (examples.Count < MaximumExamples) examples.Add($"{place}:{refusal.Line}: {refusal.Excerpt}");
        _reasons[refusal.Reason] = (count + 1, examples);
        Total++;
    }

    /// <summary>From the most frequent reason to the rarest.</summary>
    public IReadOnlyList<RefusedLines> ToList() =>
        [.. _reasons.Select(reason => new RefusedLines(reason.Key, reason.Value.Count, reason.Value.Examples))
            .OrderByDescending(lines => lines.Count).ThenBy(lines => lines.Reason, StringComparer.Ordinal)];
}
