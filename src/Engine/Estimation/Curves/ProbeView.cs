
namespace ChemScale.Engine.Estimation.Curves;

/// <summary>
/// What may be known of a run after a part of its budget. It holds a copy of that part and no reference to the rest, so a selection that is
/// given views cannot look at losses that it claims not to have paid for.
/// </summary>
public sealed class ProbeView
{
    private ProbeView(LossCurve curve, int fullLength, LossCurve? cooled)
    {
        Curve = curve;
        FullLength = fullLength;
        Cooled = cooled;
    }

    public string Name => Curve.Name;

    /// <summary>The losses so far.</summary>
    public LossCurve Curve { get; }

    /// <summary>A branch that left the run at the end of <see cref="Curve"/>, its learning rate taken down to nothing; from the run's start. Null: none was trained.</summary>
    public LossCurve? Cooled { get; }

    /// <summary>Share of the budget that the branch cost.</summary>
    public double CooledFraction => Cooled is null ? 0 : (Cooled.Length - Curve.Length) / (double)FullLength;

    /// <summary>Planned length of the whole run, in the unit of <see cref="LossCurve.Length"/>.</summary>
    public int FullLength { get; }

    /// <summary>Share of the budget spent.</summary>
    public double Fraction => Curve.Length / (double)FullLength;

    /// <summary>The first part of a recorded run.</summary>
    /// <param name="recorded">The run.</param>
    /// <param name="fraction">In (0, 1]; at least one step is seen.</param>
    /// <param name="fullLength">Planned length; null where the record is the whole run.</param>
    public static ProbeView Of(LossCurve recorded, double fraction, int? fullLength = null)
    {
        if (fraction is not (> 0 and <= 1)) throw new InputException("probe fraction", $"{fraction}", "a number in (0, 1]");
        int full = fullLength ?? recorded.Length, length = Math.Max(1, (int)Math.Round(fraction * full));
        // A run that diverged may end early: its record is then all there will ever be.
        if (recorded.Length < length && !recorded.Diverged)
            throw new InputException(recorded.Name, $"{recorded.Length} of {full} steps",
                $"at least {length}, {fraction:P0} of the budget");
        return new ProbeView(recorded.Prefix(length), full, null);
    }

    /// <summary>The same, with a branch that left the run there.</summary>
    /// <param name="cooled">From the run's start; null: none was trained.</param>
    public ProbeView WithBranch(LossCurve? cooled) => new(Curve, FullLength, cooled);
}
