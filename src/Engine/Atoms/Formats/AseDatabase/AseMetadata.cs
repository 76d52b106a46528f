using System.Text.Json;
using ChemScale.Engine.Atoms.Units;
using Microsoft.Data.Sqlite;

namespace ChemScale.Engine.Atoms.Formats.AseDatabase;

/// <summary>What schnetpack notes in a database about the units of its rows' data.</summary>
internal sealed class AseMetadata
{
    private readonly string _place;
    private readonly Dictionary<string, string> _units = new(StringComparer.Ordinal);
    private string? _distance;

    private AseMetadata(string path) => _place = $"{path}: metadata";

    public static AseMetadata Read(SqliteConnection connection, string path)
    {
        AseMetadata metadata = new(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT value FROM information WHERE name = 'metadata'";
        if (command.ExecuteScalar() is string { Length: > 0 } json) metadata.Parse(json);
        return metadata;
    }

    /// <summary>Unit of the energies under this key; null where the database does not say.</summary>
    public EnergyUnit? Energy(string key) => _units.TryGetValue(key, out string? unit) ? EnergyUnit.Parse(unit, $"{_place}: {key}") : null;

    public LengthUnit? Length => _distance is null ? null : LengthUnit.Parse(_distance, $"{_place}: _distance_unit");

    /// <exception cref="InputException">Forces in anything but energy over length.</exception>
    public void CheckForces(string key, LabelUnits units)
    {
        if (!_units.TryGetValue(key, out string? text)) return;
        string place = $"{_place}: {key}";
        int slash = text.LastIndexOf('/');
        if (slash < 0 || EnergyUnit.Parse(text[..slash], place) != units.Energy
            || LengthUnit.Parse(text[(slash + 1)..], place) != units.Length)
        {
            throw new InputException(place, $"'{text}'", $"{units.Energy}/{units.Length}, as energy and distance have it");
        }
    }

    private void Parse(string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("_distance_unit", out JsonElement distance)) _distance = distance.GetString();
            if (!root.TryGetProperty("_property_unit_dict", out JsonElement units)) return;
            foreach (JsonProperty unit in units.EnumerateObject())
                if (unit.Value.GetString() is { Length: > 0 } name) _units[unit.Name] = name;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new InputException(_place, "no JSON object of units", "schnetpack's metadata", e.Message);
        }
    }
}
