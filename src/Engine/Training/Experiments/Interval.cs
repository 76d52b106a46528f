using System.Globalization;

namespace ChemScale.Engine.Training.Experiments;

/// <summary>How often something happens during a run: <c>0.25 epochs</c>, <c>500 steps</c>, <c>10 minutes</c> or <c>never</c>.</summary>
public readonly record struct Interval(double Count, IntervalUnit Unit)
{
    public const string Expected = "an interval such as `0.25 epochs`, `500 steps`, `10 minutes` or `never`";

    public static Interval Never => new(0, IntervalUnit.Never);

    public static Interval Epochs(double count) => new(count, IntervalUnit.Epochs);

    public static Interval Steps(long count) => new(count, IntervalUnit.Steps);

    public static Interval Minutes(double count) => new(count, IntervalUnit.Minutes);

    public static bool TryParse(string text, out Interval interval)
    {
        interval = Never;
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (words is ["never"]) return true;
        if (words.Length != 2) return false;
        if (!double.TryParse(words[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double count)) return false;
        IntervalUnit? unit = words[1] switch
        {
            "epoch" or "epochs" => IntervalUnit.Epochs,
            "step" or "steps" => IntervalUnit.Steps,
            "minute" or "minutes" => IntervalUnit.Minutes,
            _ => null,
        };
        if (unit is null || !(count > 0) || double.IsInfinity(count)) return false;
        if (unit == IntervalUnit.Steps && count != Math.Floor(count)) return false;
        interval = new Interval(count, unit.Value);
        return true;
    }

    /// <summary>Whether a multiple of the interval was reached by the step that made <paramref name="completed"/> of them.</summary>
    /// <remarks>Minutes are a matter of the clock: false here.</remarks>
    public bool DueAfter(long completed, long stepsPerEpoch)
    {
        double period = Unit switch
        {
            IntervalUnit.Steps => Count,
            IntervalUnit.Epochs => Count * stepsPerEpoch,
            _ => double.PositiveInfinity,
        };
        // The nudge lets 3 x 0.1 epochs of 10 steps be step 3 in floating point.
        return Math.Floor(completed / period + 1e-9) > Math.Floor((completed - 1) / period + 1e-9);
    }

    public override string ToString() => Unit == IntervalUnit.Never
        ? "never"
        : $"{Scalars.Format(Count)} {Unit.ToString().ToLowerInvariant()}";
}

public enum IntervalUnit
{
    Never,
    Steps,
    Epochs,
    Minutes,
}
