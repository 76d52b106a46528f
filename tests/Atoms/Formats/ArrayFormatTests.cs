using System.IO.Compression;
using ChemScale.Engine.Atoms;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Npz;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using Microsoft.Data.Sqlite;
using NUnit.Framework;
using PureHDF;

namespace ChemScale.Tests.Atoms.Formats;

public class ArrayFormatTests
{
    private static readonly FrameReadOptions ElectronVolts = new() { Energy = EnergyUnit.ElectronVolt };

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void Frames_written_as_npz_read_back_bit_for_bit([Values] bool sameAtoms)
    {
        Frame[] frames =
        [
            new() { AtomicNumbers = [1, 8], Positions = [1.1, 2, 3, 4, 5, 6e-9], Energy = -3.3, Forces = [1, 2, 3, 4, 5, 6.5] },
            new()
            {
                AtomicNumbers = sameAtoms ? [1, 8] : [79],
                Positions = sameAtoms ? [1, 2, 3, 4, 5, 6] : [1, 2, 3],
                Cell = [4, 0, 0, 0, 4, 0, 1, 0, 4],
                Periodic = [true, true, false],
                Energy = 1,
                Stress = [1, 2, 3, 2, 5, 6, 3, 6, 9],
                Charge = 1,
                Spin = 2,
            },
        ];
        NpzFrameWriter.Write(folder["frames.npz"], frames);
        Frame[] back = [.. FrameFiles.Read(folder["frames.npz"])];
        for (int f = 0; f < 2; f++)
        {
            Assert.That(back[f].AtomicNumbers, Is.EqualTo(frames[f].AtomicNumbers));
            Assert.That(back[f].Positions, Is.EqualTo(frames[f].Positions));
            Assert.That(back[f].Periodic, Is.EqualTo(frames[f].Periodic));
            Assert.That((back[f].Energy, back[f].Charge, back[f].Spin), Is.EqualTo((frames[f].Energy, frames[f].Charge, frames[f].Spin)));
        }
        Assert.That(back[0].Forces, Is.EqualTo(frames[0].Forces));
        Assert.That((back[1].HasForces, back[0].HasStress), Is.EqualTo((false, false)));
        Assert.That(back[1].Cell, Is.EqualTo(frames[1].Cell));
        Assert.That(back[1].Stress, Is.EqualTo(frames[1].Stress));
        byte[] first = File.ReadAllBytes(folder["frames.npz"]);
        NpzFrameWriter.Write(folder["again.npz"], back);
        Assert.That(File.ReadAllBytes(folder["again.npz"]).SequenceEqual(first));
        Assert.That(Directory.GetFiles(folder.Path, "*.incomplete"), Is.Empty);
    }

