namespace ChemScale.Engine.Simulation;

/// <summary>Mean and standard deviation of numbers as they come.</summary>
public sealed class RunningMean
{
    private double squares;

    public long Count { get; private set; }

    public double Mean { get; private set; }

    /// <summary>Of the numbers seen, with n in the denominator.</summary>
    public double Deviation => Count > 0 ? Math.Sqrt(squares / Count) : 0;

    public void Add(double value)
    {
        Count++;
        double toValue = value - Mean;
        Mean += toValue / Count;
        squares += toValue * (value - Mean);
    }
}
