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

/// <summary>Where ticks go and what they say: powers of ten over decades, round plain values over less.</summary>
internal static class AxisTicks
{
    private const int Wanted = 6;
    private const double DecadesForPowers = 2.2;
    private const double DecadesForSeries = 0.75;
    private const double LeastPower = 1e4;

    public static IReadOnlyList<AxisTick> Linear(ChartAxis axis, double low, double high) =>
        [.. Round(low, high, axis.Integers).Select(v => new AxisTick(v.Value, Label(axis, v.Value, v.Decimals)))];

    public static IReadOnlyList<AxisTick> Logarithmic(ChartAxis axis, double low, double high)
    {
        double decades = high - low;
        if (decades >= DecadesForPowers) return Decades(axis, low, high);
        if (decades >= DecadesForSeries) return Series(axis, low, high);
        return
        [
            .. Round(Math.Pow(10, low), Math.Pow(10, high), axis.Integers).Where(v => v.Value > 0)
                .Select(v => new AxisTick(Math.Log10(v.Value), Label(axis, v.Value, v.Decimals))),
        ];
    }

    private static List<AxisTick> Decades(ChartAxis axis, double low, double high)
    {
        int first = (int)Math.Ceiling(low), last = (int)Math.Floor(high);
        int step = Math.Max(1, (int)Math.Ceiling((last - first + 1) / 8.0));
        var ticks = new List<AxisTick>();
        for (int power = first - 1; power <= last; power++)
        {
            if (power >= first && (power - first) % step == 0)
                ticks.Add(new AxisTick(power, axis.Powers ? $"10^{power}".Replace('-', '−') : Numbers.Short(Math.Pow(10, power))));
            if (step > 1) continue;
            for (int digit = 2; digit <= 9; digit++)
            {
                double position = power + Math.Log10(digit);
                if (position >= low && position <= high) ticks.Add(new AxisTick(position, ""));
            }
        }
        return ticks;
    }

    private static List<AxisTick> Series(ChartAxis axis, double low, double high)
    {
        var ticks = new List<AxisTick>();
        for (int power = (int)Math.Floor(low); power <= (int)Math.Floor(high); power++)
        {
            for (int digit = 1; digit <= 9; digit++)
            {
                double position = power + Math.Log10(digit);
                if (position < low || position > high) continue;
                bool labelled = digit is 1 or 2 or 5;
                ticks.Add(new AxisTick(position, labelled ? Label(axis, digit * Math.Pow(10, power), Math.Max(0, -power)) : ""));
            }
        }
        return ticks;
    }

    private static IEnumerable<(double Value, int Decimals)> Round(double low, double high, bool integers)
    {
        double raw = (high - low) / Wanted;
        double power = Math.Pow(10, Math.Floor(Math.Log10(raw)));
        double step = power * (raw / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        if (integers) step = Math.Max(1, step);
        int decimals = Math.Clamp((int)-Math.Floor(Math.Log10(step) + 1e-9), 0, 12);
        double first = Math.Ceiling(low / step - 1e-9);
        int count = (int)Math.Min(2 * Wanted + 2, Math.Floor(high / step + 1e-9) - first + 1);
        // First + i on whole multiples: no drift of a running sum.
        for (int i = 0; i < count; i++) yield return ((first + i) * step, decimals);
    }

    private static string Label(ChartAxis axis, double value, int decimals) =>
        (axis.Powers && value >= LeastPower) || Math.Abs(value) >= 1e6 ? Numbers.Power(value, 4) : Numbers.Fixed(value, decimals);
}
