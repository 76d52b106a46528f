namespace ChemScale.Engine.Simulation;

/// <summary>A step's numbers.</summary>
/// <param name="Step">From 0, the start.</param>
/// <param name="TimeFs">fs since the start.</param>
/// <param name="Potential">eV.</param>
/// <param name="Kinetic">eV.</param>
/// <param name="Temperature">K: twice the kinetic energy over k and the degrees of freedom that move.</param>
internal readonly record struct DynamicsSample(long Step, double TimeFs, double Potential, double Kinetic, double Temperature)
{
    /// <summary>eV.</summary>
    public double Total => Potential + Kinetic;
}
