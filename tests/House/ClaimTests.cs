using System.Text.RegularExpressions;
using ChemScale.Engine;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>An exponent leaves the engine by its claim alone.</summary>
public partial class ClaimTests
{
    // What makes, judges and words them; and what needs a law's parameters for sums of its own.
    private static readonly string[] Allowed = ["src/Engine/Scaling/"];

    [Test]
    public void Nothing_public_holds_a_fit_without_its_claim()
    {
        string[] names = ["ScalingFit", "ScalingFitter", "ParameterInterval", "FittedParameter", "Bootstrap", "ProfileLikelihood"];
        Type[] raw = [.. typeof(InputException).Assembly.GetTypes().Where(t => names.Contains(t.Name))];
        Assert.That(raw, Has.Length.EqualTo(names.Length));
        Assert.That(raw.Where(t => t.IsVisible), Is.Empty);
    }

    [TestCase("src/Cli"), TestCase("src/Engine")]
    public void No_file_outside_of_Scaling_reads_or_formats_an_exponent(string root)
    {
        string[] wrong = [.. SourceFiles.Under(root).Where(f => !Allowed.Any(a => f.StartsWith(a, StringComparison.Ordinal)))
            .SelectMany(f => File.ReadLines(Path.Combine(Repository.Root, f)).Where(line => Reading().IsMatch(line)).Select(line => $"{f}: {line.Trim()}"))];
        Assert.That(wrong, Is.Empty);
    }

    [GeneratedRegex("""\["(alpha|beta|c|c0|c1)"\]|\.(Beta|BetaLow|BetaHigh|Slope):|Numbers\.\w+\((\w+\.)*(Beta|Exponent)\b|Exponents?(\(\))?[!?]?\.(Value|Low|High)\b.*(:[FGE]\d|ToString)""")]
    private static partial Regex Reading();
}
