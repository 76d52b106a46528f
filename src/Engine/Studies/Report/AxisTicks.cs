namespace ChemScale.Engine.Studies.Report;

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
