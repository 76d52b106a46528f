namespace ChemScale.Engine.Models.ForceFields;

/// <summary>What every force field has: its reach and which elements it knows.</summary>
public abstract record ForceFieldConfig
{
    /// <summary>A</summary>
    public double Cutoff { get; init; } = 5;

    /// <summary>A: how far apart the atoms of an edge may be; infinite: every pair of a frame.</summary>
    public virtual double NeighborCutoff => Cutoff;

    /// <summary>The element table has a row for each atomic number from 0 to this.</summary>
    public int MaxAtomicNumber { get; init; } = 99;

    /// <summary>Every trainable number.</summary>
    public abstract long Parameters { get; }

    /// <summary>N of the scaling laws: all but the element table.</summary>
    public abstract long NonEmbeddingParameters { get; }

    /// <exception cref="InputException">A key out of range, or keys that contradict each other.</exception>
    public virtual void Validate(string place = "model")
    {
        if (!(Cutoff > 0) || !double.IsFinite(Cutoff)) throw new InputException($"{place}.cutoff", $"{Cutoff}", "a positive number of angstroms");
        AtLeast(1, MaxAtomicNumber, "maxAtomicNumber", place);
    }

    private protected static void AtLeast(int least, int value, string key, string place)
    {
        if (value < least) throw new InputException($"{place}.{key}", $"{value}", $"{least} or more");
    }
}
