using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Numerics.Optimization;

namespace ChemScale.Engine.Simulation;

/// <summary>
/// Harmonic vibrations of a frame at a minimum: the Hessian by central differences of forces, two evaluations for each coordinate, and the eigenvalues of
/// it over the roots of the masses. Fixed atoms are left out.
/// </summary>
public sealed record Vibrations
{
    /// <summary>A: each coordinate is moved by so much both ways.</summary>
    public const double DefaultStep = 0.01;

    // Displaced frames evaluated together.
    private const int Together = 32;

    /// <summary>The atoms that moved, by their numbers.</summary>
    public required IReadOnlyList<int> Atoms { get; init; }

    /// <summary>(3 atoms, 3 atoms) eV/A^2, symmetric: the mean of itself and its transpose.</summary>
    public required double[] Hessian { get; init; }

    /// <summary>eV/A^2: the greatest difference of the Hessian before that from its transpose; large where the step is, or the surface is rough.</summary>
    public required double Asymmetry { get; init; }

    /// <summary>(modes) 1/cm, ascending; negative for imaginary ones: there the surface bends downwards.</summary>
    public required double[] Wavenumbers { get; init; }

    /// <summary>(modes, atoms, 3) A, each of length 1: how the atoms move.</summary>
    public required double[] Modes { get; init; }

    /// <summary>eV, of the frame itself.</summary>
    public required double Energy { get; init; }

    /// <summary>eV/A, of the frame itself: what it lacks of a minimum.</summary>
    public required double MaximumForce { get; init; }

    /// <param name="potential">Evaluated once for the frame and twice for each coordinate.</param>
    /// <param name="frame">At a minimum, or a saddle point.</param>
    /// <param name="step">A</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="InputException">A step out of range, nothing that may move, or what the potential says.</exception>
    public static Vibrations Of(IPotential potential, Frame frame, double step = DefaultStep, CancellationToken stop = default)
    {
        if (!(step > 0 && step < 1)) throw new InputException("step", $"{step}", "more than 0, less than 1 A");
        int[] atoms = [.. Enumerable.Range(0, frame.Atoms).Where(i => frame.Fixed?[i] != true)];
        if (atoms.Length == 0) throw new InputException(frame.Place, "every atom is fixed", "one that may move");
        int n = 3 * atoms.Length;
        var state = new MolecularState(frame, potential);
        double[] hessian = new double[n * n];
        for (int first = 0; first < n; first += Together)
        {
            stop.ThrowIfCancellationRequested();
            int count = Math.Min(Together, n - first);
            Frame[] moved = [.. Enumerable.Range(first, count).SelectMany(k => (Frame[])[Moved(frame, atoms, k, step), Moved(frame, atoms, k, -step)])];
            IReadOnlyList<Models.ForceFields.FramePrediction> found = potential.EvaluateAll(moved);
            for (int k = 0; k < count; k++)
            {
                double[] up = found[2 * k].Forces, down = found[2 * k + 1].Forces;
                for (int j = 0; j < n; j++) hessian[(first + k) * n + j] = (down[3 * atoms[j / 3] + j % 3] - up[3 * atoms[j / 3] + j % 3]) / (2 * step);
            }
        }
        if (!hessian.All(double.IsFinite)) throw new InputException(frame.Place, "forces that are no numbers", "a frame that the model describes");
        double asymmetry = 0;
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < i; j++)
            {
                asymmetry = Math.Max(asymmetry, Math.Abs(hessian[i * n + j] - hessian[j * n + i]));
                hessian[i * n + j] = hessian[j * n + i] = (hessian[i * n + j] + hessian[j * n + i]) / 2;
            }
        }
        (double[] wavenumbers, double[] modes) = Diagonal(hessian, [.. atoms.Select(i => state.Masses[i])]);
        return new Vibrations
        {
            Atoms = atoms,
            Hessian = hessian,
            Asymmetry = asymmetry,
            Wavenumbers = wavenumbers,
            Modes = modes,
            Energy = state.PotentialEnergy,
            MaximumForce = state.MaximumForce,
        };
    }

    private static Frame Moved(Frame frame, int[] atoms, int coordinate, double by)
    {
        double[] positions = [.. frame.Positions];
        positions[3 * atoms[coordinate / 3] + coordinate % 3] += by;
        return frame with { Positions = positions };
    }

    private static (double[] Wavenumbers, double[] Modes) Diagonal(double[] hessian, double[] masses)
    {
        int n = 3 * masses.Length;
        double[] matrix = new double[n * n], vectors = new double[n * n];
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) matrix[i * n + j] = hessian[i * n + j] / Math.Sqrt(masses[i / 3] * masses[j / 3]);
        SymmetricEigen.Decompose(matrix, vectors, n);
        int[] order = [.. Enumerable.Range(0, n).OrderBy(k => matrix[k * n + k])];
        double[] modes = new double[n * n];
        for (int m = 0; m < n; m++)
        {
            double length = 0;
            for (int i = 0; i < n; i++)
            {
                double x = vectors[i * n + order[m]] / Math.Sqrt(masses[i / 3]);
                modes[m * n + i] = x;
                length += x * x;
            }
            for (int i = 0; i < n; i++) modes[m * n + i] /= Math.Sqrt(length);
        }
        return ([.. order.Select(k => Wavenumber(matrix[k * n + k]))], modes);
    }

    /// <summary>1/cm, of an eigenvalue in eV/A^2/amu.</summary>
    private static double Wavenumber(double eigenvalue)
    {
        double perSecond = Math.Sqrt(Math.Abs(eigenvalue)) * MechanicalUnits.Femtosecond * 1e15;
        return Math.Sign(eigenvalue) * perSecond / (2 * Math.PI * 100 * PhysicalConstants.SpeedOfLight);
    }
}

