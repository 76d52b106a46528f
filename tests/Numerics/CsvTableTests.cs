using ChemScale.Engine;
using ChemScale.Engine.Numerics;
using NUnit.Framework;

namespace ChemScale.Tests.Numerics;

public class CsvTableTests
{
    [TestCase(',')]
    [TestCase(';')]
    [TestCase('\t')]
    public void Quoted_fields_empty_cells_blank_lines_and_any_line_ending_are_read(char separator)
    {
        string text = "\uFEFFa|\"the;,\t \"\"loss\"\"\"|c\r\n1|\"2.5\"|\n\n\" 3e-2 \"||\"x\ny\"\r\n|nan|-inf";
        var table = CsvTable.Parse(text.Replace('|', separator), "t.csv");
        Assert.That(table.RowCount, Is.EqualTo(3));
        Assert.That(table.Header[0], Is.EqualTo("a"));
        Assert.That(table.Header[1], Is.EqualTo("the;,\t \"loss\""));
        Assert.That(table.Number(0, 0), Is.EqualTo(1));
        Assert.That(table.Number(0, 1), Is.EqualTo(2.5));
        Assert.That(table.Number(0, 2), Is.Null);
        Assert.That(table.Number(1, 0), Is.EqualTo(0.03));
        Assert.That(table.Text(1, 2), Is.EqualTo("x\ny"));
        Assert.That(table.Number(2, 1), Is.NaN);
        Assert.That(table.Number(2, 2), Is.EqualTo(double.NegativeInfinity));
        Assert.That(new[] { table.Line(0), table.Line(1), table.Line(2) }, Is.EqualTo(new[] { 2, 4, 6 }));
    }

    [Test]
    public void A_wrong_cell_is_named_by_file_line_and_column()
    {
        var table = CsvTable.Parse("epoch,loss\n0,1.5\n1,oops\n1.5,2", "m.csv");
        Assert.That(() => table.Number(1, table.Column("loss")),
            Throws.TypeOf<InputException>().With.Message.EqualTo("m.csv:3:2: \"oops\" under \"loss\"; expected a number or nothing"));
        Assert.That(() => table.Integer(2, 0), Throws.TypeOf<InputException>().With.Message.StartsWith("m.csv:4:1: \"1.5\""));
    }

    [TestCase("", "m.csv: empty")]
    [TestCase("\n\n", "m.csv: empty")]
    [TestCase("a,b\n1,2,3", "m.csv:2: 3 cells; expected 2")]
    [TestCase("a,b\n\"1,2\n3,4", "m.csv:2:1: a quote that never closes")]
    [TestCase("a,b\n1,\"2\"3", "m.csv:2:2: text after a closing quote")]
    [TestCase("a\0b", "m.csv: binary data")]
    public void A_broken_file_is_refused_with_its_place(string text, string message) =>
        Assert.That(() => CsvTable.Parse(text, "m.csv"), Throws.TypeOf<InputException>().With.Message.StartsWith(message));

    [Test]
    public void Columns_are_found_by_name_exactly_first_and_listed_when_missing()
    {
        var table = CsvTable.Parse("Loss,loss,D\n1,2,3", "m.csv");
        Assert.That(table.Column("loss"), Is.EqualTo(1));
        Assert.That(table.Column("d"), Is.EqualTo(2));
        Assert.That(() => table.Column("LOSS"), Throws.TypeOf<InputException>().With.Message.StartsWith("m.csv:1:2: a second column"));
        Assert.That(() => table.Column("N"), Throws.TypeOf<InputException>().With.Message.Contains("\"Loss\", \"loss\", \"D\""));
        Assert.That(table.FindColumn("N"), Is.Null);
    }

    [Test]
    public void A_missing_file_is_an_input_error() =>
        Assert.That(() => CsvTable.Read("no/such.csv"), Throws.TypeOf<InputException>().With.Message.Contains("no such file"));
}
