using System.Globalization;
using System.Text.Json.Serialization;
using ChemScale.Engine.Scaling.Fitting;

namespace ChemScale.Engine.Scaling.Claims;

/// <summary>
/// What a fit may say, and all that it says: whatever prints, draws or serialises a fit takes its numbers and its words from here.
/// <see cref="Inference"/> makes it.
/// </summary>
public sealed record Claim
{
    /// <summary>Points that a law needs to be <see cref="ClaimGrade.Shown"/>.</summary>
    public const int PointsToShow = 5;

    /// <summary>Decades of the resource that they must span.</summary>
    public const double DecadesToShow = 1.5;

    /// <summary>Distinct values of the resource below which nothing is said.</summary>
    public const int FewestDistinct = 3;

    /// <summary>An answer further beyond the points than this factor is refused.</summary>
    public const double FarthestAnswer = 10;

    /// <summary>Name of the form.</summary>
    public required string Family { get; init; }

    public required string Formula { get; init; }

    /// <summary>What stands on the left: the loss, or what else is said to follow a power law.</summary>
    public string Quantity { get; init; } = "loss";

    /// <summary>What it is a function of.</summary>
    public required IReadOnlyList<Resource> Resources { get; init; }

    /// <summary>What is the same for all points: "D = 41,230 tokens"; empty where nothing was said to be.</summary>
    public string Held { get; init; } = "";

    public required IReadOnlyList<ClaimPoint> Points { get; init; }

    /// <summary>Points that the fit did not use, each with the reason.</summary>
    public required IReadOnlyList<ClaimOmission> LeftOut { get; init; }

    /// <summary>Distinct values of the resource; of the one that has fewest.</summary>
    public required int Distinct { get; init; }

    /// <summary>log10 of the largest over the least value of the resource; of the one that spans least.</summary>
    public required double Decades { get; init; }

    /// <summary>Points less parameters.</summary>
    public required int Degrees { get; init; }

    /// <summary>Confidence of the intervals.</summary>
    public required double Level { get; init; }

    public required ClaimGrade Grade { get; init; }

    /// <summary>Why the grade is no better; empty where it is the best.</summary>
    public required string Reason { get; init; }

    /// <summary>Of every parameter of the formula, in its order; empty where refused.</summary>
    public IReadOnlyList<ClaimEstimate> Estimates { get; init; } = [];

    /// <summary>Root mean square of log residuals over the degrees of freedom; null where refused.</summary>
    public double? ResidualError { get; init; }

    /// <summary>In the logarithm of the quantity; null where refused.</summary>
    public double? R2 { get; init; }

    /// <summary>Fitted to the smaller points, held against the largest; null where too few are left to fit to.</summary>
    public ClaimExtrapolation? Extrapolation { get; init; }

    /// <summary>What to know before using it.</summary>
    public IReadOnlyList<string> Cautions { get; init; } = [];

    /// <summary>The law with its numbers, as "L = 8.05 N^-0.17"; empty where refused.</summary>
    public string Law { get; init; } = "";

    /// <summary>The claim in a sentence that says no more than its grade allows.</summary>
    public required string Words { get; init; }

    /// <summary>The exponents among the estimates; empty where refused.</summary>
    [JsonIgnore]
    public IEnumerable<ClaimEstimate> Exponents => Estimates.Where(e => e.IsExponent);

    /// <summary>The first of the exponents; null where refused.</summary>
    [JsonIgnore]
    public ClaimEstimate? Exponent => Exponents.FirstOrDefault();

    /// <summary>By the estimate, whatever its interval, the quantity rises with the resource.</summary>
    [JsonIgnore]
    public bool Rises => Exponent is { Value: < 0 };

    /// <summary>The fit behind it; null where refused, and in a claim that was read from a file.</summary>
    [JsonIgnore]
    internal ScalingFit? Fit { get; init; }

    /// <summary>The grade in words.</summary>
    [JsonIgnore]
    public string GradeName => ClaimText.Grade(Grade);

    /// <summary>A line for each parameter: value, profile interval, and the bootstrap's where there is one.</summary>
    public IEnumerable<string> Rows() => ClaimText.Rows(this);

    /// <summary>Why a question at these resources has no answer; null where it may be answered.</summary>
    /// <param name="at">In the order of <see cref="Resources"/>.</param>
    public string? Refusal(params IReadOnlyList<double> at)
    {
        if (Grade <= ClaimGrade.NotDetermined) return $"the law is {ClaimText.Grade(Grade)}: {Reason}";
        double beyond = Beyond(at);
        return beyond > FarthestAnswer * (1 + 1e-9) ? FormattableString.Invariant(
            $"that lies {beyond:G3} times beyond the points, and the law is trusted to {FarthestAnswer:G3} times") : null;
    }

