using System.Globalization;
using ChemScale.Engine.Atoms.Formats.ExtXyz;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// The files of a dynamics, flushed with every frame. The trajectory has energy and forces as labels (and stress, with a barostat), momenta as a column
/// (ASE's units), and step, time_fs, kinetic_energy (eV) and temperature (K) as further keys.
/// </summary>
internal sealed class DynamicsWriter : IDisposable
{
    private readonly SimulationFolder.GrowingText trajectory;
    private readonly SimulationFolder.GrowingText thermo;
    private readonly ExtXyzWriter frames;
    private readonly bool hasCell;

    /// <param name="folder">Prepared.</param>
    /// <param name="kept">Bytes of both files that stay.</param>
    /// <param name="hasCell">Whether volume and pressure are told of.</param>
    public DynamicsWriter(SimulationFolder folder, (long Trajectory, long Thermo) kept, bool hasCell)
    {
        this.hasCell = hasCell;
        trajectory = folder.Open(SimulationFolder.Trajectory, kept.Trajectory);
        try
        {
            thermo = folder.Open(SimulationFolder.Thermo, kept.Thermo);
        }
        catch
        {
            trajectory.Dispose();
            throw;
        }
        frames = new ExtXyzWriter(trajectory);
        if (kept.Thermo == 0) thermo.Write($"step,time_fs,potential_eV,kinetic_eV,total_eV,temperature_K{(hasCell ? ",volume_A3,pressure_GPa" : "")}\n");
    }

    public void Write(MolecularState state, DynamicsSample sample)
    {
        frames.Write(
            state.Frame(),
            new Dictionary<string, double>
            {
                ["step"] = sample.Step,
                ["time_fs"] = sample.TimeFs,
                ["kinetic_energy"] = sample.Kinetic,
                ["temperature"] = sample.Temperature,
            },
            new Dictionary<string, double[]> { ["momenta"] = state.Momenta });
        double[] numbers = [sample.TimeFs, sample.Potential, sample.Kinetic, sample.Total, sample.Temperature];
        if (hasCell) numbers = [.. numbers, sample.Volume, sample.Pressure ?? double.NaN];
        thermo.Write($"{sample.Step},{string.Join(',', numbers.Select(x => x.ToString("R", CultureInfo.InvariantCulture)))}\n");
        trajectory.Flush();
        thermo.Flush();
    }

    /// <summary>Everything is on the medium.</summary>
    /// <returns>Bytes of both files.</returns>
    public (long Trajectory, long Thermo) Complete() => (trajectory.Complete(), thermo.Complete());

    public void Dispose()
    {
        trajectory.Dispose();
        thermo.Dispose();
    }
}
