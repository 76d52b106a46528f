using ChemScale.Engine.Chemistry.Selfies;

namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Where the molecule stands in a line.</summary>
internal sealed record LineFormat
{
    private const char Whitespace = ' ';

    private static readonly LineFormat FirstSmiles = new(Whitespace, 0, MoleculeKind.Smiles), FirstSelfies = new(Whitespace, 0, MoleculeKind.Selfies);

    private readonly MoleculeKind kind;

    private LineFormat(char delimiter, int column, MoleculeKind kind)
    {
        Delimiter = delimiter;
        Column = column;
        this.kind = kind;
    }

    /// <summary>The first field up to white space, which may stand between symbols of SELFIES: .smi and .txt.</summary>
    public static LineFormat FirstField(MoleculeKind kind) => kind == MoleculeKind.Selfies ? FirstSelfies : FirstSmiles;

    public char Delimiter { get; }

    public int Column { get; }

    /// <summary>A column of a .csv by its header: comma, or tab or semicolon where it has no comma.</summary>
    /// <exception cref="InputException">No such column, or several that might be meant.</exception>
    public static LineFormat Csv(ReadOnlySpan<char> header, string? column, MoleculeKind kind, string file)
    {
        char delimiter = MoleculeFile.KindOf(file) == ".tsv" ? '\t' : header.Contains(',') ? ',' : header.Contains('\t') ? '\t' : header.Contains(';') ? ';' : ',';
        string[] names = Names(header, new LineFormat(delimiter, 0, kind));
        string wanted = column ?? kind.ToString();
        int[] found = Matching(name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        if (found.Length == 0 && column is null) found = Matching(name => name.Contains(wanted, StringComparison.OrdinalIgnoreCase));
        return found.Length == 1
            ? new LineFormat(delimiter, found[0], kind)
            : throw new InputException(
                $"{file}:1",
                $"columns {Shown(names)}",
                $"one{(found.Length > 1 ? " alone" : "")} named {wanted.ToLowerInvariant()}",
                "name the column of the molecules");

        int[] Matching(Func<string, bool> match) => [.. Enumerable.Range(0, names.Length).Where(i => match(names[i]))];
    }

    /// <summary>True for a first line such as <c>SMILES name</c>, which is no molecule.</summary>
    public static bool IsHeader(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> field = UpToWhitespace(line);
        return field.Equals("smiles", StringComparison.OrdinalIgnoreCase) || field.Equals("selfies", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>A line that says something of the file; no molecule begins so.</summary>
    public bool IsComment(ReadOnlySpan<char> line) => Delimiter == Whitespace && line[0] == '#';

    /// <summary>
    /// How much of a text is whole records: lines or, with columns, lines and those behind a line break between quotes. A quote that never
    /// closes, or not before a delimiter, spoils its own line alone.
    /// </summary>
    /// <param name="text">From the beginning of a record.</param>
    /// <param name="atEnd">Nothing follows it.</param>
    public int WholeRecords(ReadOnlySpan<char> text, bool atEnd)
    {
        int lines = atEnd ? text.Length : text.LastIndexOf('\n') + 1;
        if (Delimiter == Whitespace || !text.Contains('"')) return lines;
        int start = 0;
        while (start < lines)
        {
            int length = Record(text[start..]);
            if (length == 0 && !atEnd && start > 0) break;
            start += length > 0 ? length : Line(text[start..]);
        }
        return start;
    }

    /// <summary>Of the first record of a text of whole ones, line feed included.</summary>
    public int RecordLength(ReadOnlySpan<char> text)
    {
        int length = Delimiter == Whitespace ? 0 : Record(text);
        return length > 0 ? length : Line(text);
    }

    /// <summary>The molecule of a line; false, with a reason, where the line has no such field.</summary>
    public bool TryField(ReadOnlySpan<char> line, out ReadOnlySpan<char> field, out string reason)
    {
        reason = "";
        if (Delimiter == Whitespace)
        {
            field = kind == MoleculeKind.Selfies ? SelfiesSymbols.Field(line) : UpToWhitespace(line);
            return true;
        }
        for (int column = 0; ; column++)
        {
            if (!TryNext(ref line, out field, out bool last, out reason)) return false;
            if (column == Column) break;
            if (!last) continue;
            reason = "fewer columns than the header";
            return false;
        }
        field = kind == MoleculeKind.Selfies ? SelfiesSymbols.Field(field) : field.Trim();
        if (field.Length == 0) reason = "no molecule in its column";
        return field.Length > 0;
    }

    private static int Line(ReadOnlySpan<char> text) => text.IndexOf('\n') is >= 0 and var end ? end + 1 : text.Length;

    /// <summary>0: the text ends before the record does.</summary>
    private int Record(ReadOnlySpan<char> text)
    {
        bool first = true, begins = true;
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (c == '\n') return i + 1;
            if (c == '"' && begins)
            {
                int close = i + 1;
                while (true)
                {
                    int quote = text[close..].IndexOf('"');
                    if (quote < 0) return 0;
                    close += quote + 1;
                    if (close == text.Length || text[close] != '"') break;
                    close++;
                }
                if (close < text.Length && text[close] != Delimiter && text[close] != '\n') return Line(text);
                (i, begins, first) = (close - 1, false, false);
                continue;
            }
            // White space before a record is no part of it.
            begins = c == Delimiter || (first && begins && char.IsWhiteSpace(c));
            first &= c != Delimiter;
        }
        return 0;
    }

    private static string[] Names(ReadOnlySpan<char> header, LineFormat format)
    {
        var names = new List<string>();
        ReadOnlySpan<char> rest = header;
        for (bool last = false; !last;)
        {
            if (!format.TryNext(ref rest, out ReadOnlySpan<char> name, out last, out _)) return [.. header.ToString().Split(format.Delimiter).Select(n => n.Trim().Trim('"'))];
            names.Add(name.Trim().Trim('"').ToString());
        }
        return [.. names];
    }

    private bool TryNext(scoped ref ReadOnlySpan<char> line, out ReadOnlySpan<char> field, out bool last, out string reason)
    {
        reason = "";
        if (line.Length == 0 || line[0] != '"')
        {
            int end = line.IndexOf(Delimiter);
            last = end < 0;
            field = last ? line : line[..end];
            line = last ? default : line[(end + 1)..];
            return true;
        }
        // A doubled quote inside stands for one; the field of a molecule has none, so it is only skipped over.
        int close = 1;
        while (close < line.Length && (line[close] != '"' || (close + 1 < line.Length && line[close + 1] == '"')))
        {
            close += line[close] == '"' ? 2 : 1;
        }
        last = close + 1 >= line.Length;
        field = default;
        if (close >= line.Length || (!last && line[close + 1] != Delimiter))
        {
            reason = "a quote that is not closed";
            return false;
        }
        field = line[1..close];
        line = last ? default : line[(close + 2)..];
        return true;
    }

    private static ReadOnlySpan<char> UpToWhitespace(ReadOnlySpan<char> line)
    {
        line = line.TrimStart();
        int end = line.IndexOfAny(" \t\r");
        return end < 0 ? line : line[..end];
    }

    private static string Shown(string[] names)
    {
        string text = string.Join(", ", names);
        return text.Length > 200 ? $"{text[..200]}..." : text;
    }
}

/// <summary>What the lines of the input hold.</summary>
public enum MoleculeKind
{
    Smiles,
    Selfies,
}