    [Test]
    public void An_npz_that_is_wrong_is_named_with_its_key()
    {
        string path = folder["bad.npz"];
        Npz(("z", [1, 8], [2]), ("R", [1, 2, 3, 4, 5, 6], [1, 2, 3]), ("E", [1], [1]), ("F", [1, 2, 3], [1, 1, 3]));
        Assert.That(() => FrameFiles.Read(path, ElectronVolts), Refused.With("bad.npz: F: shape (1, 1, 3)", "6 numbers"));
        Npz(("z", [1, 8, 1], [3]), ("R", [1, 2, 3, 4, 5, 6], [1, 2, 3]));
        Assert.That(() => FrameFiles.Read(path, ElectronVolts), Refused.With("bad.npz: z: shape (3)", "(2) or (1, 2)"));
        Npz(("z", [1, 300], [2]), ("R", [1, 2, 3, 4, 5, 6], [1, 2, 3]));
        Assert.That(() => FrameFiles.Read(path, ElectronVolts).ToArray(), Refused.With("bad.npz: unknown element 300"));
        Npz(("z", [1, 8], [2]), ("E", [1], [1]));
        Assert.That(() => FrameFiles.Read(path, ElectronVolts), Refused.With("bad.npz: no positions", "coords or R"));
        Npz(("z", [1, 8], [2]), ("R", [1, 2, 3, 4, 5, 6], [1, 2, 3]), ("E", [1], [1]));
        Assert.That(() => FrameFiles.Read(path), Refused.With("bad.npz: unit of energy not stated", "`units`"));
        Assert.That(() => FrameFiles.Read(path, ElectronVolts with { ForcesKey = "F" }), Refused.With("no array 'F'"));
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 10, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.That(() => FrameFiles.Read(path, ElectronVolts), Refused.With("bad.npz: truncated or no .npz archive"));
        }
    }

    [Test]
    public void A_unit_stated_twice_and_differently_is_refused()
    {
        NpzFrameWriter.Write(folder["frames.npz"], [new() { AtomicNumbers = [1], Positions = [0, 0, 0], Energy = 1 }]);
        FrameReadOptions hartree = new() { Energy = EnergyUnit.Hartree };
        Assert.That(() => FrameFiles.Read(folder["frames.npz"], hartree), Refused.With("energies in eV by its own account", "Hartree"));
    }

    [Test]
    public void Columns_first_big_endian_and_half_arrays_read_as_they_should()
    {
        using (ZipArchive zip = ZipFile.Open(folder["odd.npz"], ZipArchiveMode.Create))
        {
            Member(zip, "columns", "{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }",
                [1, 0, 4, 0, 2, 0, 5, 0, 3, 0, 0xFF, 0xFF]);
            Member(zip, "big", "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", [0x3F, 0xC0, 0, 0]);
            Member(zip, "half", "{'descr': '<f2', 'fortran_order': False, 'shape': (), }", [0, 0x3E]);
            Member(zip, "object", "{'descr': '|O', 'fortran_order': False, 'shape': (), }", [1, 2, 3]);
        }
        NpzArchive archive = NpzArchive.Open(folder["odd.npz"]);
        Assert.That(archive["columns"].Doubles(), Is.EqualTo((double[])[1, 2, 3, 4, 5, -1]));
        Assert.That(archive["big"].Doubles(), Is.EqualTo((double[])[1.5]));
        Assert.That(archive["half"].Doubles(), Is.EqualTo((double[])[1.5]));
        Assert.That(() => archive["object"], Refused.With("odd.npz: object: type |O"));
        Assert.That(() => archive["absent"], Refused.With("no array 'absent'"));
    }

    [Test]
    public void Hdf5_without_the_keys_or_cut_short_is_named()
    {
        string path = folder["bad.h5"];
        Hdf5(new H5Group { ["positions"] = new double[1, 2, 3] });
        Assert.That(() => Frames(path), Refused.With("bad.h5: no group with coordinates"));
        Hdf5(new H5Group { ["coordinates"] = new double[1, 2, 3], ["energies"] = new double[1] });
        Assert.That(() => Frames(path), Refused.With("bad.h5: mol: no atomic_numbers and no species"));
        Hdf5(new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { "H", "O" } });
        Assert.That(() => Frames(path), Refused.With("bad.h5: mol: no energies"));
        Hdf5(new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { "H", "Qq" }, ["energies"] = new double[1] });
        Assert.That(() => Frames(path), Refused.With("bad.h5: mol/species: unknown element 'Qq'"));
        Hdf5(new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { "H" }, ["energies"] = new double[1] });
        Assert.That(() => Frames(path), Refused.With("bad.h5: mol/species: 1 elements"));
        Hdf5(new H5Group { ["coordinates"] = new double[1, 2, 3], ["species"] = new[] { "H", "O" }, ["energies"] = new double[2] });
        Assert.That(() => Frames(path), Refused.With("bad.h5: mol/energies: shape (2)"));
        Assert.That(() => FrameFiles.Read(path).ToArray(), Refused.With("unit of energy not stated"));
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in (int[])[0, 60, whole.Length / 2])
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.That(() => Frames(path), Refused.With("bad.h5"));
        }
    }

    [Test]
    public void Hdf5_of_several_levels_asks_which_one()
    {
        Hdf5(new H5Group
        {
            ["coordinates"] = new double[1, 1, 3],
            ["atomic_numbers"] = new byte[] { 2 },
            ["a.energy"] = new[] { 1.0 },
            ["a.forces"] = new double[1, 1, 3],
            ["b.energy"] = new[] { 2.0 },
            ["b.forces"] = new double[1, 1, 3],
        });
        Assert.That(() => Frames(folder["bad.h5"]), Refused.With("levels a, b", "a.energy"));
        Frame frame = FrameFiles.Read(folder["bad.h5"], ElectronVolts with { EnergyKey = "b.energy" }).Single();
        Assert.That((frame.Energy, frame.Keys), Is.EqualTo((2.0, new LabelKeys("b.energy", "b.forces", null))));
    }

    [Test]
    public void A_file_that_is_no_ASE_database_is_named()
    {
        string path = folder.Write("bad.db", "no database at all, but long enough to look at");
        Assert.That(() => Frames(path), Refused.With("bad.db: no ASE database"));
        using (SqliteConnection connection = new($"Data Source={folder["other.db"]};Pooling=False"))
        {
            connection.Open();
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "CREATE TABLE cats (name TEXT)";
            command.ExecuteNonQuery();
        }
        Assert.That(() => Frames(folder["other.db"]), Refused.With("other.db: no ASE database"));
    }

    [Test]
    public void Unknown_extensions_and_missing_files_are_named()
    {
        Assert.That(() => FrameFiles.Read(folder.Write("a.pdb", "")), Refused.With("a.pdb: extension '.pdb'", ".xyz"));
        Assert.That(() => FrameFiles.Read(folder["none.xyz"]), Refused.With("none.xyz: no such file"));
    }

    private static Frame[] Frames(string path) => [.. FrameFiles.Read(path, ElectronVolts)];

    private static void Member(ZipArchive zip, string name, string header, byte[] data)
    {
        using Stream stream = zip.CreateEntry(name + ".npy").Open();
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. header.Select(c => (byte)c), .. data]);
    }

    private void Hdf5(H5Group group) => new H5File { ["mol"] = group }.Write(folder["bad.h5"]);

    private void Npz(params (string Name, double[] Values, long[] Shape)[] arrays)
    {
        using NpzWriter npz = new(folder["bad.npz"]);
        foreach ((string name, double[] values, long[] shape) in arrays) npz.Add(name, values, shape);
        npz.Complete();
    }
}
