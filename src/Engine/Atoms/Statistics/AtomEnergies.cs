using System.Globalization;
using System.Text.Json;
using ChemScale.Engine.Atoms.Formats.ExtXyz;

namespace ChemScale.Engine.Atoms.Statistics;

/// <summary>Energies of isolated atoms, in eV: as text on one line, <c>H=-13.587 O=-2041.84</c>, and out of files.</summary>
internal static class AtomEnergies
{
    /// <summary>By least squares over the training frames.</summary>
    public const string Fit = "fit";

    /// <summary>Of the isolated atoms among the frames that were prepared.</summary>
    public const string FromFrames = "from-frames";

    private const string Key = "data.atomEnergies", Expected = "fit, from-frames, a file, or H=-13.587 O=-2041.84";

    /// <summary>The word or the line that a setting stands for: a file is read.</summary>
    /// <param name="given">
    /// fit, from-frames, a line, or a file: .json (symbols and numbers), .xyz or .extxyz of single atoms, or text with a symbol and a number on each line.
    /// </param>
    /// <exception cref="InputException">None of them.</exception>
    public static string Resolve(string given)
    {
        if (given is Fit or FromFrames) return given;
        if (given.Contains('=') && !File.Exists(given)) return Format(Parse(given));
        try
        {
            return Format(Path.GetExtension(given).ToLowerInvariant() switch
            {
                ".json" => JsonSerializer.Deserialize<Dictionary<string, double>>(File.ReadAllText(given))!
                    .ToDictionary(pair => Elements.Number(pair.Key, given), pair => pair.Value),
                ".xyz" or ".extxyz" => OfFrames(given),
                _ => Parse(string.Join(' ', File.ReadLines(given).Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0).Select(line => Line(line, given)))),
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new InputException(Key, $"'{given}', which cannot be read", Expected, e.Message);
        }
    }

    /// <param name="line">As <see cref="Format"/> writes it.</param>
    /// <exception cref="InputException">Something else.</exception>
    public static SortedDictionary<int, double> Parse(string line)
    {
        SortedDictionary<int, double> energies = [];
        foreach (string pair in line.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            string[] sides = pair.Split('=');
            if (sides.Length != 2 || !double.TryParse(sides[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double energy) || !double.IsFinite(energy))
                throw new InputException(Key, $"'{pair}'", Expected);
            if (!energies.TryAdd(Elements.Number(sides[0], Key), energy)) throw new InputException(Key, $"{sides[0]} twice", "each element once");
        }
        return energies.Count > 0 ? energies : throw new InputException(Key, "nothing", Expected);
    }

    /// <exception cref="InputException">An element has none.</exception>
    public static void RequireAll(IReadOnlyDictionary<int, double> energies, IEnumerable<int> elements, string hint)
    {
        int[] missing = [.. elements.Where(z => !energies.ContainsKey(z)).Order()];
        if (missing.Length > 0)
            throw new InputException(Key, $"no energy of an isolated atom of {string.Join(", ", missing.Select(Elements.Symbol))}", "one for each element of the frames", hint);
    }

    public static string Format(IEnumerable<KeyValuePair<int, double>> energies) =>
        string.Join(' ', energies.OrderBy(pair => pair.Key).Select(pair => string.Create(CultureInfo.InvariantCulture, $"{Elements.Symbol(pair.Key)}={pair.Value:R}")));

    private static Dictionary<int, double> OfFrames(string file)
    {
        Dictionary<int, double> energies = [];
        foreach (Frame frame in ExtXyzReader.Read(file).Where(frame => frame.Atoms == 1))
        {
            if (!frame.HasEnergy) throw new InputException(frame.Place, "no energy", "that of an isolated atom, in eV");
            if (!energies.TryAdd(frame.AtomicNumbers[0], frame.Energy!.Value))
                throw new InputException(frame.Place, $"another {Elements.Symbol(frame.AtomicNumbers[0])}", "each element once");
        }
        return energies;
    }

    private static string Line(string line, string file)
    {
        string[] words = line.Split([' ', '\t', ',', '=', ':'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 2 ? $"{words[0]}={words[1]}" : throw new InputException(file, $"'{line}'", "a symbol and a number of eV on each line");
    }
}
