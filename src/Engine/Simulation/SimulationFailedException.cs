namespace ChemScale.Engine.Simulation;

/// <summary>A simulation left what the model can describe. What was written until then stays.</summary>
/// <param name="step">The one that failed.</param>
/// <param name="timeFs">Its time, fs; null where there is none, in a relaxation.</param>
/// <param name="what">What was found, with its value.</param>
public sealed class SimulationFailedException(long step, double? timeFs, string what)
    : Exception($"the simulation failed at step {step}{(timeFs is null ? "" : $", {timeFs:G6} fs")}: {what}"
        + ". HINT: a shorter time step, a relaxed start, or a model trained on such frames")
{
    public long Step { get; } = step;
}
