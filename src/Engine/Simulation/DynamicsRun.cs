using System.Diagnostics;
using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation;

/// <summary>The replicas of a dynamics, in motion: from the start, or from a checkpoint.</summary>
internal sealed class DynamicsRun
{
    private readonly IPotential potential;
    private readonly Frame start;
    private readonly DynamicsOptions options;
    private readonly IIntegrator[] integrators;
    private readonly int degrees;
    private readonly int resumes;
    private readonly double secondsBefore;
    private readonly long builtBefore;
    private readonly string[] doubts;
    private long ticks;

    /// <exception cref="InputException">As the potential has it.</exception>
    public DynamicsRun(IPotential potential, Frame start, DynamicsOptions options, DynamicsCheckpoint? kept)
    {
        this.potential = potential;
        this.start = start;
        this.options = options;
        doubts = [.. potential.Doubts(start)];
        builtBefore = potential.NeighborListBuilds;
        Step = kept?.Step ?? 0;
        resumes = kept is null ? 0 : kept.Resumes + 1;
        secondsBefore = kept?.Seconds ?? 0;
        bool stress = options.Ensemble == Ensemble.Npt;
        States = [.. Enumerable.Range(0, options.Replicas).Select(_ => new MolecularState(start, potential, stress: stress))];
        if (kept is not null)
        {
            for (int r = 0; r < States.Count; r++) Restore(States[r], kept.Replicas[r]);
            MolecularState.EvaluateAll(States);
            degrees = kept.DegreesOfFreedom;
        }
        else
        {
            for (int r = 0; r < States.Count; r++) degrees = Begin(States[r], options.Seed + r);
        }
        integrators = [.. Enumerable.Range(0, options.Replicas).Select(r => Integrator(options.Seed + r))];
        Records = [.. States.Select((state, r) => kept?.Replicas[r].Record ?? Beginning(state))];
    }

    /// <summary>Done.</summary>
    public long Step { get; private set; }

    public IReadOnlyList<MolecularState> States { get; }

    public IReadOnlyList<DynamicsRecord> Records { get; }

    public SimulationProgress Progress => new(Step, options.Steps, Records[0].Last.Total, Records[0].Last.Temperature, States[0].MaximumForce);

    /// <summary>eV/A: of all replicas, now.</summary>
    public double MaximumSpread => States.Max(s => s.MaximumSpread);

    /// <summary>Whether the members of a committee are further apart than was allowed.</summary>
    public bool IsUncertain => options.StopAbove is { } most && MaximumSpread > most;

    private double Seconds => secondsBefore + Stopwatch.GetElapsedTime(0, ticks).TotalSeconds;

    private bool HasStartMomenta => start.Momenta is not null && !options.DrawMomenta;

    /// <summary>Moves all replicas on by a step.</summary>
    /// <exception cref="SimulationFailedException">Numbers that cannot be gone on with.</exception>
    public void Advance()
    {
        long begun = Stopwatch.GetTimestamp();
        try
        {
            for (int r = 0; r < States.Count; r++) integrators[r].Begin(States[r]);
            MolecularState.EvaluateAll(States);
            for (int r = 0; r < States.Count; r++) integrators[r].End(States[r]);
        }
        catch (InputException e)
        {
            // The start was fine: what is wrong now is the simulation's doing, not the user's.
            throw new SimulationFailedException(Step + 1, (Step + 1) * options.Timestep, e.Found);
        }
        Step++;
        for (int r = 0; r < States.Count; r++) Records[r].Add(Sample(States[r], integrators[r].KineticEnergy));
        ticks += Stopwatch.GetTimestamp() - begun;
    }

    /// <param name="written">Bytes of the files of each replica.</param>
    public DynamicsCheckpoint Checkpoint(IReadOnlyList<(long Trajectory, long Thermo)> written) => new()
    {
        Version = DynamicsCheckpoint.Current,
        Potential = potential.Identity,
        Options = options,
        Begun = DynamicsCheckpoint.Beginning.Of(start),
        DegreesOfFreedom = degrees,
        Step = Step,
        Seconds = Seconds,
        Resumes = resumes,
        Replicas = [.. States.Select((state, r) => new DynamicsCheckpoint.Replica
        {
            Positions = DynamicsCheckpoint.Pack(state.Positions),
            Momenta = DynamicsCheckpoint.Pack(state.Momenta),
            Cell = state.Cell is null ? null : DynamicsCheckpoint.Pack(state.Cell),
            Record = Records[r],
            TrajectoryBytes = written[r].Trajectory,
            ThermoBytes = written[r].Thermo,
        })],
    };

    public DynamicsSummary Summary(int replica, string folder)
    {
        DynamicsRecord record = Records[replica];
        bool constantEnergy = !options.IsThermal, hasCell = States[replica].HasStress;
        var summary = new DynamicsSummary
        {
            Folder = folder,
            Ensemble = options.Ensemble,
            End = IsUncertain ? SimulationEnd.Uncertain : Step == options.Steps ? SimulationEnd.Steps : SimulationEnd.Stopped,
            LastForceSpread = States[replica].MaximumSpread,
            Atoms = start.Atoms,
            DegreesOfFreedom = degrees,
            Steps = Step,
            TimestepFs = options.Timestep,
            TimeFs = record.Last.TimeFs,
            Temperature = options.Temperature,
            StartMomenta = HasStartMomenta,
            Friction = constantEnergy ? null : options.Friction,
            Pressure = hasCell ? options.Pressure : null,
            Seed = options.Seed + replica,
            MeanTemperature = record.Temperature.Mean,
            TemperatureDeviation = record.Temperature.Deviation,
            MeanPotentialEnergy = record.Energy.Mean,
            MeanPressure = hasCell ? record.Pressure.Mean : null,
            MeanVolume = hasCell ? record.Volume.Mean : null,
            VolumeDeviation = hasCell ? record.Volume.Deviation : null,
            FirstTotalEnergy = record.First.Total,
            LastTotalEnergy = record.Last.Total,
            DriftMeVPerAtomPerPs = constantEnergy ? 1000 * record.Drift.Slope / start.Atoms : null,
            FluctuationMeVPerAtom = constantEnergy ? 1000 * record.Drift.Fluctuation / start.Atoms : null,
            NeighborListBuilds = potential.NeighborListBuilds - builtBefore,
            Resumes = resumes,
            Seconds = Seconds,
        };
        return summary with { Warnings = [.. doubts, .. DynamicsDoubts.Of(summary, record.First.Temperature, record.FirstForce)] };
    }

