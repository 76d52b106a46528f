using System.Text;
using NUnit.Framework;

namespace ChemScale.Tests.Cli;

/// <summary>convert is a filter: a line out for each line in, in order.</summary>
public sealed class ConvertTests
{
    [Test]
    public void Order_is_kept_over_many_lines_with_errors_among_them()
    {
        const int Count = 100_000;
        var input = new StringBuilder();
        for (int i = 0; i < Count; i++)
        {
            // Line i is a chain of as many atoms as its number's digits say: refused, empty, with a name, with CR, in turn.
            input.Append((i % 7) switch
            {
                0 => "C1" + Chain(i),
                1 => "",
                2 => $"{Chain(i)} molecule {i}",
                3 => $"{Chain(i)}\tmolecule {i}\r",
                _ => Chain(i),
            }).Append('\n');
        }
        Outcome outcome = CommandLine.Run(["convert"], Encoding.UTF8.GetBytes(input.ToString()));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        string[] lines = outcome.Output.Split('\n');
        Assert.That(lines, Has.Length.EqualTo(Count + 1));
        Assert.That(lines[^1], Is.Empty);
        for (int i = 0; i < Count; i++)
        {
            bool refused = i % 7 < 2;
            if (refused ? !lines[i].StartsWith("!ERROR ", StringComparison.Ordinal) : lines[i] != Symbols(i)) Assert.Fail($"line {i + 1}: {lines[i]}");
        }
        Assert.That(outcome.ErrorLines, Has.Length.EqualTo(1));

        static string Chain(int i) => string.Concat($"{i}".Select(digit => "CNOCCNOCCN"[digit - '0']));
        static string Symbols(int i) => string.Concat(Chain(i).Select(atom => $"[{atom}]"));
    }

    [Test]
    public void Lines_that_are_no_text_are_refused_alone()
    {
        byte[] input = [.. "\ufeffCCO ethanol\r\n\r\n"u8, 0xff, 0xfe, .. "CC\nC1CC\nC\0C\n"u8, .. Encoding.ASCII.GetBytes(new string('C', 1_000_000)), .. "\n  \nCCN"u8];
        Outcome outcome = CommandLine.Run(["convert", "--threads", "2"], input);
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        string[] lines = outcome.Output.Split('\n');
        Assert.Multiple(() =>
        {
            Assert.That(lines, Has.Length.EqualTo(9));
            Assert.That(lines[0], Is.EqualTo("[C][C][O]"));
            foreach (int refused in (int[])[1, 2, 3, 4, 6]) Assert.That(lines[refused], Does.StartWith("!ERROR "), $"line {refused + 1}");
            Assert.That(lines[5], Has.Length.EqualTo(3_000_000));
            Assert.That(lines[7], Is.EqualTo("[C][C][N]"));
            Assert.That(lines[8], Is.Empty);
        });
    }

    [TestCase("1.0.4"), TestCase("2.1")]
    public void Molecules_come_back_from_symbols_and_ids(string grammar)
    {
        string[] smiles = ["CCO", "C=O", "C#N", "CC(=O)NC", "C1CCCCC1", "OCC(F)(F)F", "NCC1CC1"];
        string store = Workplace.In($"round-{grammar}"), tokenizer = Path.Combine(store, "tokenizer.json");
        Assert.That(CommandLine.Here("prepare", "--molecules", Workplace.Write("round.smi", string.Join('\n', smiles)), "--out", store, "--grammar", grammar).ExitCode, Is.Zero);
        string given = string.Join('\n', smiles) + "\n";
        string selfies = Convert(given, "--from", "smiles", "--to", "selfies", "--grammar", grammar);
        string ids = Convert(selfies, "--from", "selfies", "--to", "tokens", "--tokenizer", tokenizer);
        string again = Convert(ids, "--from", "tokens", "--to", "selfies", "--tokenizer", tokenizer);
        string back = Convert(again, "--from", "selfies", "--to", "smiles", "--grammar", grammar);
        Assert.Multiple(() =>
        {
            Assert.That(ids, Does.Match("^[0-9 \n]+$"));
            Assert.That(again, Is.EqualTo(selfies));
            Assert.That(back, Is.EqualTo(given));
        });
    }

    private static string Convert(string input, params string[] options)
    {
        Outcome outcome = CommandLine.Run(["convert", .. options], Encoding.UTF8.GetBytes(input));
        Assert.That(outcome.ExitCode, Is.Zero, outcome.Error);
        Assert.That(outcome.Output, Does.Not.Contain("!ERROR"));
        return outcome.Output;
    }
}
