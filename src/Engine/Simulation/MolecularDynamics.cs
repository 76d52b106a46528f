using System.Diagnostics;
using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Runs a molecular dynamics. At constant energy the first momenta have neither translation nor, where nothing repeats, rotation, and what
/// is stopped does not count in the temperature; a thermostat moves everything, so all three degrees of freedom of every atom count.
/// </summary>
public static class MolecularDynamics
{
    /// <param name="potential">Evaluated once a step.</param>
    /// <param name="start">Its positions, cell and charge; at rest.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Receives the files of <see cref="SimulationFolder"/>.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stop">Ends the run after a whole step; all files are complete then too.</param>
    /// <exception cref="InputException">Options, a frame or a folder that will not do; nothing is written.</exception>
    /// <exception cref="SimulationFailedException">It blew up; what was written until then stays.</exception>
    public static DynamicsSummary Run(IPotential potential, Frame start, DynamicsOptions options, SimulationFolder folder,
        IProgress<SimulationProgress>? progress = null, CancellationToken stop = default)
    {
        options.Validate();
        var state = new MolecularState(start, potential);
        int degrees = Begin(state, options);
        IIntegrator integrator = Integrator(options);
        var drift = new EnergyDrift();
        RunningMean temperature = new(), energy = new();
        DynamicsSample first = Sample(state, 0, degrees, options), last = first;
        long started;
        using (var writer = new DynamicsWriter(folder))
        {
            Record(first);
            writer.Write(state, first);
            started = Stopwatch.GetTimestamp();
            while (last.Step < options.Steps && !stop.IsCancellationRequested)
            {
                last = Next(state, integrator, last, degrees, options);
                Record(last);
                if (last.Step % options.Every == 0 || last.Step == options.Steps) writer.Write(state, last);
                progress?.Report(new SimulationProgress(last.Step, options.Steps, last.Total, last.Temperature, state.MaximumForce));
            }
            writer.Complete();
        }
        bool constantEnergy = options.Ensemble == Ensemble.Nve;
        var summary = new DynamicsSummary
        {
            Folder = folder.Path,
            Ensemble = options.Ensemble,
            End = last.Step == options.Steps ? SimulationEnd.Steps : SimulationEnd.Stopped,
            Atoms = state.Atoms,
            DegreesOfFreedom = degrees,
            Steps = last.Step,
            TimestepFs = options.Timestep,
            TimeFs = last.TimeFs,
            Temperature = options.Temperature,
            Friction = constantEnergy ? null : options.Friction,
            Seed = options.Seed,
            MeanTemperature = temperature.Mean,
            TemperatureDeviation = temperature.Deviation,
            MeanPotentialEnergy = energy.Mean,
            FirstTotalEnergy = first.Total,
            LastTotalEnergy = last.Total,
            DriftMeVPerAtomPerPs = constantEnergy ? 1000 * drift.Slope / state.Atoms : null,
            FluctuationMeVPerAtom = constantEnergy ? 1000 * drift.Fluctuation / state.Atoms : null,
            Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds,
        };
        folder.WriteSummary(summary);
        return summary;

        void Record(DynamicsSample sample)
        {
            drift.Add(sample.TimeFs / 1000, sample.Total);
            temperature.Add(sample.Temperature);
            energy.Add(sample.Potential);
        }
    }

    /// <summary>Sets the state in motion.</summary>
    /// <returns>Degrees of freedom that move.</returns>
    private static int Begin(MolecularState state, DynamicsOptions options)
    {
        InitialMomenta.Draw(state, options.Temperature * MechanicalUnits.Boltzmann, options.Seed);
        if (options.Ensemble == Ensemble.Langevin) return 3 * state.Atoms;
        int stopped = InitialMomenta.StopTranslation(state);
        if (!state.IsPeriodic) stopped += InitialMomenta.StopRotation(state);
        return 3 * state.Atoms - stopped;
    }

    private static IIntegrator Integrator(DynamicsOptions options)
    {
        double timestep = options.Timestep * MechanicalUnits.Femtosecond;
        return options.Ensemble == Ensemble.Nve
            ? new VelocityVerlet(timestep)
            : new LangevinBaoab(
                timestep, options.Temperature * MechanicalUnits.Boltzmann, options.Friction / MechanicalUnits.Picosecond, options.Seed);
    }

    private static DynamicsSample Next(
        MolecularState state, IIntegrator integrator, DynamicsSample before, int degrees, DynamicsOptions options)
    {
        try
        {
            integrator.Step(state);
        }
        catch (InputException e)
        {
            // The start was fine: what is wrong now is the simulation's doing, not the user's.
            throw new SimulationFailedException(before.Step + 1, (before.Step + 1) * options.Timestep, e.Found);
        }
        return Sample(state, before.Step + 1, degrees, options);
    }

    /// <exception cref="SimulationFailedException">Numbers that cannot be gone on with.</exception>
    private static DynamicsSample Sample(MolecularState state, long step, int degrees, DynamicsOptions options)
    {
        double kinetic = state.KineticEnergy, temperature = degrees > 0 ? 2 * kinetic / (degrees * MechanicalUnits.Boltzmann) : 0;
        var sample = new DynamicsSample(step, step * options.Timestep, state.PotentialEnergy, kinetic, temperature);
        string? wrong = null;
        if (!double.IsFinite(sample.Total) || !double.IsFinite(state.MaximumForce))
            wrong = $"energy {sample.Potential} eV, greatest force {state.MaximumForce} eV/A";
        else if (temperature > options.MaximumTemperature)
            wrong = $"temperature {temperature:G4} K, above the bound of {options.MaximumTemperature:G6} K";
        return wrong is null ? sample : throw new SimulationFailedException(step, sample.TimeFs, wrong);
    }
}

/// <summary>
/// Least squares of the energy on time, one point after another, in constant memory: the slope is the drift, and what is left about the
/// line the fluctuation. Moments are updated about the running means (Welford, Technometrics 4, 419 (1962)).
/// </summary>
internal sealed class EnergyDrift
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

/// <summary>Mean and standard deviation of numbers as they come.</summary>
internal sealed class RunningMean
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
