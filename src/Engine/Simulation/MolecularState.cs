using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation;

/// <summary>Atoms in motion on an energy surface: what an integrator moves. Units are those of <see cref="MechanicalUnits"/>.</summary>
internal sealed class MolecularState
{
    private readonly IPotential potential;
    private readonly Frame start;

    /// <param name="start">Elements, first positions, cell and charge; at rest.</param>
    /// <param name="potential">Evaluated here and once a step.</param>
    /// <param name="masses">(atoms) amu; null: those of the elements.</param>
    /// <exception cref="InputException">As the potential has it.</exception>
    public MolecularState(Frame start, IPotential potential, double[]? masses = null)
    {
        this.potential = potential;
        this.start = start;
        Masses = masses ?? AtomicMasses.Of(start.AtomicNumbers);
        Positions = [.. start.Positions];
        Momenta = new double[Positions.Length];
        Forces = [];
        Evaluate();
    }

    public int Atoms => Masses.Length;

    /// <summary>True where at least one direction repeats.</summary>
    public bool IsPeriodic => start.IsPeriodic;

    /// <summary>(atoms) amu.</summary>
    public double[] Masses { get; }

    /// <summary>(atoms, 3) A; never wrapped.</summary>
    public double[] Positions { get; }

    /// <summary>(atoms, 3) sqrt(amu eV).</summary>
    public double[] Momenta { get; }

    /// <summary>(atoms, 3) eV/A at the positions of the last evaluation.</summary>
    public double[] Forces { get; private set; }

    /// <summary>eV at the positions of the last evaluation.</summary>
    public double PotentialEnergy { get; private set; }

    /// <summary>eV.</summary>
    public double KineticEnergy
    {
        get
        {
            double sum = 0;
            for (int i = 0; i < Momenta.Length; i++) sum += Momenta[i] * Momenta[i] / Masses[i / 3];
            return sum / 2;
        }
    }

    /// <summary>eV/A: the longest force on an atom.</summary>
    public double MaximumForce
    {
        get
        {
            double most = 0;
            for (int i = 0; i < Forces.Length; i += 3)
            {
                double square = Forces[i] * Forces[i] + Forces[i + 1] * Forces[i + 1] + Forces[i + 2] * Forces[i + 2];
                // Not Math.Max alone: a NaN must be seen.
                most = double.IsNaN(square) ? double.NaN : Math.Max(most, square);
            }
            return Math.Sqrt(most);
        }
    }

    /// <summary>Momenta gain force times time.</summary>
    public void Kick(double time)
    {
        for (int i = 0; i < Momenta.Length; i++) Momenta[i] += time * Forces[i];
    }

    /// <summary>Positions gain velocity times time; energy and forces are stale until evaluated.</summary>
    public void Drift(double time)
    {
        for (int i = 0; i < Positions.Length; i++) Positions[i] += time * Momenta[i] / Masses[i / 3];
    }

    /// <summary>Energy and forces where the atoms are.</summary>
    public void Evaluate()
    {
        FramePrediction prediction = potential.Evaluate(start with { Positions = [.. Positions] });
        PotentialEnergy = prediction.Energy;
        Forces = prediction.Forces;
    }

    /// <summary>The atoms as they are, with energy and forces; a copy.</summary>
    public Frame Frame() => start with
    {
        Positions = [.. Positions],
        Energy = PotentialEnergy,
        Forces = [.. Forces],
        Stress = null,
        Keys = null,
    };
}

/// <summary>
/// Inside, everything is in Angstrom, eV and amu. The unit of time that follows is A sqrt(amu/eV), 10.18 fs; that of momentum is
/// sqrt(amu eV), the same as ASE's. CODATA 2018.
/// </summary>
internal static class MechanicalUnits
{
    private static readonly PhysicalConstants Constants = PhysicalConstants.Codata2018;

    /// <summary>A femtosecond in units of time.</summary>
    public static double Femtosecond { get; } = 1e-15 / (1e-10 * Math.Sqrt(Constants.AtomicMass / Constants.ElementaryCharge));

    public static double Picosecond => 1000 * Femtosecond;

    /// <summary>eV/K.</summary>
    public static double Boltzmann => Constants.BoltzmannInElectronVolts;
}
