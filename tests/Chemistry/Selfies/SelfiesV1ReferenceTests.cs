using ChemScale.Engine.Chemistry.Selfies;
using NUnit.Framework;

namespace ChemScale.Tests.Chemistry.Selfies;

/// <summary>Every line of the reference package's output, both directions.</summary>
public class SelfiesV1ReferenceTests
{
    private const string Refused = "!ERROR";
    private const int Shown = 5;

    private readonly SelfiesCodec codec = SelfiesCodec.Create(SelfiesGrammar.V1);

    [TestCaseSource(nameof(OracleFiles))]
    public void Encodes_and_decodes_as_the_reference_package(string path)
    {
        var differences = new Differences();
        foreach (string line in DataLines.Of(path))
        {
            string[] fields = line.Split('\t');
            differences.Add(fields[0], Encode(fields[0]), fields[1]);
            if (fields[1] != Refused) differences.Add(fields[1], Decode(fields[1]), fields[2]);
        }
        Expect.Above(differences.Compared, 0);
        Assert.That(differences.Count, Is.Zero, differences.ToString());
    }

    [TestCaseSource(nameof(RandomFiles))]
    public void Decodes_random_symbols_as_the_reference_package(string path)
    {
        var differences = new Differences();
        foreach (string line in DataLines.Of(path))
        {
            string[] fields = line.Split('\t');
            differences.Add(fields[0], Decode(fields[0]), fields[1]);
        }
        Expect.Above(differences.Compared, 0);
        Assert.That(differences.Count, Is.Zero, differences.ToString());
    }

    private static IEnumerable<TestCaseData> OracleFiles() => ReferenceData.Cases("selfies", "selfies_oracle_v1*.tsv.gz");

    private static IEnumerable<TestCaseData> RandomFiles() => ReferenceData.Cases("selfies", "selfies_random_v1*.tsv.gz");

    private string Encode(string smiles) => codec.TryEncode(smiles, out ReadOnlySpan<char> text) ? text.ToString() : Refused;

    private string Decode(string selfies) => codec.TryDecode(selfies, out ReadOnlySpan<char> text) ? text.ToString() : Refused;

    private sealed class Differences
    {
        private readonly List<string> first = [];

        public int Compared { get; private set; }

        public int Count { get; private set; }

        public void Add(string input, string found, string expected)
        {
            Compared++;
            if (found != expected && Count++ < Shown) first.Add($"{input}\n    found    {found}\n    expected {expected}");
        }

        public override string ToString() => $"{Count} of {Compared} differ, the first:\n{string.Join('\n', first)}";
    }
}
