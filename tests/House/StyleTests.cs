using System.CodeDom.Compiler;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using NUnit.Framework;

namespace ChemScale.Tests.House;

/// <summary>What no analyzer that is on holds.</summary>
public partial class StyleTests
{
    [Test]
    public void Lines_are_as_wide_as_the_editor_is_told()
    {
        int widest = int.Parse(Width().Match(File.ReadAllText(Path.Combine(Repository.Root, ".editorconfig"))).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        var wrong = new List<string>();
        foreach (string file in ((string[])["src", "tests", "perf"]).SelectMany(SourceFiles.Under))
        {
            int number = 0;
            foreach (string line in File.ReadLines(Path.Combine(Repository.Root, file)))
            {
                number++;
                // A message, a pattern or a line of data in the middle of which a line cannot break.
                if (line.TrimStart().StartsWith('{') && line.TrimEnd().EndsWith('}')) continue;
                if (line.Length > widest && LongLiteral().Replace(line, "").Length > widest) wrong.Add($"{file}:{number}: {line.Length} characters");
            }
        }
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public void Private_fields_have_no_underscore()
    {
        Assembly[] assemblies = [typeof(ChemScale.Engine.InputException).Assembly, typeof(ChemScale.Kernels.Device.KernelDevice).Assembly, typeof(ChemScale.Cli.Program).Assembly];
        FieldInfo[] fields = [.. assemblies.SelectMany(a => a.GetTypes())
            .Where(t => !t.IsDefined(typeof(CompilerGeneratedAttribute)) && !t.IsDefined(typeof(GeneratedCodeAttribute)))
            .SelectMany(t => t.GetFields(BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(f => !f.IsDefined(typeof(CompilerGeneratedAttribute)) && !f.Name.Contains('<', StringComparison.Ordinal))];
        Expect.Above(fields.Length, 500);
        Assert.That(fields.Where(f => f.Name.StartsWith('_')).Select(f => $"{f.DeclaringType}.{f.Name}"), Is.Empty);
    }

    /// <summary>A number of a file or of a model gone wrong may have three hundred digits before the point; seconds have not.</summary>
    [Test]
    public void What_the_command_prints_of_a_number_has_a_bound()
    {
        var wrong = new List<string>();
        foreach (string file in SourceFiles.Under(Path.Combine("src", "Cli")))
        {
            foreach ((string line, int i) in File.ReadLines(Path.Combine(Repository.Root, file)).Select((line, i) => (line, i)))
                if (FixedPoint().IsMatch(line)) wrong.Add($"{file}:{i + 1}: {line.Trim()}: OneLine.Number or OneLine.Percent");
        }
        Assert.That(wrong, Is.Empty);
        Assert.That(FixedPoint().IsMatch("$\"{mean:F4} eV\""), "the pattern finds one");
    }

    [GeneratedRegex("(?<!Seconds|Seconds,[0-9]+):[FP][0-9]\\}|ToString\\(\"[FP][0-9]\"")]
    private static partial Regex FixedPoint();

    [GeneratedRegex(@"max_line_length = (\d+)")]
    private static partial Regex Width();

    [GeneratedRegex("\"(?:[^\"\\\\]|\\\\.){60,}")]
    private static partial Regex LongLiteral();
}
