namespace ChemScale.Engine.Simulation;

/// <summary>
/// Least squares of the energy on time, one point after another, in constant memory: the slope is the drift, and what is left about the
/// line the fluctuation. Moments are updated about the running means (Welford, Technometrics 4, 419 (1962)).
/// </summary>
public sealed class EnergyDrift
{
    private double meanTime;
    private double meanEnergy;
    private double timeSquares;
    private double products;
    private double energySquares;

    public long Count { get; private set; }

    /// <summary>Change of the energy per unit of time; null below two different times.</summary>
    public double? Slope => timeSquares > 0 ? products / timeSquares : null;

    /// <summary>Root of the mean squared distance from the line; null below three points.</summary>
    public double? Fluctuation => Count > 2 && timeSquares > 0
        ? Math.Sqrt(Math.Max(0, energySquares - products * products / timeSquares) / Count)
        : null;

    public void Add(double time, double energy)
    {
        Count++;
        double toTime = time - meanTime, toEnergy = energy - meanEnergy;
        meanTime += toTime / Count;
        meanEnergy += toEnergy / Count;
        timeSquares += toTime * (time - meanTime);
        products += toTime * (energy - meanEnergy);
        energySquares += toEnergy * (energy - meanEnergy);
    }
}
