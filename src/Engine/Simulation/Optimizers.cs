using ChemScale.Engine.Atoms;

namespace ChemScale.Engine.Simulation;

/// <summary>What an optimizer moves.</summary>
internal interface ICoordinates
{
    /// <summary>(points, 3) A. Written into by who moves them, and followed then.</summary>
    double[] Values { get; }

    /// <summary>(as the values) eV/A</summary>
    double[] Forces { get; }

    /// <summary>Puts the atoms where the values say, and finds the forces there.</summary>
    void Follow();
}

/// <summary>Goes downhill.</summary>
internal interface IOptimizer
{
    /// <summary>One evaluation.</summary>
    void Step();
}

/// <summary>
/// What a relaxation moves: positions, and the cell where it may change. The deformation F then stands beside the positions q that the atoms would have without
/// it, r = q F (Tadmor, Smith, Bernstein, Kaxiras, Phys. Rev. B 59, 235 (1999)), times a length of about the cell's share of an atom, so that a strain counts
/// as much as the atoms that it moves. F stays symmetric: the crystal does not turn.
/// </summary>
internal sealed class RelaxationCoordinates : ICoordinates
{
    private readonly MolecularState state;
    private readonly CellRelaxation cell;
    private readonly double pressure;
    private readonly double[] firstCell = [];
    private readonly double length;

    /// <param name="state">Its momenta are not used; it has a stress where the cell may change.</param>
    /// <param name="cell">What of the cell may change.</param>
    /// <param name="pressure">eV/A^3, from outside.</param>
    public RelaxationCoordinates(MolecularState state, CellRelaxation cell = CellRelaxation.Fixed, double pressure = 0)
    {
        this.state = state;
        this.cell = cell;
        this.pressure = pressure;
        int numbers = state.Positions.Length;
        Values = new double[numbers + (cell == CellRelaxation.Fixed ? 0 : 9)];
        Forces = new double[Values.Length];
        state.Positions.CopyTo(Values, 0);
        if (cell != CellRelaxation.Fixed)
        {
            firstCell = state.Cell!;
            length = Math.Sqrt(state.Atoms) * Math.Cbrt(state.Volume / state.Atoms);
            for (int k = 0; k < 9; k += 4) Values[numbers + k] = length;
        }
        Gather();
    }

    /// <summary>(atoms + 0 or 3, 3) A. Written into by who moves them, and followed then.</summary>
    public double[] Values { get; }

    /// <summary>(as the values) eV/A</summary>
    public double[] Forces { get; }

    /// <summary>eV: of the atoms, and of the pressure on the cell.</summary>
    public double Energy => state.PotentialEnergy + (cell == CellRelaxation.Fixed ? 0 : pressure * state.Volume);

    /// <summary>eV/A^3: the greatest component of what the cell feels beside the pressure; 0 where it may not change.</summary>
    public double MaximumStress { get; private set; }

    /// <summary>Puts the atoms where the values say.</summary>
    public void Follow()
    {
        int numbers = state.Positions.Length;
        if (cell == CellRelaxation.Fixed)
        {
            Values.CopyTo(state.Positions, 0);
        }
        else
        {
            double[] f = Deformation();
            state.Cell = CellGeometry.Product(firstCell, f);
            for (int i = 0; i < numbers; i += 3)
                for (int k = 0; k < 3; k++) state.Positions[i + k] = Values[i] * f[k] + Values[i + 1] * f[3 + k] + Values[i + 2] * f[6 + k];
        }
        state.Evaluate();
        Gather();
    }

    private double[] Deformation() => [.. Values[^9..].Select(v => v / length)];

    private void Gather()
    {
        int numbers = state.Positions.Length;
        state.Forces.CopyTo(Forces, 0);
        state.Hold(Forces);
        if (cell == CellRelaxation.Fixed) return;
        double[] f = Deformation(), excess = [.. state.Stress!];
        for (int k = 0; k < 9; k += 4) excess[k] += pressure;
        double mean = (excess[0] + excess[4] + excess[8]) / 3;
        if (cell == CellRelaxation.Volume) excess = [mean, 0, 0, 0, mean, 0, 0, 0, mean];
        MaximumStress = excess.Max(Math.Abs);
        // dE/dq = dE/dr F^T; dE/dF = F^-T (V stress), of which F takes the symmetric part.
        for (int i = 0; i < numbers; i += 3)
        {
            double x = Forces[i], y = Forces[i + 1], z = Forces[i + 2];
            for (int k = 0; k < 3; k++) Forces[i + k] = x * f[3 * k] + y * f[3 * k + 1] + z * f[3 * k + 2];
        }
        double[] by = CellGeometry.Product(CellGeometry.Transposed(CellGeometry.Inverse(f)), excess);
        for (int a = 0; a < 3; a++)
            for (int b = 0; b < 3; b++) Forces[numbers + 3 * a + b] = -state.Volume / length * (by[3 * a + b] + by[3 * b + a]) / 2;
    }
}

/// <summary>What of a cell a relaxation changes.</summary>
public enum CellRelaxation
{
    /// <summary>Nothing.</summary>
    Fixed,

    /// <summary>The volume, at the same shape.</summary>
    Volume,

    /// <summary>Lengths and angles.</summary>
    Full,
}

/// <summary>How a relaxation looks for its minimum.</summary>
public enum RelaxationOptimizer
{
    /// <summary>Robust far from a minimum, and light.</summary>
    Fire,

    /// <summary>Fewer steps near one; holds (3 atoms)^2 numbers.</summary>
    Bfgs,
}

