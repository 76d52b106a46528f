namespace ChemScale.Engine.Atoms.Formats.ExtXyz;

/// <summary>A column of a frame, from its Properties key.</summary>
/// <param name="Name">For example <c>forces</c>.</param>
/// <param name="Type">S text, R real, I whole, L truth.</param>
/// <param name="Width">Words it takes.</param>
/// <param name="First">Words before it.</param>
internal sealed record Column(string Name, char Type, int Width, int First)
{
    private const string Plain = "species:S:1:pos:R:3";

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
                || width < 1)
            {
                throw new InputException($"{place}: Properties", $"'{properties}'", "triples such as species:S:1:pos:R:3");
            }
            columns.Add(new Column(parts[i], parts[i + 1][0], width, first));
            first += width;
        }
        return columns;
    }

    public override string ToString() => $"{Name} {Width}";
}
