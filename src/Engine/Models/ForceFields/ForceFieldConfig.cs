using static TorchSharp.torch;

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

    /// <summary>How the model is called in its paper.</summary>
    public abstract string Title { get; }

    /// <summary>The same model at another capacity.</summary>
    /// <param name="depth">Interaction layers.</param>
    /// <param name="width">Features.</param>
    public abstract ForceFieldConfig Shaped(int depth, int width);

    /// <summary>A model of this shape with fresh weights.</summary>
    /// <param name="seed">Of the weights.</param>
    /// <param name="dtype">float32 or float64.</param>
    /// <param name="device">Where the weights live; null: the CPU.</param>
    /// <exception cref="InputException">The configuration describes no model.</exception>
    public abstract ForceField Create(long seed = 0, ScalarType dtype = ScalarType.Float32, Device? device = null);

    /// <param name="atomicNumbers">Of the atoms of a frame or batch; each at least once.</param>
    /// <param name="place">What to name in an error: the frame.</param>
    /// <exception cref="InputException">An element that models of this shape do not know.</exception>
    public virtual void RequireElements(IEnumerable<int> atomicNumbers, string place)
    {
        int heaviest = atomicNumbers.DefaultIfEmpty().Max();
        if (heaviest > MaxAtomicNumber)
            throw new InputException(place, $"atomic number {heaviest}", $"at most {MaxAtomicNumber}", "raise model.maxAtomicNumber");
    }

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
