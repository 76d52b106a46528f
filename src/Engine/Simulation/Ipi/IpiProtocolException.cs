namespace ChemScale.Engine.Simulation.Ipi;

/// <summary>The other side did not keep to the protocol, or went away in the middle of a message.</summary>
public sealed class IpiProtocolException(string message) : Exception(message);
