using System.Runtime.InteropServices;
using System.Text.Json;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Engine.Stores;
using Microsoft.Data.Sqlite;

namespace ChemScale.Engine.Atoms.Formats.AseDatabase;

/// <summary>
/// ASE's SQLite database. Labels that a calculator left in columns are in eV and Angstrom; those in a row's <c>data</c>, as schnetpack
/// keeps them, in the units of its metadata, or as the options say where there are none.
/// </summary>
internal static class AseDatabaseReader
{
    private static readonly string[] Columns =
        ["id", "numbers", "positions", "cell", "pbc", "energy", "forces", "stress", "magmom", "charge", "data"];

    /// <inheritdoc cref="FrameFiles.Read"/>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        CancellationToken stop = options?.Stop ?? default;
        SqliteConnectionStringBuilder text = new() { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false };
        using SqliteConnection connection = new(text.ToString());
        Guard(path, stop, () => connection.Open());
        SqliteLimits limits = Guard(path, stop, () => new SqliteLimits(connection, path, stop));
        AseMetadata metadata = Guard(path, stop, () => AseMetadata.Read(connection, path));
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT {string.Join(", ", Columns)} FROM systems ORDER BY id";
        using SqliteDataReader reader = Guard(path, stop, command.ExecuteReader);
        AseRow row = new(reader, path, metadata, options ?? new());
        while (Guard(path, stop, reader.Read))
        {
            limits.Begin();
            yield return Guard(path, stop, row.Frame);
        }
    }

    private static void Guard(string path, CancellationToken stop, Action action) => Guard(path, stop, () =>
    {
        action();
        return true;
    });

    private static T Guard<T>(string path, CancellationToken stop, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException e)
        {
            stop.ThrowIfCancellationRequested();
            throw new InputException(path, "no ASE database", "a complete one, with a table systems", e.Message);
        }
    }
}

/// <summary>
/// What a file of a stranger may make SQLite do: read two plain tables. A schema is a program otherwise, with views that never end and
/// expressions that make gigabytes.
/// </summary>
internal sealed class SqliteLimits
{
    private const int Interval = 100_000, MostIntervals = 2000;

    // Of sqlite3.h: SQLITE_LIMIT_LENGTH; SQLITE_DENY; SQLITE_READ, SELECT, FUNCTION, PRAGMA.
    private const int LimitLength = 0, Deny = 1, Read = 20, Select = 21, Pragma = 19;

    private int intervals;

    /// <exception cref="InputException">A table is none, or computes what it holds.</exception>
    public SqliteLimits(SqliteConnection connection, string path, CancellationToken stop = default)
    {
        // No value can be longer than the file that holds it.
        SQLitePCL.raw.sqlite3_limit(connection.Handle, LimitLength, (int)Math.Clamp(new FileInfo(path).Length, 1 << 16, int.MaxValue));
        SQLitePCL.raw.sqlite3_progress_handler(connection.Handle, Interval, _ => ++intervals > MostIntervals || stop.IsCancellationRequested ? 1 : 0, null);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "PRAGMA trusted_schema = OFF";
        command.ExecuteNonQuery();
        // By the columns as SQLite understands them, not by the text of the schema, which has comments: hidden is 2 or 3 for a computed one, 1 for a virtual table's.
        command.CommandText = "SELECT m.name, m.type, m.sql LIKE 'CREATE VIRTUAL%', EXISTS (SELECT 1 FROM pragma_table_xinfo(m.name) WHERE hidden > 0) "
            + "FROM sqlite_master m WHERE m.name IN ('systems', 'information')";
        using (SqliteDataReader reader = command.ExecuteReader())
        {
            while (reader.Read())
            {
                string name = reader.GetString(0), kind = !reader.IsDBNull(2) && reader.GetBoolean(2) ? "virtual table" : reader.GetString(1);
                bool plain = kind == "table", computed = plain && reader.GetBoolean(3);
                if (!plain || computed) throw new InputException($"{path}: {name}", computed ? "columns that are computed" : $"a {kind}", "a plain table");
            }
        }
        SQLitePCL.raw.sqlite3_set_authorizer(connection.Handle, (SQLitePCL.strdelegate_authorizer)((_, action, _, _, _, _) => action is Read or Select or Pragma ? 0 : Deny), null);
    }

