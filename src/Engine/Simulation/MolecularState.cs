using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Models.ForceFields;

namespace ChemScale.Engine.Simulation;

/// <summary>Atoms in motion on an energy surface: what an integrator moves. Units are those of <see cref="MechanicalUnits"/>.</summary>
internal sealed class MolecularState
{
    private readonly IPotential potential;
    private readonly Frame start;
    private readonly bool[]? held;

    /// <param name="start">Elements, first positions, cell and charge; at rest. Atoms that it holds fixed stay where they are.</param>
    /// <param name="potential">Evaluated here and once a step.</param>
    /// <param name="masses">(atoms) amu; null: those of the elements.</param>
    /// <param name="stress">Whether the stress is wanted too, of a periodic frame.</param>
    /// <exception cref="InputException">As the potential has it.</exception>
    public MolecularState(Frame start, IPotential potential, double[]? masses = null, bool stress = false)
    {
        this.potential = potential;
        this.start = start;
        held = start.Fixed?.Contains(true) == true ? start.Fixed : null;
        Masses = masses ?? AtomicMasses.Of(start.AtomicNumbers);
        Positions = [.. start.Positions];
        Momenta = new double[Positions.Length];
        Cell = start.Cell;
        Forces = [];
        HasStress = stress && IsPeriodic;
        Evaluate();
    }

    public int Atoms => Masses.Length;

    /// <summary>True where at least one direction repeats.</summary>
    public bool IsPeriodic => start.IsPeriodic;

    /// <summary>Atoms that may move.</summary>
    public int FreeAtoms => held is null ? Atoms : held.Count(h => !h);

    /// <summary>(atoms) amu.</summary>
    public double[] Masses { get; }

    /// <summary>(atoms, 3) A; never wrapped.</summary>
    public double[] Positions { get; }

    /// <summary>(atoms, 3) sqrt(amu eV).</summary>
    public double[] Momenta { get; }

    /// <summary>(3, 3) A, rows are lattice vectors; null where there is none. Replaced, never written into.</summary>
    public double[]? Cell { get; set; }

    /// <summary>A^3; 0 without a cell.</summary>
    public double Volume => Cell is { } cell ? Math.Abs(CellGeometry.Determinant(cell)) : 0;

    /// <summary>(atoms, 3) eV/A at the positions of the last evaluation, of fixed atoms too.</summary>
    public double[] Forces { get; private set; }

    /// <summary>Whether evaluations give the stress.</summary>
    public bool HasStress { get; }

    /// <summary>(3, 3) eV/A^3, positive where the frame pulls inwards; null where not asked for.</summary>
    public double[]? Stress { get; private set; }

    /// <summary>eV/A: the greatest spread of a committee's forces on an atom; 0 of a single model.</summary>
    public double MaximumSpread { get; private set; }

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

    /// <summary>eV/A: the longest force on an atom that may move.</summary>
    public double MaximumForce
    {
        get
        {
            double most = 0;
            for (int i = 0; i < Forces.Length; i += 3)
            {
                if (held is not null && held[i / 3]) continue;
                double square = Forces[i] * Forces[i] + Forces[i + 1] * Forces[i + 1] + Forces[i + 2] * Forces[i + 2];
                // Not Math.Max alone: a NaN must be seen.
                most = double.IsNaN(square) ? double.NaN : Math.Max(most, square);
            }
            return Math.Sqrt(most);
        }
    }

    /// <summary>eV/A^3: the pressure tensor, (3, 3): what momenta carry, less the stress. Needs a stress.</summary>
    public double[] Pressure
    {
        get
        {
            double[] pressure = new double[9];
            double volume = Volume;
            for (int i = 0; i < Momenta.Length; i += 3)
            {
                double weight = 1 / (Masses[i / 3] * volume);
                for (int a = 0; a < 3; a++)
                    for (int b = 0; b < 3; b++) pressure[3 * a + b] += weight * Momenta[i + a] * Momenta[i + b];
            }
            for (int k = 0; k < 9; k++) pressure[k] -= Stress![k];
            return pressure;
        }
    }

    public bool IsFixed(int atom) => held is not null && held[atom];

    /// <summary>Momenta gain force times time.</summary>
    public void Kick(double time)
    {
        for (int i = 0; i < Momenta.Length; i++) Momenta[i] += time * Forces[i];
        Hold(Momenta);
    }

    /// <summary>Positions gain velocity times time; energy and forces are stale until evaluated.</summary>
    public void Drift(double time)
    {
        for (int i = 0; i < Positions.Length; i++) Positions[i] += time * Momenta[i] / Masses[i / 3];
    }

    /// <summary>Sets what belongs to fixed atoms to zero.</summary>
    /// <param name="vectors">(atoms, 3)</param>
    public void Hold(double[] vectors)
    {
        for (int i = 0; held is not null && i < held.Length; i++)
            if (held[i]) vectors.AsSpan(3 * i, 3).Clear();
    }

    /// <summary>Energy and forces where the atoms are.</summary>
    public void Evaluate() => Take(potential.Evaluate(Geometry(), HasStress));

    /// <summary>The same of several states on one surface, together.</summary>
    public static void EvaluateAll(IReadOnlyList<MolecularState> states)
    {
        if (states.Count == 1)
        {
            states[0].Evaluate();
            return;
        }
        IReadOnlyList<FramePrediction> predictions = states[0].potential.EvaluateAll([.. states.Select(s => s.Geometry())], states[0].HasStress);
        for (int i = 0; i < states.Count; i++) states[i].Take(predictions[i]);
    }

    /// <summary>The atoms as they are, with energy and forces; a copy.</summary>
    public Frame Frame() => Geometry() with
    {
        Energy = PotentialEnergy,
        Forces = [.. Forces],
        Stress = Stress,
        Momenta = null,
        Keys = null,
    };

    private Frame Geometry() => start with { Positions = [.. Positions], Cell = Cell };

    private void Take(FramePrediction prediction)
    {
        PotentialEnergy = prediction.Energy;
        Forces = prediction.Forces;
        MaximumSpread = prediction.ForceSpreads?.Max() ?? 0;
        if (HasStress) Stress = prediction.Stress;
    }
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

    /// <summary>eV/A^3.</summary>
    public static double Gigapascal => Constants.Gigapascal;

    /// <summary>eV/K.</summary>
    public static double Boltzmann => Constants.BoltzmannInElectronVolts;
}
