using NUnit.Framework;

namespace ChemScale.Tests.Fuzz;

/// <summary>The corpus: files that once ended otherwise than read or refused in one line, one of each kind.</summary>
internal static class FuzzFindings
{
    public static IEnumerable<TestCaseData> All() => Text().Select(finding => new TestCaseData(finding.Format, System.Text.Encoding.UTF8.GetBytes(finding.Content)));

    private static IEnumerable<(string Format, string Content)> Text() =>
    [
        ("experiment.yaml", new string('[', 100_000)),
        ("experiment.yaml", new string('{', 100_000)),
        ("xyz", "2147483647\n\nC 0 0 0\n"),
        ("prepared.xyz", "1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=1e300\nH 0 0 0 0 0 1e300\n1\nProperties=species:S:1:pos:R:3:forces:R:3 energy=-1e300\nH 0 0 1 0 0 0\n"),
        ("tokenizer.json", new string('[', 100_000)),
    ];
}