    /// <summary>A row was read: the next may take as long again.</summary>
    public void Begin() => intervals = 0;
}

/// <summary>What schnetpack notes in a database about the units of its rows' data.</summary>
internal sealed class AseMetadata
{
    private readonly string place;
    private readonly Dictionary<string, string> units = new(StringComparer.Ordinal);
    private string? distance;

    private AseMetadata(string path) => place = $"{path}: metadata";

    public static AseMetadata Read(SqliteConnection connection, string path)
    {
        AseMetadata metadata = new(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT value FROM information WHERE name = 'metadata'";
        if (command.ExecuteScalar() is string { Length: > 0 } json) metadata.Parse(json);
        return metadata;
    }

    /// <summary>Unit of the energies under this key; null where the database does not say.</summary>
    public EnergyUnit? Energy(string key) => units.TryGetValue(key, out string? unit) ? EnergyUnit.Parse(unit, $"{place}: {key}") : null;

    public LengthUnit? Length => distance is null ? null : LengthUnit.Parse(distance, $"{place}: _distance_unit");

    /// <exception cref="InputException">Forces in anything but energy over length.</exception>
    public void CheckForces(string key, LabelUnits units)
    {
        if (!this.units.TryGetValue(key, out string? text)) return;
        string place = $"{this.place}: {key}";
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
            using JsonDocument document = JsonPlace.Document(json, place);
            JsonElement root = document.RootElement;
            if (root.TryGetProperty("_distance_unit", out JsonElement distance)) this.distance = distance.GetString();
            if (!root.TryGetProperty("_property_unit_dict", out JsonElement units)) return;
            foreach (JsonProperty unit in units.EnumerateObject())
                if (unit.Value.GetString() is { Length: > 0 } name) this.units[unit.Name] = name;
        }
        catch (InvalidOperationException e)
        {
            throw new InputException(place, "no JSON object of units", "schnetpack's metadata", e.Message);
        }
    }
}

/// <summary>The row that a reader of the table systems stands at, as a frame.</summary>
internal sealed class AseRow(SqliteDataReader reader, string path, AseMetadata metadata, FrameReadOptions options)
{
    private LabelKeys? keys;

