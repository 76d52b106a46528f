using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ChemScale.Engine.Chemistry;

/// <summary>
/// How many bonds an atom may make, hydrogens included, by element and charge: what a SELFIES grammar decodes to molecules with. Each grammar has its
/// own; others can be given as the Python package's <c>set_semantic_constraints</c> takes them, <c>{"C": 4, "N+1": 4, "?": 8}</c>. Immutable.
/// </summary>
public sealed class BondConstraints : IEquatable<BondConstraints>
{
    private const string Other = "?";
    private const int Most = 100;

    private const string Common = "\"H\": 1, \"F\": 1, \"Cl\": 1, \"Br\": 1, \"I\": 1, \"O\": 2, \"O+1\": 3, \"O-1\": 1, \"N\": 3, \"N+1\": 4, \"N-1\": 2, "
        + "\"C\": 4, \"C-1\": 3, \"P\": 5, \"S\": 6, \"S-1\": 5, \"?\": 8, ";

    private const string Boron = "\"B\": 3, \"B+1\": 2, \"B-1\": 4, ";

    private readonly SortedDictionary<string, int> listed;
    private readonly sbyte[] common = new sbyte[3 * PeriodicTable.Count]; // charges -1, 0, 1
    private readonly Dictionary<(int Element, long Charge), int> rare = [];
    private readonly int other;

    private BondConstraints(SortedDictionary<string, int> listed)
    {
        this.listed = listed;
        other = listed[Other];
        Array.Fill(common, (sbyte)other);
        foreach ((string key, int bonds) in listed)
        {
            if (!TryAtom(key, out int element, out long charge)) continue;
            if (charge is >= -1 and <= 1) common[3 * element + (int)charge + 1] = (sbyte)bonds;
            else rare[(element, charge)] = bonds;
        }
    }

    /// <summary>Those of the package selfies 1.0.4.</summary>
    public static BondConstraints Selfies104 { get; } = Parse("{" + Common + "\"C+1\": 5, \"P+1\": 6, \"P-1\": 4, \"S+1\": 7}", "1.0.4");

    /// <summary>Those of the package selfies 2.1.</summary>
    public static BondConstraints Selfies21 { get; } = Parse("{" + Common + Boron + "\"C+1\": 5, \"P+1\": 6, \"P-1\": 4, \"S+1\": 7}", "2.1");

    /// <summary>Those of the package selfies 2.2.</summary>
    public static BondConstraints Selfies22 { get; } = Parse("{" + Common + Boron + "\"C+1\": 3, \"P+1\": 4, \"P-1\": 6, \"S+1\": 5}", "2.2");

    /// <summary>Reads a JSON file of them.</summary>
    /// <param name="path">One object: an element, or an element with its charge, to a number of bonds; <c>?</c> for all others.</param>
    /// <exception cref="InputException">The file, and what in it is wrong.</exception>
    public static BondConstraints Read(string path)
    {
        string text;
        try
        {
            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, "cannot be read", "a JSON file of bond constraints", e.Message);
        }
        return Parse(text, path);
    }

    /// <summary>Reads the text of such a file.</summary>
    /// <param name="json">The text.</param>
    /// <param name="place">Names it in errors.</param>
    /// <exception cref="InputException">What in it is wrong.</exception>
    public static BondConstraints Parse(string json, string place)
    {
        const string Expected = "an object such as {\"C\": 4, \"N+1\": 4, \"?\": 8}";
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InputException(place, "no JSON object", Expected);
            var listed = new SortedDictionary<string, int>(StringComparer.Ordinal);
            foreach (JsonProperty entry in document.RootElement.EnumerateObject())
            {
                if (entry.Name != Other && !TryAtom(entry.Name, out _, out _))
                    throw new InputException($"{place}: {entry.Name}", "no element with a charge", "C, N+1, O-1 or ?, for all others");
                if (entry.Value.ValueKind != JsonValueKind.Number || !entry.Value.TryGetInt32(out int bonds) || bonds is < 0 or > Most)
                    throw new InputException($"{place}: {entry.Name}", entry.Value.GetRawText(), $"a number of bonds from 0 to {Most}");
                if (!listed.TryAdd(entry.Name, bonds)) throw new InputException($"{place}: {entry.Name}", "given twice", "one number of bonds");
            }
            return listed.ContainsKey(Other) ? new BondConstraints(listed) : throw new InputException(place, "no entry '?'", "one, for all elements that are not listed");
        }
        catch (JsonException e)
        {
            throw new InputException(place, "not JSON", Expected, e.Message);
        }
    }

    /// <summary>How many bonds.</summary>
    /// <param name="atomicNumber">0 for an element unknown to the periodic table.</param>
    /// <param name="charge">In elementary charges.</param>
    public int Of(int atomicNumber, long charge)
    {
        if (charge is >= -1 and <= 1) return common[3 * atomicNumber + (int)charge + 1];
        return rare.GetValueOrDefault((atomicNumber, charge), other);
    }

    /// <summary>As a JSON object, keys in order.</summary>
    public JsonObject ToJson() => new(listed.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)JsonValue.Create(entry.Value))));

    /// <summary>In one line, keys in order.</summary>
    public override string ToString() => string.Join(" ", listed.Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Key}:{entry.Value}")));

    public bool Equals(BondConstraints? other) => other is not null && listed.SequenceEqual(other.listed);

    public override bool Equals(object? obj) => Equals(obj as BondConstraints);

    public override int GetHashCode() => string.GetHashCode(ToString(), StringComparison.Ordinal);

    // "C", "N+1", "Fe-2"; no "+0", no "N+", as the package has it.
    private static bool TryAtom(string key, out int element, out long charge)
    {
        charge = 0;
        int sign = key.IndexOfAny(['+', '-']);
        element = PeriodicTable.Number(sign < 0 ? key : key.AsSpan(0, sign));
        if (element < 1) return false;
        if (sign < 0) return true;
        ReadOnlySpan<char> digits = key.AsSpan(sign + 1);
        if (digits.Length is < 1 or > 9 || digits[0] == '0' || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out charge)) return false;
        if (key[sign] == '-') charge = -charge;
        return true;
    }
}