/// <summary>
/// Broyden, Fletcher, Goldfarb and Shanno's quasi-Newton method, of the inverse Hessian, with moves of <see cref="LongestMove"/> at most, as ASE has it
/// (Hjorth Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017)), from its stiffness of 70 eV/A^2 until the first step tells a better one (Nocedal
/// and Wright, Numerical Optimization, eq. 6.20). Where the surface bends downwards the inverse is left as it is: it stays positive, and each step goes
/// downhill.
/// </summary>
/// <param name="x">What moves.</param>
internal sealed class Bfgs(ICoordinates x) : IOptimizer
{
    /// <summary>A.</summary>
    public const double LongestMove = 0.2;

    /// <summary>Beyond this the matrix alone is 288 MB.</summary>
    public const int MostAtoms = 2000;

    private const double FirstStiffness = 70, LeastCurvature = 1e-8;

    private readonly double[] inverse = FirstInverse(x.Values.Length);
    private readonly double[] move = new double[x.Values.Length];
    private readonly double[] change = new double[x.Values.Length];
    private readonly double[] image = new double[x.Values.Length];
    private bool scaled;

    public void Step()
    {
        Multiply(x.Forces, move);
        double longest = 0;
        for (int i = 0; i < move.Length; i += 3) longest = Math.Max(longest, Math.Sqrt(move[i] * move[i] + move[i + 1] * move[i + 1] + move[i + 2] * move[i + 2]));
        double scale = longest > LongestMove ? LongestMove / longest : 1;
        for (int i = 0; i < move.Length; i++)
        {
            move[i] *= scale;
            x.Values[i] += move[i];
            change[i] = x.Forces[i];
        }
        x.Follow();
        for (int i = 0; i < change.Length; i++) change[i] -= x.Forces[i];
        Update();
    }

    /// <summary>So that the inverse takes the change of the gradient to the move.</summary>
    private void Update()
    {
        double curvature = Dot(move, change), moved = Math.Sqrt(Dot(move, move)), changed = Math.Sqrt(Dot(change, change));
        if (!(curvature > LeastCurvature * moved * changed)) return;
        if (!scaled)
        {
            for (int i = 0; i < move.Length; i++) inverse[i * move.Length + i] = curvature / (changed * changed);
            scaled = true;
        }
        Multiply(change, image);
        double first = (1 + Dot(change, image) / curvature) / curvature;
        int n = move.Length;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++) inverse[i * n + j] += first * move[i] * move[j] - (image[i] * move[j] + move[i] * image[j]) / curvature;
    }

    private void Multiply(double[] vector, double[] result)
    {
        int n = vector.Length;
        for (int i = 0; i < n; i++) result[i] = Dot(inverse.AsSpan(i * n, n), vector);
    }

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static double[] FirstInverse(int n)
    {
        double[] matrix = new double[checked(n * n)];
        for (int i = 0; i < n; i++) matrix[i * n + i] = 1 / FirstStiffness;
        return matrix;
    }
}

/// <summary>
/// Relaxes coordinates by the fast inertial relaxation engine (Bitzek, Koskinen, Gaehler, Moseler, Gumbsch, Phys. Rev.
/// Lett. 97, 170201 (2006)) with the paper's parameters: atoms of 1 amu roll downhill, are steered towards the force, and stop where they
/// would climb. No atom moves further than <see cref="LongestMove"/> in a step.
/// </summary>
/// <param name="x">What moves.</param>
internal sealed class Fire(ICoordinates x) : IOptimizer
{
    /// <summary>A.</summary>
    public const double LongestMove = 0.1;

    private const int StepsBeforeFaster = 5;
    private const double Faster = 1.1, Slower = 0.5, FirstSteering = 0.1, LessSteering = 0.99;

    private readonly double[] velocities = new double[x.Values.Length];
    private readonly double longestTimestep = 10 * MechanicalUnits.Femtosecond;
    private double timestep = MechanicalUnits.Femtosecond;
    private double steering = FirstSteering;
    private int downhill;

    public void Step()
    {
        Steer();
        double longest = 0;
        for (int i = 0; i < velocities.Length; i++) velocities[i] += timestep * x.Forces[i];
        for (int i = 0; i < velocities.Length; i += 3) longest = Math.Max(longest, timestep * Length(velocities.AsSpan(i, 3)));
        double scale = longest > LongestMove ? LongestMove / longest : 1;
        for (int i = 0; i < velocities.Length; i++) x.Values[i] += scale * timestep * velocities[i];
        x.Follow();
    }

    private void Steer()
    {
        double power = 0;
        for (int i = 0; i < velocities.Length; i++) power += x.Forces[i] * velocities[i];
        if (power > 0)
        {
            double turn = steering * Length(velocities) / Length(x.Forces);
            for (int i = 0; i < velocities.Length; i++) velocities[i] = (1 - steering) * velocities[i] + turn * x.Forces[i];
            if (++downhill <= StepsBeforeFaster) return;
            timestep = Math.Min(timestep * Faster, longestTimestep);
            steering *= LessSteering;
        }
        else
        {
            // At rest, as before the first step, there is nothing to stop.
            if (downhill > 0 || Length(velocities) > 0) timestep *= Slower;
            Array.Clear(velocities);
            steering = FirstSteering;
            downhill = 0;
        }
    }

    private static double Length(ReadOnlySpan<double> vector)
    {
        double sum = 0;
        foreach (double x in vector) sum += x * x;
        return Math.Sqrt(sum);
    }
}
