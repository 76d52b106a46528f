namespace ChemScale.Engine.Training.Runs;

/// <summary>Who holds a claim.</summary>
/// <param name="Owner">Null where the claim cannot be read.</param>
/// <param name="Silent">Since its last sign of life.</param>
/// <param name="Abandoned">Its process is known to be dead, or it has been silent for too long: it may be taken over.</param>
public sealed record ClaimHolder(ProcessIdentity? Owner, TimeSpan Silent, bool Abandoned)
{
    public override string ToString() => Owner is null ? "somebody" : $"process {Owner.Pid} on {Owner.Host}";
}
