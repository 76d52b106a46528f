using System.IO.Compression;
using System.Text;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using Microsoft.Data.Sqlite;
using NUnit.Framework;

namespace ChemScale.Tests.Atoms.Formats;

/// <summary>Arrays and databases that say other things than they hold.</summary>
public class ArrayEdgeTests
{
    private static readonly FrameReadOptions ElectronVolts = new() { Energy = EnergyUnit.ElectronVolt };

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [TestCase("'<f8'", "(9223372036854775808, 3)", "R: a size of 9223372036854775808")]
    [TestCase("'<f8'", "(4294967296, 4294967296, 3)", "R: shape (4294967296, 4294967296, 3)")]
    [TestCase("'<U0'", "(2000000000,)", "R: 2000000000 elements", "CHEMSCALE_READ_MEMORY")]
    [TestCase("'|O'", "(1, 2, 3)", "R: type |O", "plain numbers or text")]
    [TestCase("[('a', '<f8')]", "(1, 2, 3)", "R: type of several parts")]
    [TestCase("'<c16'", "(1, 2, 3)", "R: type <c16")]
    [TestCase("'<f8'", "(1, 2, 3", "R: an unreadable header")]
    public void An_array_that_is_not_what_it_says_is_named(string type, string shape, params string[] parts)
    {
        using (ZipArchive zip = ZipFile.Open(folder["bad.npz"], ZipArchiveMode.Create))
        {
            Member(zip, "z", "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", [1, 8]);
            Member(zip, "R", $"{{'descr': {type}, 'fortran_order': False, 'shape': {shape}, }}", []);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => Frames("bad.npz"), Refused.With(["bad.npz", .. parts]));
        Expect.Below(GC.GetAllocatedBytesForCurrentThread() - before, 20_000_000);
    }

    [Test]
    public void A_member_is_inflated_when_it_is_asked_for_and_not_beyond_the_budget()
    {
        byte[] zeros = new byte[1 << 20];
        using (ZipArchive zip = ZipFile.Open(folder["bomb.npz"], ZipArchiveMode.Create))
        {
            Member(zip, "z", "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", [1]);
            Member(zip, "R", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 1, 3), }", new byte[24]);
            using Stream bomb = zip.CreateEntry("notes.npy", CompressionLevel.Fastest).Open();
            bomb.Write(Header("{'descr': '|u1', 'fortran_order': False, 'shape': (268435456,), }"));
            for (int i = 0; i < 256; i++) bomb.Write(zeros);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(Frames("bomb.npz").Single().Atoms, Is.EqualTo(1));
        NpzArchive archive = NpzArchive.Open(folder["bomb.npz"]);
        Assert.That(() => archive["notes"], Refused.With("bomb.npz: notes: 268435456 elements", "MiB of memory"));
        Expect.Below(GC.GetAllocatedBytesForCurrentThread() - before, 20_000_000);
    }

    [Test]
    public void A_unit_that_is_no_text_is_refused()
    {
        Npz(("z", [1], [1]), ("R", [0, 0, 0], [1, 1, 3]), ("E", [-1], [1]), ("e_unit", [], [0]));
        Assert.That(() => Frames("made.npz"), Refused.With("made.npz: e_unit"));
    }

    [Test]
    public void Two_arrays_of_one_name_are_refused()
    {
        using (ZipArchive zip = ZipFile.Open(folder["two.npz"], ZipArchiveMode.Create))
            for (int i = 0; i < 2; i++) Member(zip, "z", "{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", [1]);
        Assert.That(() => Frames("two.npz"), Refused.With("two.npz: z: two arrays of one name"));
    }

    [Test]
    public void The_columns_of_a_lattice_and_the_rows_of_a_cell_are_vectors_and_repeat_unless_pbc_says_no()
    {
        double[] cell = [4, 1, 2, 0, 5, 3, 0, 0, 6];
        Npz(("z", [1], [1]), ("R", [0, 0, 0], [1, 1, 3]), ("lattice", cell, [3, 3]));
        Frame columns = Frames("made.npz").Single();
        Npz(("z", [1], [1]), ("R", [0, 0, 0], [1, 1, 3]), ("cell", cell, [1, 3, 3]), ("pbc", [1, 0, 1], [3]));
        Frame rows = Frames("made.npz").Single();
        Assert.That(columns.Cell, Is.EqualTo((double[])[4, 0, 0, 1, 5, 0, 2, 3, 6]));
        Assert.That(columns.Periodic, Is.EqualTo((bool[])[true, true, true]));
        Assert.That(rows.Cell, Is.EqualTo(cell));
        Assert.That(rows.Periodic, Is.EqualTo((bool[])[true, false, true]));
    }

