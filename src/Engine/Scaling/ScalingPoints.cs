using ChemScale.Engine.Numerics;

namespace ChemScale.Engine.Scaling;

/// <summary>A point left out of a fit, and why.</summary>
public sealed record ExcludedPoint(ScalingPoint Point, string Reason);

/// <summary>Points to fit, and those left out by name.</summary>
public sealed record ScalingPoints(IReadOnlyList<ScalingPoint> Kept, IReadOnlyList<ExcludedPoint> Excluded)
{
    public ScalingPoints(IReadOnlyList<ScalingPoint> kept)
        : this(kept, [])
    {
    }

    /// <summary>Leaves out the <paramref name="count"/> points of highest loss.</summary>
    public ScalingPoints DropHighest(int count)
    {
        if (count < 0 || count >= Kept.Count) throw new InputException("dropped points", $"{count}", $"0 to {Kept.Count - 1}");
        HashSet<int> dropped = [.. Enumerable.Range(0, Kept.Count).OrderByDescending(i => Kept[i].Loss).Take(count)];
        return Without(dropped.Contains, "highest losses");
    }

    /// <summary>Leaves out what <paramref name="excluded"/> says.</summary>
    public ScalingPoints Exclude(Func<ScalingPoint, bool> excluded, string reason) => Without(i => excluded(Kept[i]), reason);

    /// <summary>
    /// Reads named columns. Of N, D and C, where one is not given and the other two are, C = 6 N D (one pass over the data) supplies it.
    /// </summary>
    /// <param name="path">CSV with a header.</param>
    /// <param name="nColumn">Parameters; null: none.</param>
    /// <param name="dColumn">Training tokens or frames; null: none.</param>
    /// <param name="cColumn">Training FLOP; null: none.</param>
    /// <param name="lossColumn">Loss.</param>
    /// <param name="weightColumn">Weight in the fit; null: 1.</param>
    /// <param name="seedColumn">Seed; null: unknown.</param>
    /// <param name="nameColumn">Name; null: file:line.</param>
    /// <exception cref="InputException">File, line and column of what is missing, not a number, or not above 0.</exception>
    public static ScalingPoints ReadCsv(string path, string? nColumn, string? dColumn, string? cColumn, string lossColumn = "loss",
        string? weightColumn = null, string? seedColumn = null, string? nameColumn = null) =>
        Of(CsvTable.Read(path), nColumn, dColumn, cColumn, lossColumn, weightColumn, seedColumn, nameColumn);

    internal static ScalingPoints Of(CsvTable table, string? nColumn, string? dColumn, string? cColumn, string lossColumn,
        string? weightColumn, string? seedColumn, string? nameColumn, Func<int, bool>? wanted = null)
    {
        string?[] names = [nColumn, dColumn, cColumn, weightColumn, seedColumn, nameColumn];
        int?[] columns = [.. names.Select(c => c is null ? (int?)null : table.Column(c))];
        int loss = table.Column(lossColumn);
        if (columns[..3].All(c => c is null)) throw new InputException(table.Path, "no column of N, D or C was named", "at least one");
        var points = new List<ScalingPoint>();
        for (int row = 0; row < table.RowCount; row++)
        {
            if (wanted?.Invoke(row) == false) continue;
            double? n = Positive(row, columns[0]), d = Positive(row, columns[1]), c = Positive(row, columns[2]);
            points.Add(new ScalingPoint
            {
                N = n ?? c / (6 * d),
                D = d ?? c / (6 * n),
                C = c ?? 6 * n * d,
                Loss = Positive(row, loss)!.Value,
                Weight = Positive(row, columns[3]) ?? 1,
                Seed = columns[4] is { } seed ? table.Integer(row, seed) : null,
                Name = columns[5] is { } name ? OneLine.Name(table.Text(row, name), $"{table.Path}:{table.Line(row)}") : $"{Path.GetFileName(table.Path)}:{table.Line(row)}",
                Fields = table.Header.Select((name, at) => (name, Cell: OneLine.Visible(table.Text(row, at)))).GroupBy(c => c.name).ToDictionary(g => g.Key, g => g.First().Cell),
            });
        }
        return points.Count > 0 ? new ScalingPoints(points)
            : throw new InputException(table.Path, "no points", "a row for each trained model");

        double? Positive(int row, int? column)
        {
            if (column is not { } at) return null;
            return table.Number(row, at) is { } value && value > 0 && double.IsFinite(value) ? value
                : throw table.Wrong(row, at, "a number above 0");
        }
    }

    private ScalingPoints Without(Func<int, bool> dropped, string reason) => new(
        [.. Kept.Where((_, i) => !dropped(i))],
        [.. Excluded, .. Kept.Where((_, i) => dropped(i)).Select(p => new ExcludedPoint(p, reason))]);
}

/// <summary>One trained model as scaling sees it. Resources that are not known are null.</summary>
public sealed record ScalingPoint
{
    /// <summary>N: non-embedding parameters.</summary>
    public double? N { get; init; }

    /// <summary>D: training tokens or frames.</summary>
    public double? D { get; init; }

    /// <summary>C: training compute, FLOP.</summary>
    public double? C { get; init; }

    /// <summary>Above 0.</summary>
    public required double Loss { get; init; }

    /// <summary>Of its squared or Huber residual in a fit; above 0.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Runs that differ in nothing else tell the noise between seeds.</summary>
    public long? Seed { get; init; }

    /// <summary>For tables: a run's name, or file:line.</summary>
    public string Name { get; init; } = "";

    /// <summary>What else its source says of it, by column or key of the experiment: to select and to group by.</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();

    /// <exception cref="InputException">The point lacks this resource.</exception>
    public double Of(Resource resource) => resource switch
    {
        Resource.Parameters => N,
        Resource.Data => D,
        Resource.Compute => C,
        _ => throw new ArgumentOutOfRangeException(nameof(resource), resource, null),
    } ?? throw new InputException(Name.Length > 0 ? Name : "point", $"no {resource.ToString().ToLowerInvariant()}", "a number above 0");
}

/// <summary>What a loss is a function of.</summary>
public enum Resource
{
    Parameters,
    Data,
    Compute,
}
