using System.IO.Compression;
using System.Text;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PureHDF;

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

    [TestCase("energy_units", "kcal/mol", -0.0433641, 0.00433641), TestCase("E_UNIT", "Hartree", -27.2113862, 2.72113862), TestCase("F_unit", "kcal/mol/Angstrom", -1, 0.00433641)]
    public void A_unit_that_an_archive_declares_under_any_usual_name_is_used(string key, string unit, double energy, double force)
    {
        Frame frame = Read(unit, key, key == "F_unit" ? ElectronVolts : null).Single();
        Expect.Close(frame.Energy, energy, relative: 1e-5);
        Expect.Close(frame.Forces![0], force, relative: 1e-5);
    }

    [TestCase("e_unit", "furlong", "npz: e_unit: 'furlong'"), TestCase("F_unit", "eV", "npz: F_unit: 'eV'"), TestCase("r_unit", "inch", "npz: r_unit: 'inch'")]
    [TestCase("stress_unit", "psi", "npz: stress_unit: 'psi'")]
    public void A_unit_of_an_archive_that_is_none_is_refused_by_name(string key, string unit, string part) =>
        Assert.That(() => Read(unit, key, ElectronVolts).ToArray(), Refused.With(part));

    private IEnumerable<Frame> Read(string unit, string key, FrameReadOptions? options)
    {
        using (NpzWriter npz = new(folder["unit.npz"]))
        {
            npz.Add("z", (byte[])[1], 1);
            npz.Add("R", (double[])[0, 0, 0], 1, 1, 3);
            npz.Add("E", (double[])[-1], 1);
            npz.Add("F", (double[])[0.1, 0, 0], 1, 1, 3);
            npz.Add(key, unit);
            npz.Complete();
        }
        return FrameFiles.Read(folder["unit.npz"], options);
    }

    [TestCase("hartree", "bohr", "hartree/bohr", -27.211386245988, 0.529177210903, 5.14220674763)]
    [TestCase("kcal/mol", null, null, -0.0433641, 1, 0.00433641)]
    public void Units_in_the_attributes_of_data_sets_are_used(string energy, string? length, string? force, double expectedEnergy, double expectedLength, double expectedForce)
    {
        WriteUnits(energy, length, force);
        Frame frame = FrameFiles.Read(folder["unit.h5"]).Single();
        Expect.Close(frame.Energy, expectedEnergy, relative: 1e-5);
        Expect.Close(frame.Positions[5], expectedLength, relative: 1e-6);
        Expect.Close(frame.Forces![0], expectedForce, relative: 1e-5);
    }

    [Test]
    public void Units_in_attributes_that_are_none_or_not_the_options_are_refused()
    {
        WriteUnits("furlong", null, null);
        Assert.That(() => FrameFiles.Read(folder["unit.h5"]).ToArray(), Refused.With("energies: 'furlong'"));
        WriteUnits("hartree", null, null);
        Assert.That(() => FrameFiles.Read(folder["unit.h5"], ElectronVolts).ToArray(), Refused.With("energies in Hartree by its own account"));
    }

    private void WriteUnits(string energy, string? length, string? force)
    {
        H5Dataset Set(object data, string? unit) => unit is null ? new(data) : new(data) { Attributes = new() { ["units"] = unit } };
        new H5File
        {
            ["a"] = new H5Group
            {
                ["coordinates"] = Set(new double[,,] { { { 0, 0, 0 }, { 0, 0, 1 } } }, length),
                ["species"] = new[] { "H", "O" },
                ["energies"] = Set(new[] { -1.0 }, energy),
                ["forces"] = Set(new double[,,] { { { 0.1, 0, 0 }, { 0, 0, 0 } } }, force),
            },
        }.Write(folder["unit.h5"]);
    }

    [TestCase("virials", 9, 0.125), TestCase("Virial", 9, 0.125), TestCase("stress", 6, -1), TestCase("STRESS", 9, -1)]
    public void Stresses_and_virials_of_an_archive_are_read_in_either_form(string key, int width, double diagonal)
    {
        using (NpzWriter npz = new(folder["stress.npz"]))
        {
            npz.Add("z", (byte[])[1], 1);
            npz.Add("R", (double[])[0, 0, 0], 1, 1, 3);
            npz.Add("E", (double[])[-1], 1);
            npz.Add("cell", (double[])[2, 0, 0, 0, 2, 0, 0, 0, 2], 3, 3);
            double[] numbers = width == 6 ? [-1, -1, -1, 0, 0, 0] : [-1, 0, 0, 0, -1, 0, 0, 0, -1];
            npz.Add(key, numbers, 1, width);
            npz.Add("Charge", (double[])[1], 1);
            npz.Complete();
        }
        Frame frame = Frames("stress.npz").Single();
        Expect.Close(frame.Stress!, [diagonal, 0, 0, 0, diagonal, 0, 0, 0, diagonal], absolute: 1e-12);
        Expect.Close(frame.Charge, 1);
    }

    [TestCase("charge", "'plus'", "a number"), TestCase("pbc", "'T T T'", "a number"), TestCase("positions", "'0 0 0'", "an array"), TestCase("energy", "'low'", "an array")]
    public void A_column_of_another_kind_is_named(string column, string value, string expected)
    {
        Database("{}");
        using (SqliteConnection connection = Open())
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = $"UPDATE systems SET {column} = {value}";
            command.ExecuteNonQuery();
        }
        Assert.That(() => Frames("made.db"), Refused.With($"row 1: {column}: ", expected));
    }

    [Test]
    public void Labels_that_were_not_chosen_are_known_unless_one_was_named()
    {
        using (NpzWriter npz = new(folder["two.npz"]))
        {
            npz.Add("z", (byte[])[1], 1);
            npz.Add("R", (double[])[0, 0, 0], 1, 1, 3);
            npz.Add("energies", (double[])[-1], 1);
            npz.Add("DFT_Energies", (double[])[-2], 1);
            npz.Add("old_forces", (double[])[0, 0, 0], 1, 1, 3);
            npz.Complete();
        }
        Assert.That(Frames("two.npz").Single().OtherLabels, Is.EquivalentTo((string[])["DFT_Energies", "old_forces"]));
        Assert.That(FrameFiles.Read(folder["two.npz"], ElectronVolts with { EnergyKey = "DFT_Energies" }).Single().OtherLabels, Is.EqualTo((string[])["old_forces"]));
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
