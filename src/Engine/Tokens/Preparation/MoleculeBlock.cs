namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// A stretch of the input on its way through the pipeline: filled by a reader, encoded by a worker, emptied by the writer, used again.
/// </summary>
internal sealed class MoleculeBlock
{
    /// <summary>Longer lines are refused.</summary>
    public const int MaximumCharacters = 1 << 16;

    private ushort[] ids = new ushort[1 << 14];
    private int idCount;

    /// <summary>The file, or the name of the source.</summary>
    public string Place { get; set; } = "";

    /// <summary>Number of the first line, from 1, or first index.</summary>
    public long First { get; set; }

    /// <summary>1 where the first line is a header.</summary>
    public int HeaderLines { get; set; }

    /// <summary>Lines, the header included, or indices.</summary>
    public long Count { get; set; }

    /// <summary>Whole lines; the last one may lack its line feed.</summary>
    public char[] Text { get; } = new char[MaximumCharacters];

    public int Start { get; set; }

    public int End { get; set; }

    public LineFormat Format { get; set; } = LineFormat.FirstField(MoleculeKind.Smiles);

    public List<MoleculeRecord> Molecules { get; } = [];

    public List<Refusal> Refused { get; } = [];

    /// <summary>Molecules that were taken and decode to others, once for each reason.</summary>
    public List<Refusal> Changed { get; } = [];

    public ReadOnlySpan<ushort> Ids(MoleculeRecord molecule) => ids.AsSpan(molecule.Start, molecule.Length);

    public void Clear()
    {
        Start = End = HeaderLines = idCount = 0;
        Count = 0;
        Molecules.Clear();
        Refused.Clear();
        Changed.Clear();
    }

    /// <summary>Room for at least this many ids behind those that are there.</summary>
    public Span<ushort> Room(int ids)
    {
        if (idCount + ids > this.ids.Length) Array.Resize(ref this.ids, Math.Max(this.ids.Length * 2, idCount + ids));
        return this.ids.AsSpan(idCount);
    }

    /// <summary>Takes the first ids of <see cref="Room"/> as a molecule.</summary>
    public void Take(long line, MoleculePlace place, int length)
    {
        Molecules.Add(new MoleculeRecord(line, place, idCount, length));
        idCount += length;
    }

    public void Refuse(long line, string reason, ReadOnlySpan<char> text) => Note(Refused, line, reason, text);

    public void Change(long line, string reason, ReadOnlySpan<char> text) => Note(Changed, line, reason, text);

    private static void Note(List<Refusal> notes, long line, string reason, ReadOnlySpan<char> text)
    {
        int known = 0;
        foreach (Refusal other in notes)
            if (other.Reason == reason && ++known == RefusalCounts.MaximumExamples) break;
        const int shown = 80;
        string excerpt = known == RefusalCounts.MaximumExamples ? "" : text.Length > shown ? $"{text[..shown]}..." : text.ToString();
        notes.Add(new Refusal(line, reason, excerpt));
    }
}

/// <summary>An encoded molecule within its block.</summary>
/// <param name="Line">Line or index it came from.</param>
/// <param name="Place">Its place in the store's order, and its side.</param>
/// <param name="Start">First of its ids in the block.</param>
/// <param name="Length">How many.</param>
internal readonly record struct MoleculeRecord(long Line, MoleculePlace Place, int Start, int Length);

/// <summary>A line that was refused.</summary>
/// <param name="Line">Line number, from 1; or index, for made molecules.</param>
/// <param name="Reason">Why.</param>
/// <param name="Excerpt">Its text, cut; empty where enough examples are known.</param>
internal readonly record struct Refusal(long Line, string Reason, string Excerpt);

/// <summary>Counts refused lines by reason and keeps the first examples of each.</summary>
internal sealed class RefusalCounts
{
    public const int MaximumExamples = 5;

    private readonly Dictionary<string, (long Count, List<string> Examples)> reasons = new(StringComparer.Ordinal);

    public long Total { get; private set; }

    public void Add(string place, Refusal refusal)
    {
        (long count, List<string> examples) = reasons.GetValueOrDefault(refusal.Reason, (0, []));
        if (examples.Count < MaximumExamples) examples.Add($"{place}:{refusal.Line}: {refusal.Excerpt}");
        reasons[refusal.Reason] = (count + 1, examples);
        Total++;
    }

    /// <summary>From the most frequent reason to the rarest.</summary>
    public IReadOnlyList<RefusedLines> ToList() =>
        [.. reasons.Select(reason => new RefusedLines(reason.Key, reason.Value.Count, reason.Value.Examples))
            .OrderByDescending(lines => lines.Count).ThenBy(lines => lines.Reason, StringComparer.Ordinal)];
}

/// <summary>Lines refused for one reason.</summary>
/// <param name="Reason">One line.</param>
/// <param name="Count">How many.</param>
/// <param name="Examples">The first few, each <c>file:line: text</c>.</param>
public sealed record RefusedLines(string Reason, long Count, IReadOnlyList<string> Examples);

/// <summary>Cuts the input into blocks, and hands the molecules of a block to a worker.</summary>
internal interface IBlockReader : IDisposable
{
    /// <summary>Part of the input that was read, 0 to 1.</summary>
    double Fraction { get; }

    /// <summary>The next block; false at the end. One thread.</summary>
    bool Fill(MoleculeBlock block);

    /// <summary>Hands over the molecules of a block, or refuses their lines. Called from many threads, each with its own blocks.</summary>
    void ForEach(MoleculeBlock block, MoleculeAction encode);
}

/// <summary>
/// Turns a molecule as it stands in the input into what is stored of it. One per thread; a returned span is valid until the next call.
/// </summary>
internal interface IMoleculeEncoder
{
    /// <summary>Why the last call refused: one line, stable enough to count by.</summary>
    string Reason { get; }

    /// <summary>What the last call wrote decodes to another graph.</summary>
    bool IsChanged => false;

    /// <summary>What the last call wrote is one fragment of several.</summary>
    bool IsCut => false;

    bool TryEncode(ReadOnlySpan<char> molecule, out ReadOnlySpan<char> written);
}
