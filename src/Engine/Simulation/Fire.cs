namespace ChemScale.Engine.Simulation;

/// <summary>
/// Relaxes positions, the cell held fixed, by the fast inertial relaxation engine (Bitzek, Koskinen, Gaehler, Moseler, Gumbsch, Phys. Rev.
/// Lett. 97, 170201 (2006)) with the paper's parameters: atoms of 1 amu roll downhill, are steered towards the force, and stop where they
/// would climb. No atom moves further than <see cref="LongestMove"/> in a step.
/// </summary>
/// <param name="state">Its momenta are not used.</param>
public sealed class Fire(MolecularState state)
{
    /// <summary>A.</summary>
    public const double LongestMove = 0.1;

    private const int StepsBeforeFaster = 5;
    private const double Faster = 1.1, Slower = 0.5, FirstSteering = 0.1, LessSteering = 0.99;

    private readonly double[] velocities = new double[state.Positions.Length];
    private readonly double longestTimestep = 10 * MechanicalUnits.Femtosecond;
    private double timestep = MechanicalUnits.Femtosecond;
    private double steering = FirstSteering;
    private int downhill;

    public void Step()
    {
        Steer();
        double longest = 0;
        for (int i = 0; i < velocities.Length; i++) velocities[i] += timestep * state.Forces[i];
        for (int i = 0; i < velocities.Length; i += 3) longest = Math.Max(longest, timestep * Length(velocities.AsSpan(i, 3)));
        double scale = longest > LongestMove ? LongestMove / longest : 1;
        for (int i = 0; i < velocities.Length; i++) state.Positions[i] += scale * timestep * velocities[i];
        state.Evaluate();
    }

    private void Steer()
    {
        double power = 0;
        for (int i = 0; i < velocities.Length; i++) power += state.Forces[i] * velocities[i];
        if (power > 0)
        {
            double turn = steering * Length(velocities) / Length(state.Forces);
            for (int i = 0; i < velocities.Length; i++) velocities[i] = (1 - steering) * velocities[i] + turn * state.Forces[i];
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
