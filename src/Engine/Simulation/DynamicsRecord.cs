using System.Text.Json.Serialization;

namespace ChemScale.Engine.Simulation;

/// <summary>A step's numbers.</summary>
/// <param name="Step">From 0, the start.</param>
/// <param name="TimeFs">fs since the start.</param>
/// <param name="Potential">eV.</param>
/// <param name="Kinetic">eV: as <see cref="IIntegrator.KineticEnergy"/> has it.</param>
/// <param name="Temperature">K: twice the kinetic energy over k and the degrees of freedom that move.</param>
/// <param name="Volume">A^3; 0 without a cell.</param>
/// <param name="Pressure">GPa; null without a stress.</param>
internal readonly record struct DynamicsSample(
    long Step, double TimeFs, double Potential, double Kinetic, double Temperature, double Volume = 0, double? Pressure = null)
{
    /// <summary>eV.</summary>
    [JsonIgnore]
    public double Total => Potential + Kinetic;
}

/// <summary>What is kept of all steps of a run, in constant memory.</summary>
internal sealed record DynamicsRecord
{
    public required DynamicsSample First { get; init; }

    /// <summary>eV/A: the greatest at the start.</summary>
    public required double FirstForce { get; init; }

    [JsonInclude]
    public DynamicsSample Last { get; private set; }

    public EnergyDrift Drift { get; init; } = new();

    public RunningMean Temperature { get; init; } = new();

    public RunningMean Energy { get; init; } = new();

    public RunningMean Volume { get; init; } = new();

    public RunningMean Pressure { get; init; } = new();

    public void Add(DynamicsSample sample)
    {
        Last = sample;
        Drift.Add(sample.TimeFs / 1000, sample.Total);
        Temperature.Add(sample.Temperature);
        Energy.Add(sample.Potential);
        Volume.Add(sample.Volume);
        if (sample.Pressure is { } pressure) Pressure.Add(pressure);
    }
}

/// <summary>
/// Least squares of the energy on time, one point after another, in constant memory: the slope is the drift, and what is left about the
/// line the fluctuation. Moments are updated about the running means (Welford, Technometrics 4, 419 (1962)).
/// </summary>
internal sealed class EnergyDrift
{
    [JsonInclude]
    public long Count { get; private set; }

    [JsonInclude]
    public double MeanTime { get; private set; }

    [JsonInclude]
    public double MeanEnergy { get; private set; }

    [JsonInclude]
    public double TimeSquares { get; private set; }

    [JsonInclude]
    public double Products { get; private set; }

    [JsonInclude]
    public double EnergySquares { get; private set; }

    /// <summary>Change of the energy per unit of time; null below two different times.</summary>
    [JsonIgnore]
    public double? Slope => TimeSquares > 0 ? Products / TimeSquares : null;

    /// <summary>Root of the mean squared distance from the line; null below three points.</summary>
    [JsonIgnore]
    public double? Fluctuation => Count > 2 && TimeSquares > 0
        ? Math.Sqrt(Math.Max(0, EnergySquares - Products * Products / TimeSquares) / Count)
        : null;

    public void Add(double time, double energy)
    {
        Count++;
        double toTime = time - MeanTime, toEnergy = energy - MeanEnergy;
        MeanTime += toTime / Count;
        MeanEnergy += toEnergy / Count;
        TimeSquares += toTime * (time - MeanTime);
        Products += toTime * (energy - MeanEnergy);
        EnergySquares += toEnergy * (energy - MeanEnergy);
    }
}

/// <summary>Mean and standard deviation of numbers as they come.</summary>
internal sealed class RunningMean
{
    [JsonInclude]
    public long Count { get; private set; }

    [JsonInclude]
    public double Mean { get; private set; }

    [JsonInclude]
    public double Squares { get; private set; }

    /// <summary>Of the numbers seen, with n in the denominator.</summary>
    [JsonIgnore]
    public double Deviation => Count > 0 ? Math.Sqrt(Squares / Count) : 0;

    public void Add(double value)
    {
        Count++;
        double toValue = value - Mean;
        Mean += toValue / Count;
        Squares += toValue * (value - Mean);
    }
}
