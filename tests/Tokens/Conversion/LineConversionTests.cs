using ChemScale.Engine;
using ChemScale.Engine.Chemistry.Selfies;
using ChemScale.Engine.Tokens;
using ChemScale.Engine.Tokens.Conversion;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Conversion;

public class LineConversionTests
{
    [Test]
    public void Lines_keep_their_order_on_many_threads([Values(1, 3)] int threads)
    {
        string[] smiles = [.. Enumerable.Range(0, 20_000).Select(i => i % 7 == 3 ? "C1CC" : new string('C', 1 + i % 40))];
        (string[] lines, long refused) = Convert(smiles, new ConversionOptions { Threads = threads });
        Assert.That(lines, Has.Length.EqualTo(smiles.Length));
        for (int i = 0; i < lines.Length; i++)
        {
            if (i % 7 == 3) Assert.That(lines[i], Does.StartWith("!ERROR "));
            else Assert.That(lines[i], Is.EqualTo(string.Concat(Enumerable.Repeat("[C]", 1 + i % 40))));
        }
        Assert.That(refused, Is.EqualTo(smiles.Where((_, i) => i % 7 == 3).Count()));
    }

    [Test]
    public void There_and_back_through_tokens()
    {
        var counts = new SymbolCounts();
        counts.Add("[C][O][=N]");
        Tokenizer tokenizer = counts.ToTokenizer(SelfiesGrammar.V1, 1);
        (string[] ids, _) = Convert(["COC", "C=N"], new ConversionOptions { To = LineForm.Tokens, Tokenizer = tokenizer });
        Assert.That(ids[0].Split(' '), Has.Length.EqualTo(5), "[CLS], three symbols, [SEP]");
        (string[] smiles, _) = Convert(ids, new ConversionOptions { From = LineForm.Tokens, To = LineForm.Smiles, Tokenizer = tokenizer });
        Assert.That(smiles, Is.EqualTo(new[] { "COC", "C=N" }));
    }

    [TestCase("", "!ERROR empty line")]
    [TestCase("CCO ethanol", "[C][C][O]")]
    [TestCase("CCO\tethanol", "[C][C][O]")]
    [TestCase("  CCO  ", "[C][C][O]")]
    public void The_first_field_counts(string line, string expected) =>
        Assert.That(Convert([line], new ConversionOptions()).Lines, Is.EqualTo(new[] { expected }));

    [Test]
    public void A_word_that_is_no_id_is_refused_in_its_line()
    {
        Tokenizer tokenizer = new SymbolCounts().ToTokenizer(SelfiesGrammar.V2, 1);
        var options = new ConversionOptions { From = LineForm.Tokens, To = LineForm.Selfies, Grammar = SelfiesGrammar.V2, Tokenizer = tokenizer };
        Assert.That(Convert(["2 x 3", "2 99999 3"], options).Lines, Has.All.StartsWith("!ERROR"));
    }

    [Test]
    public void Conversions_that_mean_nothing_are_refused()
    {
        Assert.That(() => Convert([], new ConversionOptions { To = LineForm.Smiles }), Throws.TypeOf<InputException>());
        Assert.That(() => Convert([], new ConversionOptions { To = LineForm.Tokens }), Throws.TypeOf<InputException>().With.Message.Contains("tokenizer"));
    }

    private static (string[] Lines, long Refused) Convert(IEnumerable<string> lines, ConversionOptions options)
    {
        using var input = new StringReader(string.Concat(lines.Select(l => l + "\n")));
        using var output = new StringWriter();
        (_, long refused) = LineConversion.Run(input, output, options);
        string text = output.ToString();
        return (text.Length == 0 ? [] : text[..^1].Split('\n'), refused);
    }
}