    /// <summary>How far outside the points: the largest factor over any resource; 1 within them.</summary>
    /// <param name="at">In the order of <see cref="Resources"/>.</param>
    public double Beyond(params IReadOnlyList<double> at)
    {
        double beyond = 1;
        for (int k = 0; k < at.Count && Points.Count > 0; k++)
            beyond = Math.Max(beyond, Math.Max(at[k] / Points.Max(p => p.At[k]), Points.Min(p => p.At[k]) / at[k]));
        return beyond;
    }
}

/// <summary>How much a claim may say, from nothing up.</summary>
public enum ClaimGrade
{
    /// <summary>
    /// Fewer than three distinct values of the resource, no degree of freedom, a flat design (resource or loss do not vary), different values
    /// of another resource mixed unasked, or a form that runs away: no number is given.
    /// </summary>
    Refused,

    /// <summary>The interval of an exponent includes zero, or has an open end.</summary>
    NotDetermined,

    /// <summary>The interval excludes zero, but something that <see cref="Shown"/> needs is missing.</summary>
    Suggested,

    /// <summary>The interval excludes zero, over enough points and decades, and the largest points were foretold from the smaller.</summary>
    Shown,
}

/// <summary>A point that the fit used.</summary>
/// <param name="Name">Of the run, or file:line.</param>
/// <param name="At">Its resources, in the order of the claim's.</param>
/// <param name="Value">Loss, or the claim's other quantity.</param>
/// <param name="Fitted">By the fit; null where refused.</param>
public sealed record ClaimPoint(string Name, IReadOnlyList<double> At, double Value, double? Fitted);

/// <summary>A point that it did not use.</summary>
public sealed record ClaimOmission(string Name, string Reason);

/// <summary>One parameter of the formula.</summary>
/// <param name="Name">As in the formula.</param>
/// <param name="Value">Best fit.</param>
/// <param name="Low">Of the profile-likelihood interval; null where the points leave it open.</param>
/// <param name="High">The same.</param>
/// <param name="IsExponent">The grade depends on it.</param>
/// <param name="AtBound">The best fit lies on the border of what the form allows: the interval is then wider than its level says.</param>
/// <param name="BootstrapLow">Of the percentile interval of a bootstrap, which is another one; null without resamples.</param>
/// <param name="BootstrapHigh">The same.</param>
public sealed record ClaimEstimate(string Name, double Value, double? Low, double? High, bool IsExponent, bool AtBound = false,
    double? BootstrapLow = null, double? BootstrapHigh = null)
{
    /// <summary>Both ends lie on one side of zero.</summary>
    [JsonIgnore]
    public bool ExcludesZero => Low > 0 || High < 0;
}

/// <summary>The same form fitted without the largest points, and held against them.</summary>
/// <param name="Small">Points fitted to.</param>
/// <param name="Large">Points held out.</param>
/// <param name="Reach">The least resource held out over the largest fitted to.</param>
/// <param name="LogError">Root mean square of log predicted - log observed on those held out.</param>
/// <param name="PValue">Of errors so large if the form held on (Chow 1960): F of the growth of the sum of squares.</param>
/// <param name="Passed">The p-value is 0.05 or more, and the form came nearer than the assumption that nothing changes any more.</param>
public sealed record ClaimExtrapolation(int Small, int Large, double Reach, double LogError, double PValue, bool Passed);

/// <summary>Words and numbers of claims: the only place where an exponent is written.</summary>
internal static class ClaimText
{
    public static string Grade(ClaimGrade grade) => grade switch
    {
        ClaimGrade.Shown => "shown",
        ClaimGrade.Suggested => "suggested",
        ClaimGrade.NotDetermined => "not determined",
        _ => "refused",
    };

    /// <summary>N, D, C.</summary>
    public static string Symbol(Resource resource) => resource switch
    {
        Resource.Parameters => "N",
        Resource.Data => "D",
        _ => "C",
    };

    /// <summary>"0.170, 95 % profile interval 0.160 to 0.180 (3 degrees of freedom)".</summary>
    public static string Interval(ClaimEstimate e, double level, int degrees) => string.Create(CultureInfo.InvariantCulture,
        $"{Number(e, e.Value)}, {100 * level:0.##} % profile interval {Range(e)} ({degrees} {(degrees == 1 ? "degree" : "degrees")} of freedom)");

    /// <summary>"0.160 to 0.180"; an end that the points leave open is a dash.</summary>
    public static string Range(ClaimEstimate e) => e is { Low: null, High: null } ? "not bounded" : $"{End(e, e.Low)} to {End(e, e.High)}";

