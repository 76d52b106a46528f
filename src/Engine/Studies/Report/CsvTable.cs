using System.Globalization;
using System.Text;

namespace ChemScale.Engine.Studies.Report;

/// <summary>The numbers behind a figure: a header line, every digit of a double, an empty cell for what is missing.</summary>
internal sealed class CsvTable
{
    private readonly StringBuilder _text = new();
    private readonly int _columns;

    public CsvTable(params string[] header)
    {
        _columns = header.Length;
        Add(header);
    }

    /// <summary>Adds a row of strings, numbers, truth values and nulls, one for each column.</summary>
    public void Add(params object?[] row)
    {
        if (row.Length != _columns) throw new ArgumentException($"{row.Length} values for {_columns} columns", nameof(row));
        _text.AppendJoin(',', row.Select(Cell)).Append('\n');
    }

    public override string ToString() => _text.ToString();

    private static string Cell(object? value) => value switch
    {
        null => "",
        double d when double.IsPositiveInfinity(d) => "inf",
        double d when double.IsNegativeInfinity(d) => "-inf",
        double d => d.ToString("R", CultureInfo.InvariantCulture),
        bool b => b ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => Quote(value.ToString()!),
    };

    private static string Quote(string text) =>
        text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
