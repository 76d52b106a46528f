namespace ChemScale.Perf.Measuring;

/// <summary>What repeated times come to. Seconds; quartiles by linear interpolation between the ordered times.</summary>
/// <param name="Repeats">How many.</param>
/// <param name="Median">The half-way one.</param>
/// <param name="LowerQuartile">A quarter are less.</param>
/// <param name="UpperQuartile">A quarter are more.</param>
/// <param name="Least">The least disturbed one: other work only ever adds.</param>
/// <param name="Greatest">The most disturbed one.</param>
internal sealed record Summary(int Repeats, double Median, double LowerQuartile, double UpperQuartile, double Least, double Greatest)
{
    /// <exception cref="ArgumentException">No times.</exception>
    public static Summary Of(IEnumerable<double> times)
    {
        double[] ordered = [.. times.Order()];
        if (ordered.Length == 0) throw new ArgumentException("no times to summarise");
        return new Summary(ordered.Length, At(ordered, 0.5), At(ordered, 0.25), At(ordered, 0.75), ordered[0], ordered[^1]);
    }

    private static double At(double[] ordered, double share)
    {
        double place = share * (ordered.Length - 1);
        int below = (int)place, above = Math.Min(below + 1, ordered.Length - 1);
        return ordered[below] + (place - below) * (ordered[above] - ordered[below]);
    }
}