    /// <summary>Of several replicas.</summary>
    public DynamicsSummary Mean(IReadOnlyList<DynamicsSummary> all, string folder) => all[0] with
    {
        Folder = folder,
        MeanTemperature = all.Average(s => s.MeanTemperature),
        TemperatureDeviation = Math.Sqrt(all.Average(s => s.TemperatureDeviation * s.TemperatureDeviation)),
        MeanPotentialEnergy = all.Average(s => s.MeanPotentialEnergy),
        MeanPressure = all.Average(s => s.MeanPressure),
        MeanVolume = all.Average(s => s.MeanVolume),
        VolumeDeviation = all.Average(s => s.VolumeDeviation),
        FirstTotalEnergy = all.Average(s => s.FirstTotalEnergy),
        LastTotalEnergy = all.Average(s => s.LastTotalEnergy),
        DriftMeVPerAtomPerPs = all.Average(s => s.DriftMeVPerAtomPerPs),
        FluctuationMeVPerAtom = all.Average(s => s.FluctuationMeVPerAtom),
        Warnings = [.. all.SelectMany((s, r) => s.Warnings.Select(w => doubts.Contains(w) ? w : $"replica {r}: {w}")).Distinct()],
        Replicas = all,
    };

    /// <summary>Sets a state in motion.</summary>
    /// <returns>Degrees of freedom that move.</returns>
    private int Begin(MolecularState state, long seed)
    {
        int free = 3 * state.FreeAtoms;
        if (HasStartMomenta)
        {
            start.Momenta!.CopyTo(state.Momenta, 0);
            state.Hold(state.Momenta);
            return options.IsThermal ? free : free - InitialMomenta.Still(state);
        }
        InitialMomenta.Draw(state, options.Temperature * MechanicalUnits.Boltzmann, seed);
        state.Hold(state.Momenta);
        // Fixed atoms are a frame of reference: what is free may move against it.
        if (options.IsThermal || state.FreeAtoms < state.Atoms) return free;
        int stopped = InitialMomenta.StopTranslation(state);
        if (!state.IsPeriodic) stopped += InitialMomenta.StopRotation(state);
        return free - stopped;
    }

    private static void Restore(MolecularState state, DynamicsCheckpoint.Replica kept)
    {
        DynamicsCheckpoint.Unpack(kept.Positions).CopyTo(state.Positions, 0);
        DynamicsCheckpoint.Unpack(kept.Momenta).CopyTo(state.Momenta, 0);
        state.Cell = kept.Cell is null ? null : DynamicsCheckpoint.Unpack(kept.Cell);
    }

    private DynamicsRecord Beginning(MolecularState state)
    {
        DynamicsSample first = Sample(state, state.KineticEnergy);
        var record = new DynamicsRecord { First = first, FirstForce = state.MaximumForce };
        record.Add(first);
        return record;
    }

    private IIntegrator Integrator(long seed)
    {
        double timestep = options.Timestep * MechanicalUnits.Femtosecond, thermal = options.Temperature * MechanicalUnits.Boltzmann;
        if (options.Ensemble == Ensemble.Nve) return new VelocityVerlet(timestep);
        CellRescaling? barostat = options.Ensemble != Ensemble.Npt ? null : new CellRescaling(
            options.Pressure * MechanicalUnits.Gigapascal, thermal, options.Compressibility / MechanicalUnits.Gigapascal / (options.PressureTime * MechanicalUnits.Picosecond),
            options.Barostat == Barostat.Anisotropic);
        return new LangevinBaoab(timestep, thermal, options.Friction / MechanicalUnits.Picosecond, seed, Step, barostat);
    }

    /// <exception cref="SimulationFailedException">Numbers that cannot be gone on with.</exception>
    private DynamicsSample Sample(MolecularState state, double kinetic)
    {
        double temperature = degrees > 0 ? 2 * kinetic / (degrees * MechanicalUnits.Boltzmann) : 0;
        double? pressure = state.HasStress && state.Pressure is { } p ? (p[0] + p[4] + p[8]) / 3 / MechanicalUnits.Gigapascal : null;
        var sample = new DynamicsSample(Step, Step * options.Timestep, state.PotentialEnergy, kinetic, temperature, state.HasStress ? state.Volume : 0, pressure);
        string? wrong = null;
        if (!double.IsFinite(sample.Total) || !double.IsFinite(state.MaximumForce) || !double.IsFinite(pressure ?? 0))
            wrong = $"energy {sample.Potential} eV, greatest force {state.MaximumForce} eV/A";
        else if (temperature > options.MaximumTemperature)
            wrong = $"temperature {temperature:G4} K, above the bound of {options.MaximumTemperature:G6} K";
        return wrong is null ? sample : throw new SimulationFailedException(Step, sample.TimeFs, wrong);
    }
}
