namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>The rows of a frame: the columns that matter, taken from each line as it comes.</summary>
internal sealed class AtomTable
{
    private static readonly string[] NumberNames = ["Z", "numbers", "atomic_numbers"];
    private static readonly string[] SymbolNames = ["species", "symbols", "element"];

    // ASE's name for what its FixAtoms leaves free.
    private const string MaskName = "move_mask";

    private const int FirstRoom = 1024;

    private readonly IReadOnlyList<Column> columns;
    private readonly bool strict;
    private readonly int width;
    private readonly int atoms;
    private int[] numbers;
    private readonly Column? element;
    private readonly Dictionary<string, double[]> reals = [];
    private readonly Column? mask;
    private readonly List<bool> held = [];
    private readonly Range[] words;
    private int row;

    /// <param name="columns">What each line holds.</param>
    /// <param name="atoms">Lines to come.</param>
    /// <param name="strict">False for plain xyz, whose lines may go on with anything.</param>
    public AtomTable(IReadOnlyList<Column> columns, int atoms, bool strict)
    {
        this.columns = columns;
        this.strict = strict;
        width = columns.Sum(column => column.Width);
        this.atoms = atoms;
        // The count may be anything: what there is room for is what came.
        int room = Math.Min(atoms, FirstRoom);
        numbers = new int[room];
        element = columns.FirstOrDefault(column => SymbolNames.Contains(column.Name))
            ?? columns.FirstOrDefault(column => NumberNames.Contains(column.Name));
        foreach (Column column in columns)
            if (column is { Type: 'R' or 'I', Width: 3 }) reals[column.Name] = new double[3 * room];
        mask = columns.FirstOrDefault(column => column is { Name: MaskName, Type: 'L', Width: 1 });
        words = new Range[width + 1];
    }

    /// <summary>Columns of three numbers.</summary>
    public IEnumerable<string> Vectors => reals.Keys;

    /// <summary>(atoms) Which the file holds fixed; null where it does not say.</summary>
    public bool[]? Fixed => mask is null ? null : [.. held];

    /// <summary>The name of a mask that is not one truth value an atom; null: there is none.</summary>
    public string? UnknownMask => mask is null ? columns.FirstOrDefault(column => column.Name == MaskName)?.Name : null;

    public bool Has(string name, int width) => reals.ContainsKey(name) && width == 3;

    /// <exception cref="InputException">Too few or too many words, no number, no element.</exception>
    public void Add(string text, string place, int start)
    {
        ReadOnlySpan<char> line = text;
        int count = Split(line);
        if (count < width || (strict && count > width))
        {
            throw new InputException(
                place,
                count > width ? $"more than {width} columns" : $"{count} column{(count == 1 ? "" : "s")}",
                $"{width}: {string.Join(", ", this.columns)}",
                $"the frame at line {start} says {atoms} atoms");
        }
        if (row == numbers.Length) Grow();
        if (element is not null) numbers[row] = Elements.Number(line[words[element.First]], place);
        if (mask is not null)
        {
            ReadOnlySpan<char> free = line[words[mask.First]];
            held.Add(!(FrameInfo.Truth(free) ?? throw new InputException($"{place}: {MaskName}", $"'{free}'", "T or F")));
        }
        foreach (Column column in this.columns)
        {
            if (!reals.TryGetValue(column.Name, out double[]? values)) continue;
            for (int k = 0; k < 3; k++)
            {
                ReadOnlySpan<char> word = line[words[column.First + k]];
                if (!FrameInfo.TryNumber(word, out values[3 * row + k]))
                {
                    throw new InputException($"{place}: {column.Name}", $"'{word}'", "a number");
                }
            }
        }
        row++;
    }

    private void Grow()
    {
        int room = (int)Math.Min(atoms, 2L * row);
        Array.Resize(ref numbers, room);
        foreach (string name in reals.Keys.ToArray())
        {
            double[] values = reals[name];
            Array.Resize(ref values, checked(3 * room));
            reals[name] = values;
        }
    }

    public int[] AtomicNumbers(string place) =>
        element is not null ? numbers : throw new InputException($"{place}: Properties", "no species", "species:S:1");

    public double[]? Reals(params ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (reals.TryGetValue(name, out double[]? values)) return values;
        return null;
    }

    /// <summary>Finds the words; stops one beyond those that are needed.</summary>
    private int Split(ReadOnlySpan<char> line)
    {
        int count = 0;
        for (int at = 0; count < words.Length; count++)
        {
            while (at < line.Length && char.IsWhiteSpace(line[at])) at++;
            if (at == line.Length) break;
            int start = at;
            while (at < line.Length && !char.IsWhiteSpace(line[at])) at++;
            words[count] = start..at;
        }
        return count;
    }
}

/// <summary>A column of a frame, from its Properties key.</summary>
/// <param name="Name">For example <c>forces</c>.</param>
/// <param name="Type">S text, R real, I whole, L truth.</param>
/// <param name="Width">Words it takes.</param>
/// <param name="First">Words before it.</param>
internal sealed record Column(string Name, char Type, int Width, int First)
{
    private const string Plain = "species:S:1:pos:R:3";

    // Words of a line.
    private const int MostWords = 1 << 16;

    /// <summary>The columns of a frame; those of plain xyz where it has no Properties.</summary>
    /// <exception cref="InputException">Properties that make no sense.</exception>
    public static IReadOnlyList<Column> Parse(string? properties, string place)
    {
        string[] parts = (properties ?? Plain).Split(':');
        List<Column> columns = [];
        int first = 0;
        for (int i = 0; i < parts.Length; i += 3)
        {
            if (i + 2 >= parts.Length || parts[i + 1] is not ("S" or "R" or "I" or "L") || !int.TryParse(parts[i + 2], out int width)
                || width < 1 || width > MostWords - first)
            {
                throw new InputException($"{place}: Properties", $"'{properties}'", "triples such as species:S:1:pos:R:3");
            }
            if (columns.Any(column => column.Name == parts[i])) throw new InputException($"{place}: Properties", $"'{parts[i]}' twice", "each column once");
            columns.Add(new Column(parts[i], parts[i + 1][0], width, first));
            first += width;
        }
        return columns;
    }

    public override string ToString() => $"{Name} {Width}";
}
