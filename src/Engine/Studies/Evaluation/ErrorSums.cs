namespace ChemScale.Engine.Studies.Evaluation;

/// <summary>Takes errors one at a time and gives their figures; keeps sums alone. All in float64.</summary>
public sealed class ErrorSums
{
    private long _count;
    private double _sum;
    private double _absolute;
    private double _squares;
    private double _largest;

    /// <param name="error">The prediction less its reference.</param>
    public void Add(double error)
    {
        _count++;
        _sum += error;
        _absolute += Math.Abs(error);
        _squares += error * error;
        _largest = Math.Max(_largest, Math.Abs(error));
    }

    /// <summary>Null where nothing was added.</summary>
    public ErrorFigures? Figures =>
        _count == 0 ? null : new ErrorFigures(_count, _absolute / _count, Math.Sqrt(_squares / _count), _sum / _count, _largest);
}
