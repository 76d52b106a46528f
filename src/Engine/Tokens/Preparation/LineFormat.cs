namespace ChemScale.Engine.Tokens.Preparation;

/// <summary>Where the molecule stands in a line.</summary>
internal sealed record LineFormat
{
    private const char Whitespace = ' ';

    private LineFormat(char delimiter, int column)
    {
        Delimiter = delimiter;
        Column = column;
    }

    /// <summary>The first field up to white space: .smi and .txt.</summary>
    public static LineFormat FirstField { get; } = new(Whitespace, 0);

    public char Delimiter { get; }

    public int Column { get; }

    /// <summary>A column of a .csv by its header: comma, or tab or semicolon where it has no comma.</summary>
    /// <exception cref="InputException">No such column, or several that might be meant.</exception>
    public static LineFormat Csv(ReadOnlySpan<char> header, string? column, MoleculeKind kind, string file)
    {
        char delimiter = header.Contains(',') ? ',' : header.Contains('\t') ? '\t' : header.Contains(';') ? ';' : ',';
        string[] names = [.. header.ToString().Split(delimiter).Select(name => name.Trim().Trim('"'))];
        string wanted = column ?? kind.ToString();
        int[] found = Matching(name => name.Equals(wanted, StringComparison.OrdinalIgnoreCase));
        if (found.Length == 0 && column is null) found = Matching(name => name.Contains(wanted, StringComparison.OrdinalIgnoreCase));
        return found.Length == 1
            ? new LineFormat(delimiter, found[0])
            : throw new InputException(
                $"{file}:1",
                $"columns {Shown(names)}",
                $"one named {wanted.ToLowerInvariant()}",
                "name the column of the molecules");

        int[] Matching(Func<string, bool> match) => [.. Enumerable.Range(0, names.Length).Where(i => match(names[i]))];
    }

    /// <summary>True for a first line such as <c>SMILES name</c>, which is no molecule.</summary>
    public static bool IsHeader(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> field = UpToWhitespace(line);
        return field.Equals("smiles", StringComparison.OrdinalIgnoreCase) || field.Equals("selfies", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The molecule of a line; false, with a reason, where the line has no such field.</summary>
    public bool TryField(ReadOnlySpan<char> line, out ReadOnlySpan<char> field, out string reason)
    {
        reason = "";
        if (Delimiter == Whitespace)
        {
            field = UpToWhitespace(line);
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
        field = field.Trim();
        if (field.Length == 0) reason = "no molecule in its column";
        return field.Length > 0;
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
