namespace ChemScale.Engine.Simulation;

/// <summary>How to run a molecular dynamics; in the units people write.</summary>
public sealed record DynamicsOptions
{
    public Ensemble Ensemble { get; init; } = Ensemble.Nve;

    /// <summary>K: of the first momenta, and of the thermostat.</summary>
    public double Temperature { get; init; } = 300;

    /// <summary>1/ps, of the thermostat.</summary>
    public double Friction { get; init; } = 10;

    /// <summary>fs.</summary>
    public double Timestep { get; init; } = 0.5;

    public long Steps { get; init; } = 1000;

    /// <summary>Steps from one written frame to the next.</summary>
    public long Every { get; init; } = 10;

    /// <summary>Of the first momenta and of the noise.</summary>
    public long Seed { get; init; }

    /// <summary>K: a hotter system has blown up.</summary>
    public double MaximumTemperature { get; init; } = 20_000;

    /// <summary>As many steps as this time takes.</summary>
    /// <param name="picoseconds">ps.</param>
    /// <exception cref="InputException">Less than a step.</exception>
    public DynamicsOptions For(double picoseconds)
    {
        double steps = Math.Round(1000 * picoseconds / Timestep);
        return steps is >= 1 and < 1e15 ? this with { Steps = (long)steps }
            : throw new InputException("time", $"{picoseconds}", $"ps, at least a time step of {Timestep} fs");
    }

    /// <exception cref="InputException">A value out of range.</exception>
    public void Validate()
    {
        Require("timestep", Timestep, Timestep > 0, "a positive number of fs");
        Require("temperature", Temperature, Temperature >= 0, "0 K or more");
        Require("friction", Friction, Friction > 0, "a positive number of 1/ps");
        Require("maximumTemperature", MaximumTemperature, MaximumTemperature > Temperature, $"more than the {Temperature} K asked for");
        Require("steps", Steps, Steps > 0, "1 or more");
        Require("every", Every, Every > 0, "1 or more");
    }

    private static void Require(string key, double value, bool holds, string expected)
    {
        if (!holds || !double.IsFinite(value)) throw new InputException(key, $"{value}", expected);
    }
}

/// <summary>What a dynamics holds constant.</summary>
public enum Ensemble
{
    /// <summary>The energy: velocity Verlet.</summary>
    Nve,

    /// <summary>The temperature, by friction and noise: BAOAB.</summary>
    Langevin,
}