/// <summary>
/// Thermodynamics of an ideal gas of molecules in the rigid-rotor, harmonic-oscillator approximation (Cramer, Essentials of Computational Chemistry, 2nd ed.,
/// chapter 10), as ASE's IdealGasThermo has it.
/// </summary>
public sealed record IdealGasThermochemistry
{
    /// <summary>A principal moment of inertia below this share of the largest is that of a line of atoms about itself.</summary>
    private const double Straight = 1e-6;

    /// <summary>K</summary>
    public required double Temperature { get; init; }

    /// <summary>Pa</summary>
    public required double Pressure { get; init; }

    /// <summary>Rotations that leave the molecule as it is: 1 for most, 2 for water, 12 for methane and benzene.</summary>
    public required int SymmetryNumber { get; init; }

    /// <summary>Unpaired electrons.</summary>
    public required int UnpairedElectrons { get; init; }

    /// <summary>Whether all atoms lie on a line: then it turns about two axes, a single atom about none.</summary>
    public required bool IsLinear { get; init; }

    /// <summary>1/cm: those that count, ascending; without the 5 or 6 nearest to zero, which are translation and rotation.</summary>
    public required double[] Wavenumbers { get; init; }

    /// <summary>Imaginary ones among them, which count for nothing: the frame is no minimum.</summary>
    public required int ImaginaryModes { get; init; }

    /// <summary>eV: half a quantum of each mode.</summary>
    public required double ZeroPointEnergy { get; init; }

    /// <summary>eV: energy, zero-point energy, what is thermal, and k T.</summary>
    public required double Enthalpy { get; init; }

    /// <summary>eV/K</summary>
    public required double Entropy { get; init; }

    /// <summary>eV: H - T S.</summary>
    public double FreeEnergy => Enthalpy - Temperature * Entropy;

