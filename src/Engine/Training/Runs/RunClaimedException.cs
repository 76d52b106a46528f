namespace ChemScale.Engine.Training.Runs;

/// <summary>Another process is writing to the run directory.</summary>
internal sealed class RunClaimedException(string directory, string found)
    : InputException(directory, found, "", "wait for it, stop it, or choose another directory");