    [Test]
    public void A_frame_with_a_cell_that_does_not_repeat_is_written_as_that()
    {
        NpzFrameWriter.Write(folder["open.npz"], [new() { AtomicNumbers = [1], Positions = [0, 0, 0], Cell = [4, 0, 0, 0, 4, 0, 0, 0, 4] }]);
        Frame back = FrameFiles.Read(folder["open.npz"]).Single();
        Assert.That((back.IsPeriodic, back.Cell?[0]), Is.EqualTo((false, 4.0)));
    }

    [TestCase("[1.5]", "a size of 1.5")]
    [TestCase("[\"a\"]", "a size of \"a\"")]
    [TestCase("[1e999]", "a size of 1e999")]
    [TestCase("[-1]", "shape (-1)")]
    [TestCase("[9223372036854775807, 2]", "shape (9223372036854775807, 2)")]
    [TestCase("{}", "[shape, type, offset]")]
    public void Shapes_of_a_row_s_data_are_counts(string shape, string part)
    {
        Database($"{{\"energy\": {{\"__ndarray__\": [{shape}, \"float64\", 8]}}}}");
        Assert.That(() => Frames("made.db"), Refused.With("made.db: row 1: data", part));
    }

    [TestCase("{\"energy\": -1, \"energy\": -2}")]
    [TestCase("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[")]
    public void Data_that_say_two_things_or_nest_without_end_are_refused(string json)
    {
        Database(json);
        Assert.That(() => Frames("made.db"), Refused.With("made.db: row 1: data: not JSON"));
    }

    [TestCase("CREATE VIEW systems AS WITH RECURSIVE c(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM c) SELECT id, NULL AS numbers FROM c", "systems: ")]
    [TestCase("CREATE VIEW systems AS SELECT 1 AS id, zeroblob(900000000) AS numbers", "systems: ")]
    [TestCase("CREATE TABLE systems (id INTEGER PRIMARY KEY, numbers BLOB GENERATED ALWAYS AS (zeroblob(900000000)))", "columns that are computed")]
    public void A_schema_that_computes_is_refused(string sql, string part)
    {
        Database("", sql);
        Assert.That(() => Frames("made.db"), Refused.With("made.db", part, "a plain table"));
    }

    [Test]
    public void A_blob_longer_than_the_file_is_refused()
    {
        Database("{}", "CREATE TABLE systems AS SELECT 1 AS id, NULL AS numbers");
        using (SqliteConnection connection = Open())
        {
            new Engine.Atoms.Formats.AseDatabase.SqliteLimits(connection, folder["made.db"]);
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "SELECT zeroblob(900000000)";
            Assert.That(() => command.ExecuteScalar(), Throws.TypeOf<SqliteException>());
        }
    }

    private Frame[] Frames(string name) => [.. FrameFiles.Read(folder[name], ElectronVolts)];

    private SqliteConnection Open()
    {
        SqliteConnection connection = new($"Data Source={folder["made.db"]};Pooling=False");
        connection.Open();
        return connection;
    }

    private void Database(string data, string? schema = null)
    {
        using SqliteConnection connection = Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "CREATE TABLE information (name TEXT, value TEXT);"
            + (schema ?? "CREATE TABLE systems (id INTEGER PRIMARY KEY, numbers BLOB, positions BLOB, cell BLOB, pbc INTEGER, energy REAL, forces BLOB, stress BLOB, "
                + "magmom REAL, charge REAL,  -- key-value pairs and data AS json, GENERATED by ASE\n data BLOB);"
                + "INSERT INTO systems (id, numbers, positions, pbc, data) VALUES (1, x'01000000', zeroblob(24), 0, $data)");
        command.Parameters.AddWithValue("$data", data);
        command.ExecuteNonQuery();
    }

    private void Npz(params (string Name, double[] Values, long[] Shape)[] arrays)
    {
        using NpzWriter npz = new(folder["made.npz"]);
        foreach ((string name, double[] values, long[] shape) in arrays) npz.Add(name, values, shape);
        npz.Complete();
    }

    private static void Member(ZipArchive zip, string name, string header, byte[] data)
    {
        using Stream stream = zip.CreateEntry(name + ".npy").Open();
        stream.Write([.. Header(header), .. data]);
    }

    private static byte[] Header(string text) => [0x93, .. "NUMPY"u8, 1, 0, (byte)text.Length, 0, .. Encoding.ASCII.GetBytes(text)];
}
