using ChemScale.Engine.Atoms.Preparation;
using Microsoft.Data.Sqlite;

namespace ChemScale.Engine.Atoms.Formats.AseDatabase;

/// <summary>
/// ASE's SQLite database. Labels that a calculator left in columns are in eV and Angstrom; those in a row's <c>data</c>, as schnetpack
/// keeps them, in the units of its metadata, or as the options say where there are none.
/// </summary>
public static class AseDatabaseReader
{
    private static readonly string[] Columns =
        ["id", "numbers", "positions", "cell", "pbc", "energy", "forces", "stress", "magmom", "charge", "data"];

    /// <inheritdoc cref="FrameFiles.Read"/>
    public static IEnumerable<Frame> Read(string path, FrameReadOptions? options = null)
    {
        SqliteConnectionStringBuilder text = new() { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false };
        using SqliteConnection connection = new(text.ToString());
        Guard(path, () => connection.Open());
        AseMetadata metadata = Guard(path, () => AseMetadata.Read(connection, path));
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT {string.Join(", ", Columns)} FROM systems ORDER BY id";
        using SqliteDataReader reader = Guard(path, command.ExecuteReader);
        AseRow row = new(reader, path, metadata, options ?? new());
        while (Guard(path, reader.Read)) yield return Guard(path, row.Frame);
    }

    private static void Guard(string path, Action action) => Guard(path, () =>
    {
        action();
        return true;
    });

    private static T Guard<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (SqliteException e)
        {
            throw new InputException(path, "no ASE database", "a complete one, with a table systems", e.Message);
        }
    }
}
