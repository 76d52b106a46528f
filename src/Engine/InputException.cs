namespace ChemScale.Engine;

/// <summary>
/// A mistake in what the user gave: a file, a key, an option. The command line prints <see cref="Exception.Message"/> as one line
/// on standard error and exits with code 2; no stack trace.
/// </summary>
public class InputException : Exception
{
    /// <param name="place">File, file:line, key or option at fault.</param>
    /// <param name="found">What was there.</param>
    /// <param name="expected">What should have been there; empty when <paramref name="found"/> says it all.</param>
    /// <param name="hint">What to do about it; may be empty.</param>
    public InputException(string place, string found, string expected = "", string hint = "")
        : base(Compose(place, found, expected, hint))
    {
        Place = place;
        Found = found;
        Expected = expected;
        Hint = hint;
    }

    public string Place { get; }

    public string Found { get; }

    public string Expected { get; }

    public string Hint { get; }

    private static string Compose(string place, string found, string expected, string hint)
    {
        string message = place.Length > 0 ? $"{place}: {found}" : found;
        if (expected.Length > 0) message += $"; expected {expected}";
        if (hint.Length > 0) message += $". HINT: {hint}";
        return message.ReplaceLineEndings(" ");
    }
}

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
