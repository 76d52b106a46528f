using ChemScale.Engine;
using ChemScale.Engine.Tokens.Preparation;
using NUnit.Framework;

namespace ChemScale.Tests.Tokens.Preparation;

public class LineFormatTests
{
    [TestCase("id,SMILES,split", null, 1)]
    [TestCase("smiles", null, 0)]
    [TestCase("name,canonical_smiles", null, 1)]
    [TestCase("isomeric_smiles,Smiles", null, 1)]
    [TestCase("\"id\",\"Smiles\"", null, 1)]
    [TestCase("id\tsmiles", null, 1)]
    [TestCase("id;smiles", null, 1)]
    [TestCase("a,structure", "Structure", 1)]
    public void A_column_is_found_by_name_in_any_case(string header, string? column, int expected) =>
        Assert.That(LineFormat.Csv(header, column, MoleculeKind.Smiles, "f.csv").Column, Is.EqualTo(expected));

    [TestCase("id,structure", null, "one named")]
    [TestCase("smiles,SMILES", null, "one alone named smiles")]
    [TestCase("a_smiles,b_smiles", null, "one alone named smiles")]
    [TestCase("id,smiles", "canonical", "one named")]
    public void A_header_without_it_or_with_several_is_refused(string header, string? column, string expected) =>
        Assert.That(() => LineFormat.Csv(header, column, MoleculeKind.Smiles, "f.csv"), Throws.TypeOf<InputException>()
            .With.Message.StartsWith($"f.csv:1: columns {header.Replace(",", ", ")}; expected {expected}"));

    [TestCase("7,CCO,x", "CCO")]
    [TestCase("7,CCO", "CCO")]
    [TestCase("\"a,b\",\"CC\",", "CC")]
    [TestCase("\"a \"\"b\"\", c\", CC ", "CC")]
    [TestCase("7", "fewer columns than the header")]
    [TestCase("7,,x", "no molecule in its column")]
    [TestCase("\"7,CC", "a quote that is not closed")]
    public void A_field_of_a_csv_line_is_cut_out(string line, string expected)
    {
        LineFormat format = LineFormat.Csv("id,smiles,set", null, MoleculeKind.Smiles, "f.csv");
        bool found = format.TryField(line, out ReadOnlySpan<char> field, out string reason);
        Assert.That(found ? field.ToString() : reason, Is.EqualTo(expected));
    }

    [TestCase("CCO", "CCO")]
    [TestCase("CCO ethanol", "CCO")]
    [TestCase("CCO\tethanol\t7", "CCO")]
    public void The_first_field_of_any_other_line_is_the_molecule(string line, string expected)
    {
        Assert.That(LineFormat.FirstField(MoleculeKind.Smiles).TryField(line, out ReadOnlySpan<char> field, out _));
        Assert.That(field.ToString(), Is.EqualTo(expected));
    }
}