    /// <summary>As many decimals as the interval makes worth writing.</summary>
    public static string Number(ClaimEstimate e, double value)
    {
        double width = e is { Low: { } low, High: { } high } ? high - low : Math.Abs(e.Value);
        if (value == 0 && !e.IsExponent) return "0";
        if (Math.Abs(value) >= 1e4 || (value != 0 && Math.Abs(value) < 1e-3 && width > 1e-6 && !e.IsExponent)) return value.ToString("G4", CultureInfo.InvariantCulture);
        int decimals = e.IsExponent ? width is > 0 and < 0.002 ? 5 : width is > 0 and < 0.02 ? 4 : 3
            : Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Max(1e-9, Math.Abs(value)))), 0, 6);
        string text = value.ToString("F" + decimals, CultureInfo.InvariantCulture);
        return text.AsSpan().IndexOfAnyInRange('1', '9') < 0 ? text.TrimStart('-') : text;
    }

    public static IEnumerable<string> Rows(Claim claim) => claim.Estimates.Select(e =>
    {
        string bootstrap = e is { BootstrapLow: null, BootstrapHigh: null } ? "" : $"  bootstrap [{Full(e.BootstrapLow)}, {Full(e.BootstrapHigh)}]";
        return $"{e.Name,-8} {e.Value.ToString("G9", CultureInfo.InvariantCulture),-16} profile [{Full(e.Low)}, {Full(e.High)}]{bootstrap}";
    });

    /// <summary>The law with its numbers, signs and all.</summary>
    public static string Law(Claim claim)
    {
        ClaimEstimate Of(string name) => claim.Estimates.First(e => e.Name == name);
        string Value(string name) => Number(Of(name), Of(name).Value);
        string left = claim.Quantity == "loss" ? "L" : claim.Quantity;
        string r = Symbol(claim.Resources[0]);
        return claim.Family switch
        {
            "power-law" => $"{left} = {Value("alpha")} {r}^{Power("beta")}",
            "power-law-with-floor" => $"{left} = {Value("E")} + {Value("alpha")} {r}^{Power("beta")}",
            "chinchilla" => $"{left} = {Value("E")} + {Value("A")} N^{Power("alpha")} + {Value("B")} D^{Power("beta")}",
            "chinchilla-without-floor" => $"{left} = {Value("A")} N^{Power("alpha")} + {Value("B")} D^{Power("beta")}",
            _ => $"{claim.Formula} with {string.Join(", ", claim.Estimates.Select(e => $"{e.Name} = {Number(e, e.Value)}"))}",
        };

        string Power(string name) => Number(Of(name), -Of(name).Value);
    }

    /// <summary>The sentence.</summary>
    public static string Words(Claim claim)
    {
        string what = claim.Quantity == "loss" ? "loss" : claim.Quantity;
        string of = string.Join(" and ", claim.Resources.Select(Symbol));
        if (claim.Grade == ClaimGrade.Refused) return $"No law of {what} in {of} is given{At(claim)}: {claim.Reason}.";
        string basis = $"{Runs(claim)} over {claim.Decades.ToString("F1", CultureInfo.InvariantCulture)} decades{(claim.Held.Length > 0 ? "; " + claim.Held : "")}";
        string exponents = string.Join("; ", claim.Exponents.Select(e => Signed(claim, e)).Select(e =>
            $"{(claim.Exponents.Count() > 1 ? "exponent " + e.Name : "exponent")} {Interval(e, claim.Level, claim.Degrees)}"));
        string direction = claim.Exponents.All(e => e.Value > 0) ? "falls" : claim.Exponents.All(e => e.Value < 0) ? "rises" : "changes";
        string floor = claim.Estimates.FirstOrDefault(e => e.Name == "E") is { Value: > 0 } e ? $" above a floor of {Number(e, e.Value)}" : "";
        return claim.Grade switch
        {
            ClaimGrade.Shown => $"{Capital(what)}{floor} {direction} with {of}: {exponents}; {basis}. {Foretold(claim)}",
            ClaimGrade.Suggested => $"The points suggest that {what}{floor} {direction} with {of}: {exponents}; {basis}. Not shown: {claim.Reason}.",
            _ => $"The points do not determine how {what}{floor} changes with {of}: {exponents}; {basis}. {Capital(claim.Reason)}.",
        };
    }

    /// <summary>What the extrapolation test found.</summary>
    public static string Foretold(Claim claim)
    {
        if (claim.Extrapolation is not { } test) return "";
        string runs = test.Large == 1 ? "run, held out, was" : $"{test.Large} runs, held out, were";
        return string.Create(CultureInfo.InvariantCulture, $"The largest {runs} foretold within {OneLine.Percent(test.LogError, 1)}.");
    }

    /// <summary>A loss falls as R^-beta, anything else grows as R^a.</summary>
    public static ClaimEstimate Signed(Claim claim, ClaimEstimate e) =>
        claim.Quantity == "loss" ? e : e with { Value = -e.Value, Low = -e.High, High = -e.Low };

    private static string Runs(Claim claim) => claim.Quantity == "loss" ? $"{claim.Points.Count} runs" : $"{claim.Points.Count} points";

    private static string At(Claim claim) => claim.Held.Length > 0 ? $" at {claim.Held}" : "";

    private static string End(ClaimEstimate e, double? end) => end is { } value ? Number(e, value) : "-";

    private static string Full(double? end) => end?.ToString("G5", CultureInfo.InvariantCulture) ?? "-";

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
