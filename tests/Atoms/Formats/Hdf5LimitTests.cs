using System.Buffers.Binary;
using ChemScale.Engine;
using ChemScale.Engine.Atoms.Formats;
using ChemScale.Engine.Atoms.Formats.Hdf5;
using ChemScale.Engine.Atoms.Preparation;
using ChemScale.Engine.Atoms.Units;
using ChemScale.Tests.Fuzz;
using NUnit.Framework;
using PureHDF;
using PureHDF.Filters;

namespace ChemScale.Tests.Atoms.Formats;

/// <summary>What a damaged HDF5 file claims is not what it gets.</summary>
[NonParallelizable]
public class Hdf5LimitTests
{
    private static readonly FrameReadOptions ElectronVolts = new() { Energy = EnergyUnit.ElectronVolt };

    // Numbers of filters as the format has them.
    private const ushort Deflate = 1, Shuffle = 2;

    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    [Test]
    public void Every_field_of_a_file_set_to_the_largest_number_takes_little_memory([Values("plain", "chunked", "deflated")] string layout, [Values(4, 8)] int bytes)
    {
        string path = folder["a.h5"];
        Write(path, layout, frames: 2);
        Assert.That(Read(path), Is.EqualTo(2));
        byte[] sound = File.ReadAllBytes(path);
        long before = ResidentMemory.Most();
        int refused = 0;
        for (int at = 0; at + bytes <= sound.Length; at += 5)
        {
            byte[] damaged = [.. sound];
            // Sizes are signed where they are made into lengths.
            if (bytes == 4) BinaryPrimitives.WriteInt32LittleEndian(damaged.AsSpan(at), int.MaxValue - at % 2 * 60);
            else BinaryPrimitives.WriteInt64LittleEndian(damaged.AsSpan(at), int.MaxValue - at % 2 * 60);
            File.WriteAllBytes(path, damaged);
            try
            {
                Read(path);
            }
            catch (InputException)
            {
                refused++;
            }
        }
        Expect.Above(refused, 10);
        Expect.Below(ResidentMemory.Most() - before, 300_000_000);
    }

    [Test]
    public void A_chunk_that_inflates_to_more_than_a_chunk_is_given_up()
    {
        const int Frames = 500_009;
        string path = folder["bomb.h5"];
        Write(path, "deflated", Frames);
        byte[] bytes = File.ReadAllBytes(path);
        Expect.Below(bytes.Length, 1_000_000);
        // Sizes of data sets and of their chunks, wherever they stand, become small: what was packed stays.
        int changed = 0;
        byte[] claimed = [.. BitConverter.GetBytes(Frames).Take(3)];
        for (int at = 0; at + 3 <= bytes.Length; at++)
        {
            if (!bytes.AsSpan(at, 3).SequenceEqual(claimed)) continue;
            (bytes[at], bytes[at + 1], bytes[at + 2]) = (2, 0, 0);
            changed++;
        }
        Expect.Above(changed, 4);
        File.WriteAllBytes(path, bytes);
        long before = ResidentMemory.Most();
        Assert.That(() => Read(path), Refused.With("bomb.h5", "inflates to more than its"));
        Expect.Below(ResidentMemory.Most() - before, 40_000_000);
    }

    [Test]
    public void Reading_one_data_set_hears_that_it_is_no_longer_wanted()
    {
        string path = folder["a.h5"];
        Write(path, "plain", frames: 50_000);
        using CancellationTokenSource stop = new();
        using Hdf5File file = Hdf5File.Open(path, stop.Token);
        Hdf5Group group = file.Root.WithDescendants().First(g => g.Has("coordinates"));
        Assert.That(group.Numbers("coordinates", out _), Has.Length.EqualTo(300_000));
        stop.Cancel();
        Assert.That(() => group.Numbers("forces", out _), Throws.InstanceOf<OperationCanceledException>());
    }

    private static int Read(string path) => FrameFiles.Read(path, ElectronVolts).Count();

    private static void Write(string path, string layout, int frames)
    {
        uint count = (uint)frames;
        H5Dataset Set(Array values, uint[] chunks) => layout == "plain" ? new H5Dataset(values)
            : new H5Dataset(values, chunks, datasetCreation: layout == "deflated" ? new(Filters: [new H5Filter(Shuffle), new H5Filter(Deflate)]) : default);
        new H5File
        {
            ["a"] = new H5Group
            {
                ["coordinates"] = Set(new double[frames, 2, 3], [count, 2, 3]),
                ["species"] = new[] { "H", "O" },
                ["energies"] = Set(new double[frames], [count]),
                ["forces"] = Set(new double[frames, 2, 3], [count, 2, 3]),
            },
        }.Write(path);
    }
}
