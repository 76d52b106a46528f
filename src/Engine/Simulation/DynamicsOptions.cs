using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation;

/// <summary>How to run a molecular dynamics; in the units people write.</summary>
public sealed record DynamicsOptions
{
    public Ensemble Ensemble { get; init; } = Ensemble.Nve;

    /// <summary>K: of momenta that are drawn, and of the thermostat.</summary>
    public double Temperature { get; init; } = 300;

    /// <summary>1/ps, of the thermostat.</summary>
    public double Friction { get; init; } = 10;

    /// <summary>GPa, of the barostat; positive pushes inwards.</summary>
    public double Pressure { get; init; } = 1e-4;

    /// <summary>What of the cell the barostat changes.</summary>
    public Barostat Barostat { get; init; } = Barostat.Isotropic;

    /// <summary>ps in which the pressure settles, as far as the compressibility is right.</summary>
    public double PressureTime { get; init; } = 1;

    /// <summary>1/GPa: about that of the system (water 0.45, argon near its melting point 2, silicon 0.01). Only how fast the pressure settles depends on it.</summary>
    public double Compressibility { get; init; } = 0.45;

    /// <summary>fs.</summary>
    public double Timestep { get; init; } = 0.5;

    public long Steps { get; init; } = 1000;

    /// <summary>Steps from one written frame to the next.</summary>
    public long Every { get; init; } = 10;

    /// <summary>Of momenta that are drawn and of the noise. Replica n has this plus n.</summary>
    public long Seed { get; init; }

    /// <summary>Runs side by side, evaluated together, that differ in their seeds.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Whether momenta are drawn even where the start has some.</summary>
    public bool DrawMomenta { get; init; }

    /// <summary>K: a hotter system has blown up.</summary>
    public double MaximumTemperature { get; init; } = 20_000;

    /// <summary>eV/A: the run ends where the forces of a committee's members on an atom are further apart; null: it goes on.</summary>
    public double? StopAbove { get; init; }

    /// <summary>Whether there is a thermostat.</summary>
    internal bool IsThermal => Ensemble != Ensemble.Nve;

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
        Require("replicas", Replicas, Replicas is > 0 and <= 10_000, "1 to 10000");
        Require("stopAbove", StopAbove ?? 1, StopAbove is not <= 0, "a positive number of eV/A");
        Require("pressure", Pressure, double.IsFinite(Pressure), "a number of GPa");
        Require("pressureTime", PressureTime, PressureTime > 0, "a positive number of ps");
        Require("compressibility", Compressibility, Compressibility > 0, "a positive number of 1/GPa");
    }

    /// <exception cref="InputException">The start allows no such dynamics.</exception>
    internal void Validate(Frame start)
    {
        StartFrame.RequireKnownMask(start);
        if (start.UnknownMotion is "velocities" or "velocity" or "velo" or "vel" && start.Momenta is null && !DrawMomenta)
        {
            throw new InputException(start.Place, $"'{start.UnknownMotion}', in a unit that the file does not say", "momenta in sqrt(amu eV), as ASE writes them",
                "`drawMomenta` leaves them aside");
        }
        if (start.Momenta is { } momenta && (momenta.Length != start.Positions.Length || !momenta.All(double.IsFinite)))
            throw new InputException($"{start.Place}: momenta", "missing or no numbers", "three for each atom");
        if (start.Fixed?.All(held => held) == true) throw new InputException(start.Place, "every atom is fixed", "one that may move");
        if (Ensemble != Ensemble.Npt) return;
        if (!start.Periodic.All(repeats => repeats))
        {
            throw new InputException(start.Place, start.Cell is null ? "no cell" : "a cell that does not repeat in all directions",
                "one that does, for a pressure", "use another `ensemble`");
        }
        if (start.Fixed?.Contains(true) == true) throw new InputException(start.Place, "fixed atoms", "none, for a pressure: positions go with the cell");
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

    /// <summary>Temperature and pressure: the same with stochastic cell rescaling.</summary>
    Npt,
}

/// <summary>What of a cell a barostat changes.</summary>
public enum Barostat
{
    /// <summary>The volume.</summary>
    Isotropic,

    /// <summary>Lengths and angles.</summary>
    Anisotropic,
}