    public Frame Frame()
    {
        string place = $"{path}: row {reader.GetInt64(reader.GetOrdinal("id"))}";
        AseData data = AseData.Parse(Value("data"), place);
        string? energy = Key(options.EnergyKey, LabelNames.Energy, "energy", data, place);
        string? forces = Key(options.ForcesKey, LabelNames.Forces, "forces", data, place);
        string? stress = Key(options.StressKey, LabelNames.Stress, "stress", data, place);
        bool inData = energy is not null && data.Has(energy) || energy is null && forces is not null && data.Has(forces);
        LabelUnits units = inData
            ? options.Units(path, energy is null ? null : metadata.Energy(energy), metadata.Length)
            : new LabelUnits(EnergyUnit.ElectronVolt, metadata.Length ?? LengthUnit.Angstrom, options.ForcesAreGradients);
        if (inData && forces is not null) metadata.CheckForces(forces, units);
        if (keys is null || (keys.Energy, keys.Forces, keys.Stress) != (energy, forces, stress))
        {
            keys = new LabelKeys(energy, forces, stress);
        }
        int[] numbers = Numbers<int>("numbers", place) ?? throw new InputException($"{place}: numbers", "nothing", "atomic numbers");
        double[] positions = Numbers<double>("positions", place) ?? throw new InputException($"{place}: positions", "nothing", "positions");
        if (positions.Length != 3 * numbers.Length)
        {
            throw new InputException(
                $"{place}: positions", $"{positions.Length} numbers", $"{3 * numbers.Length} for {numbers.Length} atoms");
        }
        long mask = (long)(Number("pbc", place) ?? 0);
        double[]? cell = Numbers<double>("cell", place);
        return new Frame
        {
            AtomicNumbers = [.. numbers.Select(number => Elements.Checked(number, $"{place}: numbers"))],
            Positions = Scaled(positions, units.LengthFactor),
            Cell = cell is { Length: 9 } && cell.Any(value => value != 0) ? Scaled(cell, units.LengthFactor) : null,
            Periodic = [(mask & 1) != 0, (mask & 2) != 0, (mask & 4) != 0],
            Energy = energy is null ? null : Label(energy, data, 1, place)[0] * units.EnergyFactor,
            Forces = forces is null ? null : Scaled(Label(forces, data, positions.Length, place), units.ForceFactor),
            Stress = stress is null ? null : Scaled(Stress(stress, data, place), units.StressFactor),
            Momenta = HasColumn("momenta") ? Numbers<double>("momenta", place) : null,
            UnknownMotion = HasColumn("constraints") && Value("constraints") is string { Length: > 2 } ? "constraints" : null,
            Charge = Number("charge", place) ?? 0,
            Spin = Number("magmom", place) ?? 0,
            Keys = keys,
            OtherLabels = LabelNames.Others([.. data.Names, .. ((string[])["energy", "forces"]).Where(column => Value(column) is not null)], keys, options),
            Place = place,
        };
    }

    private static double[] Scaled(double[] values, double factor) => factor == 1 ? values : [.. values.Select(value => value * factor)];

    /// <summary>A label's name: in the row's data, or the column that a calculator fills.</summary>
    private string? Key(string? asked, IReadOnlyList<string> usual, string column, AseData data, string place)
    {
        bool Has(string name) => data.Has(name) || (name == column && Value(column) is not null);
        string? chosen = LabelNames.Choose(asked, usual, Has);
        return chosen is not null || asked is null ? chosen
            : throw new InputException(place, $"no '{asked}'", "the label that was asked for");
    }

    private double[] Label(string key, AseData data, int count, string place)
    {
        double[] values = data.Has(key) ? data.Numbers(key) : Value(key) is double single ? [single] : Numbers<double>(key, place) ?? [];
        return values.Length == count ? values : throw new InputException($"{place}: {key}", $"{values.Length} numbers", $"{count}");
    }

    private double[] Stress(string key, AseData data, string place)
    {
        if (LabelNames.IsVirial(key)) throw new InputException($"{place}: {key}", "a virial", "a stress in an ASE database");
        double[] values = data.Has(key) ? data.Numbers(key) : Numbers<double>(key, place) ?? [];
        return StressTensor.Matrix(values) ?? throw new InputException($"{place}: {key}", $"{values.Length} numbers", "6 or 9");
    }

    private bool HasColumn(string name) => Enumerable.Range(0, reader.FieldCount).Any(i => reader.GetName(i) == name);

    private object? Value(string column) => reader.GetValue(reader.GetOrdinal(column)) is var value && value is DBNull ? null : value;

    private double? Number(string column, string place) => Value(column) switch
    {
        null => null,
        double real => real,
        long whole => whole,
        _ => throw new InputException($"{place}: {column}", "text or bytes", "a number"),
    };

    private T[]? Numbers<T>(string column, string place)
        where T : unmanaged
    {
        if (Value(column) is not { } value) return null;
        if (value is not byte[] bytes) throw new InputException($"{place}: {column}", $"{(value is string ? "text" : "a number")}", "an array");
        if (bytes.Length % Marshal.SizeOf<T>() != 0)
        {
            throw new InputException($"{place}: {column}", $"{bytes.Length} bytes", "whole numbers of values");
        }
        return MemoryMarshal.Cast<byte, T>(bytes).ToArray();
    }
}
