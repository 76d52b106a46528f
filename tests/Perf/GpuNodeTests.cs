using System.Globalization;
using System.Text.RegularExpressions;
using ChemScale.Tests.Cli;
using ChemScale.Tests.House;
using NUnit.Framework;
using Command = ChemScale.Tests.Cli.CommandLine;

namespace ChemScale.Tests.Perf;

/// <summary>The script for a GPU node: what it takes, and that its calls end in time.</summary>
public partial class GpuNodeTests
{
    private static readonly string Script = Path.Combine(Repository.Root, "perf", "gpu-node.sh");

    [Test]
    public void The_steps_of_each_call_end_within_what_it_has()
    {
        string text = File.ReadAllText(Script);
        Dictionary<string, int> caps = Cap().Matches(text[text.IndexOf("caps=(", StringComparison.Ordinal)..].Split('\n')[0])
            .ToDictionary(m => m.Groups[1].Value, m => int.Parse(m.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
        string[][] calls = [.. Call().Matches(text).Select(m => m.Groups[1].Value.Split(' '))];
        Assert.That(calls, Has.Length.EqualTo(2));
        Assert.That(calls.SelectMany(c => c), Is.EquivalentTo(caps.Keys));
        int[] seconds = [.. calls.Select(c => c.Sum(step => caps[step]))];
        Expect.AtMost(seconds[0], 270);
        Expect.AtMost(seconds[1], 240);
        foreach (string step in caps.Keys) Assert.That(text, Does.Contain($"step_{step}()"));
    }

    [TestCase("option '--call'", "--dry")]
    [TestCase("option '--call'", "--call", "3")]
    [TestCase("option '--only': 'memcheck'; expected of host", "--call", "1", "--only", "memcheck")]
    [TestCase("unknown option '--minutes'", "--minutes")]
    [TestCase("no ChemScale.Cli", "--call", "1", "--dry", "/usr")]
    public void A_mistake_is_told_in_one_line(string message, params string[] arguments)
    {
        Outcome outcome = Command.Bash($"exec bash '{Script}' {string.Join(' ', arguments)}");
        Assert.That(outcome.ExitCode, Is.EqualTo(2), outcome.ToString());
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(outcome.Error, Does.Contain(message));
    }

    [GeneratedRegex(@"\[(\w+)\]=(\d+)")]
    private static partial Regex Cap();

    [GeneratedRegex(@"\[[12]\]=""([\w ]+)""")]
    private static partial Regex Call();
}