    /// <param name="vibrations">Of the whole molecule.</param>
    /// <param name="frame">The molecule: without a cell that repeats, none of its atoms fixed.</param>
    /// <param name="temperature">K</param>
    /// <param name="pressure">Pa</param>
    /// <param name="symmetryNumber">See <see cref="SymmetryNumber"/>.</param>
    /// <param name="unpairedElectrons">See <see cref="UnpairedElectrons"/>.</param>
    /// <exception cref="InputException">A frame that is no free molecule, or values out of range.</exception>
    public static IdealGasThermochemistry Of(
        Vibrations vibrations, Frame frame, double temperature = 298.15, double pressure = 101325, int symmetryNumber = 1, int unpairedElectrons = 0)
    {
        if (frame.IsPeriodic) throw new InputException(frame.Place, "a periodic frame", "a free molecule, for the thermodynamics of a gas");
        if (vibrations.Atoms.Count < frame.Atoms) throw new InputException(frame.Place, "fixed atoms", "none, for the thermodynamics of a gas");
        if (!(temperature > 0) || !double.IsFinite(temperature)) throw new InputException("temperature", $"{temperature}", "a positive number of K");
        if (!(pressure > 0) || !double.IsFinite(pressure)) throw new InputException("pressure", $"{pressure}", "a positive number of Pa");
        if (symmetryNumber < 1) throw new InputException("symmetryNumber", $"{symmetryNumber}", "1 or more");
        if (unpairedElectrons < 0) throw new InputException("unpairedElectrons", $"{unpairedElectrons}", "0 or more");
        double[] masses = AtomicMasses.Of(frame.AtomicNumbers), moments = Moments(frame, masses);
        double[] turning = [.. moments.Where(m => m > Straight * moments.Max())];
        PhysicalConstants c = PhysicalConstants.Codata2018;
        const double h = PhysicalConstants.Planck;
        double k = MechanicalUnits.Boltzmann, kT = k * temperature;
        // Those that are not vibrations are the nearest to zero.
        int still = frame.Atoms == 1 ? 3 : 3 + turning.Length;
        double[] kept = [.. vibrations.Wavenumbers.OrderBy(Math.Abs).Skip(still).Order()];
        double quantum = h * 100 * PhysicalConstants.SpeedOfLight / c.ElementaryCharge;
        double[] quanta = [.. kept.Where(w => w > 0).Select(w => w * quantum)];
        double zero = quanta.Sum() / 2, rotations = frame.Atoms == 1 ? 0 : turning.Length;
        double thermal = quanta.Sum(q => q / double.ExpM1(q / kT));
        double mass = masses.Sum() * c.AtomicMass, joule = c.Boltzmann * temperature;
        double translation = Math.Pow(2 * Math.PI * mass * joule / (h * h), 1.5) * joule / pressure;
        double entropy = Math.Log(translation) + 2.5 + Math.Log(unpairedElectrons + 1);
        // h^2 / (8 pi^2 I), over k T.
        double[] turns = [.. turning.Select(m => 8 * Math.PI * Math.PI * m * c.AtomicMass * 1e-20 * joule / (h * h))];
        if (rotations == 2) entropy += Math.Log(turns.Average() / symmetryNumber) + 1;
        if (rotations == 3) entropy += Math.Log(Math.Sqrt(Math.PI * turns[0] * turns[1] * turns[2]) / symmetryNumber) + 1.5;
        entropy += quanta.Sum(q => q / kT / double.ExpM1(q / kT) - Math.Log(-double.ExpM1(-q / kT)));
        return new IdealGasThermochemistry
        {
            Temperature = temperature,
            Pressure = pressure,
            SymmetryNumber = symmetryNumber,
            UnpairedElectrons = unpairedElectrons,
            IsLinear = frame.Atoms > 1 && turning.Length == 2,
            Wavenumbers = kept,
            ImaginaryModes = kept.Count(w => w <= 0),
            ZeroPointEnergy = zero,
            Enthalpy = vibrations.Energy + zero + thermal + (1.5 + rotations / 2 + 1) * kT,
            Entropy = k * entropy,
        };
    }

    /// <summary>(3) amu A^2, about the centre of mass.</summary>
    private static double[] Moments(Frame frame, double[] masses)
    {
        double[] centre = new double[3], inertia = new double[9], axes = new double[9];
        double total = masses.Sum();
        for (int i = 0; i < frame.Positions.Length; i++) centre[i % 3] += masses[i / 3] * frame.Positions[i] / total;
        for (int i = 0; i < frame.Atoms; i++)
        {
            double[] r = [.. Enumerable.Range(0, 3).Select(a => frame.Positions[3 * i + a] - centre[a])];
            double square = r.Sum(x => x * x);
            for (int a = 0; a < 3; a++)
                for (int b = 0; b < 3; b++) inertia[3 * a + b] += masses[i] * ((a == b ? square : 0) - r[a] * r[b]);
        }
        SymmetricEigen.Decompose(inertia, axes, 3);
        return [inertia[0], inertia[4], inertia[8]];
    }
}
