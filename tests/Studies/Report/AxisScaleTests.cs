using ChemScale.Engine.Studies.Report;
using NUnit.Framework;

namespace ChemScale.Tests.Studies.Report;

public class AxisScaleTests
{
    private static readonly ChartAxis Linear = new("x");
    private static readonly ChartAxis Logarithmic = new("x", Logarithmic: true);
    private static readonly ChartAxis Powers = new("x", Logarithmic: true, Powers: true);

    [Test]
    public void Decades_are_labelled_as_powers_of_ten() =>
        Assert.That(Labels(AxisScale.Fit(Powers, [4.5, 7.2], [])), Is.EqualTo(new[] { "10^5", "10^6", "10^7" }));

    [Test]
    public void A_narrow_logarithmic_axis_has_round_plain_labels()
    {
        AxisScale scale = AxisScale.Fit(Logarithmic, [Math.Log10(1.0), Math.Log10(1.6)], []);
        Assert.That(Labels(scale), Is.EqualTo(new[] { "1.0", "1.2", "1.4", "1.6" }));
    }

    [Test]
    public void An_axis_over_one_decade_counts_one_two_five()
    {
        AxisScale scale = AxisScale.Fit(Powers, [Math.Log10(40_000), Math.Log10(700_000)], []);
        Assert.That(Labels(scale), Is.EqualTo(new[] { "5×10^4", "10^5", "2×10^5", "5×10^5" }));
    }

    [Test]
    public void An_axis_of_whole_numbers_has_no_halves() =>
        Assert.That(Labels(AxisScale.Fit(Linear with { Integers = true }, [1, 3], [])), Is.EqualTo(new[] { "1", "2", "3" }));

    [Test]
    public void Ticks_lie_where_their_labels_say()
    {
        AxisScale scale = AxisScale.Fit(Linear, [-0.3, 0.5], []);
        foreach (AxisTick tick in scale.Ticks)
            Expect.Close(double.Parse(tick.Label.Replace('−', '-')), tick.Position, absolute: 1e-12);
    }

    [TestCase(5)]
    [TestCase(0)]
    [TestCase(-2e-7)]
    [TestCase(1e12)]
    public void A_single_value_stands_inside_an_axis_of_some_length(double value)
    {
        AxisScale scale = AxisScale.Fit(Linear, [value], []);
        Expect.Below(scale.Low, value);
        Expect.Above(scale.High, value);
        Assert.That(scale.Ticks, Is.Not.Empty);
    }

    [Test]
    public void Bands_widen_an_axis_by_half_its_length_at_most()
    {
        AxisScale scale = AxisScale.Fit(Linear, [0, 1], [-100, 1.2, double.NaN, double.PositiveInfinity]);
        Expect.Close(scale.Low, -0.5, absolute: 0.15);
        Expect.Close(scale.High, 1.2, absolute: 0.15);
    }

    [Test]
    public void Text_is_wrapped_within_its_width_and_long_words_are_cut()
    {
        IReadOnlyList<string> lines = SvgText.Wrap("one two three " + new string('w', 80), 12, 120);
        Expect.Above(lines.Count, 1);
        Expect.AllBetween(lines.Select(l => SvgText.Width(l, 12)), 0, 120);
        Assert.That(lines[^1], Does.EndWith("…"));
    }

    [Test]
    public void Labels_shrink_before_they_are_cut()
    {
        (string whole, double size) = SvgText.Fitted("Predicted final loss (units of the recording)", 13.5, 10, 270);
        Assert.That(whole, Does.EndWith("recording)"));
        Expect.Between(size, 10, 13);
        Expect.AtMost(SvgText.Width(whole, size), 270);
        Assert.That(SvgText.Fitted("short", 13.5, 10, 270), Is.EqualTo(("short", 13.5)));
        Assert.That(SvgText.Fitted(new string('w', 80), 13.5, 10, 270).Text, Does.EndWith("…"));
    }

    private static string[] Labels(AxisScale scale) => [.. scale.Ticks.Select(t => t.Label).Where(l => l.Length > 0)];
}
