using System.Globalization;
using System.Text;

namespace ChemScale.Engine.Numerics;

/// <summary>
/// A CSV file with a header row: quoted fields (RFC 4180, line breaks inside quotes too), empty cells, any column order. The separator is a
/// comma, or a semicolon or tab where the header has no comma. Every message names file:line:column, both counted from 1.
/// </summary>
internal sealed class CsvTable
{
    private readonly List<Row> rows = [];
    private readonly string[] header;

    private readonly record struct Row(int Line, string[] Cells);

    private CsvTable(string path, string[] header)
    {
        Path = path;
        this.header = header;
    }

    /// <summary>Of the file, or the name given to the text.</summary>
    public string Path { get; }

    public IReadOnlyList<string> Header => header;

    public int RowCount => rows.Count;

    /// <exception cref="InputException">The file is missing, empty, binary, or has a row of another width than its header.</exception>
    public static CsvTable Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputException(path, "no such file", "a CSV file with a header row");
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new InputException(path, $"cannot be read ({e.Message})", "a CSV file with a header row");
        }
        return Parse(text, path);
    }

    /// <param name="text">The whole file.</param>
    /// <param name="name">Stands for the file in messages.</param>
    /// <exception cref="InputException">As for <see cref="Read"/>.</exception>
    public static CsvTable Parse(string text, string name)
    {
        int binary = text.IndexOf('\0');
        if (binary >= 0) throw new InputException(name, "binary data", "a CSV file with a header row");
        CsvTable? table = null;
        foreach (Row row in Split(text, name, Separator(text)))
        {
            if (table is null)
            {
                table = new CsvTable(name, [.. row.Cells.Select(c => c.Trim().TrimStart('\uFEFF'))]);
                continue;
            }
            if (row.Cells.Length != table.header.Length)
                throw new InputException($"{name}:{row.Line}", $"{row.Cells.Length} cells", $"{table.header.Length}, as in the header");
            table.rows.Add(row);
        }
        return table ?? throw new InputException(name, "empty", "a CSV file with a header row");
    }

    /// <summary>Position of a column; names match exactly, else without regard to case.</summary>
    /// <exception cref="InputException">There is none of that name, or more than one.</exception>
    public int Column(string name) => FindColumn(name)
        ?? throw new InputException($"{Path}:1", $"no column \"{name}\"", "one of " + string.Join(", ", header.Select(h => $"\"{h}\"")));

    /// <summary>As <see cref="Column"/>, but null where there is none.</summary>
    public int? FindColumn(string name)
    {
        foreach (StringComparison comparison in (StringComparison[])[StringComparison.Ordinal, StringComparison.OrdinalIgnoreCase])
        {
            int first = Array.FindIndex(header, h => h.Equals(name, comparison));
            if (first < 0) continue;
            int last = Array.FindLastIndex(header, h => h.Equals(name, comparison));
            return first == last ? first : throw new InputException($"{Path}:1:{last + 1}", $"a second column \"{name}\"", "one");
        }
        return null;
    }

    public int Line(int row) => rows[row].Line;

    public string Text(int row, int column)
    {
        string cell = rows[row].Cells[column].Trim();
        // As CsvWriter writes what a spreadsheet would compute.
        return cell.Length > 1 && cell[0] == '\'' && CsvWriter.IsFormula(cell.AsSpan(1)) ? cell[1..] : cell;
    }

    /// <summary>The number in a cell, nan and inf included; null where the cell is empty.</summary>
    /// <exception cref="InputException">The cell holds something else.</exception>
    public double? Number(int row, int column)
    {
        string cell = Text(row, column);
        if (cell.Length == 0) return null;
        if (double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value)) return value;
        return cell.ToLowerInvariant() switch
        {
            "nan" => double.NaN,
            "inf" or "+inf" => double.PositiveInfinity,
            "-inf" => double.NegativeInfinity,
            _ => throw Wrong(row, column, "a number or nothing"),
        };
    }

    /// <summary>The whole number in a cell; null where the cell is empty.</summary>
    /// <exception cref="InputException">The cell holds something else.</exception>
    public long? Integer(int row, int column)
    {
        if (Number(row, column) is not { } value) return null;
        if (value != Math.Floor(value) || Math.Abs(value) > 1L << 53) throw Wrong(row, column, "a whole number or nothing");
        return (long)value;
    }

    /// <summary>The error for a cell: file:line:column, its text, what was expected.</summary>
    public InputException Wrong(int row, int column, string expected)
    {
        string cell = Text(row, column);
        string shown = cell.Length == 0 ? "an empty cell" : cell.Length > 40 ? $"\"{cell[..40]}...\"" : $"\"{cell}\"";
        return new InputException($"{Path}:{Line(row)}:{column + 1}", $"{shown} under \"{header[column]}\"", expected);
    }

    // The most eager of those that stand outside quotes in the header.
    private static char Separator(string text)
    {
        bool quoted = false;
        char found = '\0';
        foreach (char c in text.AsSpan().TrimStart("\uFEFF\r\n"))
        {
            if (c == '"') quoted = !quoted;
            if (quoted) continue;
            if (c is ',' or '\n') return c == ',' || found == '\0' ? ',' : found;
            if (c == ';' || (c == '\t' && found == '\0')) found = c;
        }
        return found == '\0' ? ',' : found;
    }

    private static IEnumerable<Row> Split(string text, string name, char separator)
    {
        var cells = new List<string>();
        var cell = new StringBuilder();
        int line = 1, rowLine = 1, at = 0;
        while (at < text.Length)
        {
            char c = text[at];
            if (c == '"' && cell.Length == 0)
            {
                int opened = line;
                for (at++; ; at++)
                {
                    if (at >= text.Length)
                        throw new InputException($"{name}:{opened}:{cells.Count + 1}", "a quote that never closes", "\"...\"");
                    if (text[at] == '\n') line++;
                    if (text[at] != '"') cell.Append(text[at]);
                    else if (at + 1 < text.Length && text[at + 1] == '"') cell.Append(text[at++]);
                    else break;
                }
                at++;
                if (at < text.Length && text[at] != separator && text[at] is not ('\r' or '\n'))
                    throw new InputException($"{name}:{line}:{cells.Count + 1}", "text after a closing quote",
                        "a separator or the end of the line");
            }
            else if (c == separator)
            {
                cells.Add(cell.ToString());
                cell.Clear();
                at++;
            }
            else if (c is '\r' or '\n')
            {
                if (c == '\r' && at + 1 < text.Length && text[at + 1] == '\n') at++;
                at++;
                line++;
                if (cells.Count > 0 || cell.Length > 0) yield return End();
                rowLine = line;
            }
            else
            {
                cell.Append(c);
                at++;
            }
        }
        if (cells.Count > 0 || cell.Length > 0) yield return End();

        Row End()
        {
            cells.Add(cell.ToString());
            cell.Clear();
            var row = new Row(rowLine, [.. cells]);
            cells.Clear();
            return row;
        }
    }
}

/// <summary>
/// A CSV file in the making: a header line, every digit of a double, an empty cell for what is missing. Text that a spreadsheet would take
/// for a formula gets an apostrophe before it, which <see cref="CsvTable"/> takes away.
/// </summary>
internal sealed class CsvWriter
{
    private readonly StringBuilder text = new();
    private readonly int columns;

    public CsvWriter(params string[] header)
    {
        columns = header.Length;
        Add(header);
    }

    /// <summary>Adds a row of strings, numbers, truth values and nulls, one for each column.</summary>
    public void Add(params object?[] row)
    {
        if (row.Length != this.columns) throw new ArgumentException($"{row.Length} values for {this.columns} columns", nameof(row));
        text.AppendJoin(',', row.Select(Cell)).Append('\n');
    }

    public override string ToString() => text.ToString();

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

    /// <summary>Or begins as one that is written already.</summary>
    internal static bool IsFormula(ReadOnlySpan<char> text) => text.Length > 1 && (text[0] == '\'' ? IsFormula(text[1..])
        : text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' && !double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out _));

    private static string Quote(string text)
    {
        if (IsFormula(text)) text = "'" + text;
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
