namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>
/// A stretch of the input on its way through the pipeline: filled by a reader, encoded by a worker, emptied by the writer, used again.
/// </summary>
internal sealed class MoleculeBlock
{
    /// <summary>Longer lines are refused.</summary>
    public const int MaximumCharacters = 1 << 16;

    private ushort[] _ids = new ushort[1 << 14];
    private int _idCount;

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

    public LineFormat Format { get; set; } = LineFormat.FirstField;

    public List<MoleculeRecord> Molecules { get; } = [];

    public List<Refusal> Refused { get; } = [];

    public ReadOnlySpan<ushort> Ids(MoleculeRecord molecule) => _ids.AsSpan(molecule.Start, molecule.Length);

    public void Clear()
    {
        Start = End = HeaderLines = _idCount = 0;
        Count = 0;
        Molecules.Clear();
        Refused.Clear();
    }

    /// <summary>Room for at least this many ids behind those that are there.</summary>
    public Span<ushort> Room(int ids)
    {
        if (_idCount + ids > _ids.Length) Array.Resize(ref _ids, Math.Max(_ids.Length * 2, _idCount + ids));
        return _ids.AsSpan(_idCount);
    }

    /// <summary>Takes the first ids of <see cref="Room"/> as a molecule.</summary>
    public void Take(long line, ulong key, int length)
    {
        Molecules.Add(new MoleculeRecord(line, key, _idCount, length));
        _idCount += length;
    }

    public void Refuse(long line, string reason, ReadOnlySpan<char> text)
    {
        int known = 0;
        foreach (Refusal other in Refused)
            if (other.Reason == reason && ++known == RefusalCounts.MaximumExamples) break;
        const int shown = 80;
        string excerpt = known == RefusalCounts.MaximumExamples ? "" : text.Length > shown ? $"{text[..shown]}..." : text.ToString();
        Refused.Add(new Refusal(line, reason, excerpt));
    }
}
