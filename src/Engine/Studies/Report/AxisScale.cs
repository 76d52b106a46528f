namespace ChemScale.Engine.Studies.Report;

/// <summary>
/// What an axis shows: its label with the unit, whether it is logarithmic, whether large values are labelled as powers of ten, whether
/// only whole numbers are.
/// </summary>
internal sealed record ChartAxis(string Label, bool Logarithmic = false, bool Powers = false, bool Integers = false);

/// <summary>A tick at <paramref name="Position"/> in mapped coordinates; an empty label for a minor one.</summary>
internal readonly record struct AxisTick(double Position, string Label);

/// <summary>
/// Limits and ticks of one axis. Mapped coordinates are log10 of the value on a logarithmic axis, the value itself otherwise.
/// </summary>
internal sealed record AxisScale(bool Logarithmic, double Low, double High, IReadOnlyList<AxisTick> Ticks)
{
    private const double Margin = 0.06;

    public static double Map(ChartAxis axis, double value) => axis.Logarithmic ? (value > 0 ? Math.Log10(value) : double.NaN) : value;

    /// <summary>Fits an axis to values.</summary>
    /// <param name="axis">The axis.</param>
    /// <param name="firm">Mapped values that must be inside.</param>
    /// <param name="soft">Mapped values, of bands and error bars, that may widen the axis, by about half its length each way.</param>
    public static AxisScale Fit(ChartAxis axis, IReadOnlyCollection<double> firm, IReadOnlyCollection<double> soft)
    {
        double[] values = [.. firm.Where(double.IsFinite)];
        if (values.Length == 0) return new AxisScale(axis.Logarithmic, 0, 1, []);
        double low = values.Min(), high = values.Max();
        double least = axis.Logarithmic ? 0.02 : axis.Integers ? 1 : 1e-6 * Math.Max(1e-300, Math.Max(Math.Abs(low), Math.Abs(high)));
        if (high - low < least)
        {
            double half = axis.Logarithmic ? 0.15 : axis.Integers ? 0.5 : Math.Max(0.1 * Math.Abs(low), 0.1);
            (low, high) = (low - half, high + half);
        }
        double room = Math.Max(0.5 * (high - low), axis.Logarithmic ? 0.05 : 0.1 * Math.Max(Math.Abs(low), Math.Abs(high)));
        double firmLow = low, firmHigh = high;
        foreach (double value in soft.Where(double.IsFinite))
        {
            low = Math.Max(firmLow - room, Math.Min(low, value));
            high = Math.Min(firmHigh + room, Math.Max(high, value));
        }
        double pad = Margin * (high - low);
        return Between(axis, low - pad, high + pad);
    }

    /// <summary>An axis with these limits, in mapped coordinates.</summary>
    public static AxisScale Between(ChartAxis axis, double low, double high) =>
        new(axis.Logarithmic, low, high, axis.Logarithmic ? AxisTicks.Logarithmic(axis, low, high) : AxisTicks.Linear(axis, low, high));

    /// <summary>Position along the axis, 0 at the low end and 1 at the high one, of a mapped value.</summary>
    public double Share(double mapped) => (mapped - Low) / (High - Low);

    /// <summary>
    /// A mapped value brought to at most one axis length outside, so that no coordinate overflows the drawing. What is not a number is
    /// the logarithm of a value below zero: far down.
    /// </summary>
    public double Bound(double mapped)
    {
        double length = High - Low;
        return double.IsNaN(mapped) ? Low - length : Math.Clamp(mapped, Low - length, High + length);
    }
}
