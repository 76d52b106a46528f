using ChemScale.Engine;
using ChemScale.Engine.Files;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Files;

public class ReadingTests
{
    [Test]
    public void A_message_is_one_line_of_visible_characters_however_long_its_parts([Values(1, 300, 100_000)] int length)
    {
        string part = string.Concat(Enumerable.Repeat("a\n\u001b[2K\u202e\ud800b", length));
        var mistake = new InputException("/very/long/" + part + "/file.xyz:17", part, part, part);
        Assert.That(mistake.Message.Any(c => char.IsControl(c) || c is '\u202e' or '\ud800'), Is.False);
        Expect.AtMost(("chemscale: " + mistake.Message).Length, 300);
        Assert.That(mistake.Message, Does.Contain("file.xyz:17").And.Contain("; expected ").And.Contain(". HINT: "));
        Assert.That(mistake.Message, Does.Contain("a\\n\\u001b[2K\\u202e\\ud800b"));
    }

    [Test]
    public void A_message_that_fits_is_whole()
    {
        Assert.That(new InputException("file:3", "naïve 😀", "x", "y").Message, Is.EqualTo("file:3: naïve 😀; expected x. HINT: y"));
        string hint = new('h', 200);
        Assert.That(new InputException("file:3", "this", "that", hint).Message, Does.EndWith(hint));
    }

    [Test]
    public void What_a_parser_throws_names_the_file_and_what_the_system_throws_is_left_alone()
    {
        Exception[] ofTheFile = [new FormatException("a"), new OverflowException(), new IndexOutOfRangeException(), new KeyNotFoundException(), new OutOfMemoryException()];
        foreach (Exception thrown in ofTheFile)
            Assert.That(() => Reading.Guard<int>("file.x", "a file", () => throw thrown), Throws.TypeOf<InputException>().With.Message.StartWith("file.x: "));
        Exception[] others =
            [new FileNotFoundException(), new UnauthorizedAccessException(), new OperationCanceledException(), new InputException("a", "b"), new ObjectDisposedException("c")];
        foreach (Exception thrown in others)
            Assert.That(() => Reading.Guard<int>("file.x", "a file", () => throw thrown), Throws.TypeOf(thrown.GetType()));
        Assert.That(() => Reading.Guard("file.x", "a file", Items()).Count(), Throws.TypeOf<InputException>().With.Message.StartWith("file.x: "));

        static IEnumerable<int> Items()
        {
            yield return 1;
            throw new FormatException("not the second");
        }
    }

    [TestCase("["), TestCase("{"), TestCase("- "), TestCase("{a: "), TestCase("[{a: [")]
    public void YAML_that_nests_without_end_is_refused(string opening)
    {
        string text = string.Concat(Enumerable.Repeat(opening, 100_000 / opening.Length));
        Assert.That(() => YamlText.Documents(text, "deep.yaml"), Throws.TypeOf<InputException>().With.Message.StartsWith("deep.yaml:1"));
    }

    [TestCase("a: &x [*x]", "deep.yaml:1: '*x'"), TestCase("model: {family: chemgpt}\n    : 0.05", "deep.yaml:2"), TestCase("a: *nowhere", "deep.yaml")]
    public void YAML_that_makes_no_sense_is_named_with_its_line(string text, string start) =>
        Assert.That(() => YamlText.Documents(text, "deep.yaml"), Throws.TypeOf<InputException>().With.Message.StartsWith(start));

    [Test]
    public void YAML_of_settings_is_read() => Assert.That(YamlText.Documents("base: &b {x: 1}\nruns: [*b, *b]\n", "a.yaml"), Has.Count.EqualTo(1));

    [TestCase("=1+1"), TestCase("+cmd"), TestCase("-2+3"), TestCase("@SUM(A1)"), TestCase("\t=1")]
    [TestCase("'quoted"), TestCase("'=1"), TestCase("''-x"), TestCase("plain"), TestCase("a,\"b\"\nc"), TestCase("-")]
    public void Text_that_a_spreadsheet_would_compute_is_text_and_reads_back(string text)
    {
        var csv = new CsvWriter("name", "value");
        csv.Add(text, -1.5);
        string written = csv.ToString().Split('\n', 2)[1];
        Assert.That(written.TrimStart('"')[0], Is.Not.AnyOf('=', '+', '@', '\t').And.Not.EqualTo(text.Length > 1 ? '-' : ' '));
        CsvTable table = CsvTable.Parse(csv.ToString(), "a.csv");
        Assert.That((table.Text(0, 0).Trim(), table.Number(0, 1)), Is.EqualTo((text.Trim(), -1.5)));
    }
}
