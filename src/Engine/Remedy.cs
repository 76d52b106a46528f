namespace ChemScale.Engine;

/// <summary>
/// What to do about a mistake where that is another piece of work: hints of <see cref="InputException"/> that a program with commands of
/// its own may replace by them. Keys of requests and experiments stand in hints between backticks, for the same reason.
/// </summary>
public static class Remedy
{
    public const string PrepareMolecules = "prepare molecules into a store first";

    public const string PrepareFrames = "prepare frames into a store first";

    public const string Train = "train a model into it first";

    public const string ExamineMachine = "examine the machine to learn what is missing";

    public const string RetryFailed = "forget the run's failure to have it tried again";
}
